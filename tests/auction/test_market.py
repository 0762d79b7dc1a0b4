"""What a market refuses, what it derives, and its digest."""

import math
from dataclasses import FrozenInstanceError, replace
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction.allocation import Allocation
from auction.market import FIELDS, MICRO, Market
from auction.outcome import Outcome

WHOLE = "integers from 0 to 9223372036854775807"
FINITE = "finite numbers from 0 up"
PLAIN = {
    "demand": [[1, 0], [2, 1]],
    "value": [5 * MICRO, 6 * MICRO],
    "unit_work": [0.5, 1.5],
    "alpha": 2,
    "beta": 1,
    "resource": [[1, 2], [3, 4], [5, 6]],
    "slots": [1, 2, 3],
    "cost": [7, 8, 9],
    "ability": [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]],
}
AMOUNTS = ("demand", "value", "resource", "slots", "cost")


def market(**changes):
    return Market(**PLAIN | changes)


def with_first(name, entry):
    """The plain field with ``entry`` in its first place."""
    rows = [row.copy() if isinstance(row, list) else row for row in PLAIN[name]]
    if isinstance(rows[0], list):
        rows[0][0] = entry
        return rows, f"{name}[0][0]"
    rows[0] = entry
    return rows, f"{name}[0]"


@pytest.mark.parametrize("entry", [-1, 0.5, math.nan, math.inf, None, 2**63, -(2**63) - 1, 2**64, 10**400, 1e300])
@pytest.mark.parametrize("name", AMOUNTS)
def test_amounts_are_integers_from_0_to_int64(refusal, name, entry):
    field, place = with_first(name, entry)
    message = refusal(market, **{name: field})
    unit = ", micro-tokens, 10^6 to a token" if name in ("value", "cost") else ""
    assert message.startswith(f"{place}: ") and message.endswith(f" is not allowed; {WHOLE}{unit}")


@pytest.mark.parametrize("entry", [-0.5, math.nan, math.inf, -math.inf, None, 10**400])
@pytest.mark.parametrize("name, allowed", [("unit_work", FINITE), ("ability", "numbers from 0 to 1")])
def test_reals_are_finite_and_in_range(refusal, name, allowed, entry):
    field, place = with_first(name, entry)
    message = refusal(market, **{name: field})
    assert message.startswith(f"{place}: ") and message.endswith(f" is not allowed; {allowed}")


def test_ability_stays_within_1(refusal):
    field, _ = with_first("ability", 1.0000001)
    assert refusal(market, ability=field) == "ability[0][0]: 1.0000001 is not allowed; numbers from 0 to 1"


@pytest.mark.parametrize("entry", [True, "1", b"1", 1j, {}, [1, 2, 3]], ids=repr)
@pytest.mark.parametrize("name", [*AMOUNTS, "unit_work", "ability"])
def test_anything_but_numbers_is_refused(refusal, name, entry):
    field, _ = with_first(name, entry)
    assert refusal(market, **{name: field}).startswith(f"{name}")


@pytest.mark.parametrize("name", [*AMOUNTS, "unit_work", "ability"])
def test_wrong_shapes(refusal, name):
    field = PLAIN[name]
    flat = not isinstance(field[0], list)
    ragged = [*field[:-1], [1]] if flat else [*field[:-1], field[-1][:1]]
    for wrong in (ragged, [field], field[0], None, "text", {"a": 1}, True):
        message = refusal(market, **{name: wrong})
        assert message.startswith(f"{name}") and "; " in message
    # One entry too few: no field is the measure of itself, except the three that set m, n and K.
    assert refusal(market, **{name: field[:-1]}).split(":")[0] in FIELDS


@pytest.mark.parametrize("name, least", [("alpha", 2), ("beta", 0)])
@pytest.mark.parametrize("value", [0, True, "2", None, 2.5, math.nan, math.inf, 2**63, [2, 3], -(10**30)], ids=str)
def test_parameters_are_integers_in_range(refusal, name, least, value):
    value = least - 1 if value == 0 else value
    message = refusal(market, **{name: value})
    assert message == f"{name}: {value!r} is not allowed; an integer from {least} to 9223372036854775807"


def test_task_without_demand_and_no_types(refusal):
    assert refusal(market, demand=[[1, 0], [0, 0]]).startswith("demand[1]: the task demands nothing; at least one")
    assert refusal(market, unit_work=[]) == "unit_work: names no model type; at least one is needed"


@pytest.mark.parametrize(
    "field, changes",
    [
        ("demand", {"demand": [[2**61, 0], [2**61, 0]], "unit_work": [0, 0]}),
        ("resource", {"resource": [[2**61, 2**60], [2**60, 0], [1, 1]]}),
        ("value", {"value": [2**61, 2**61]}),
        ("value", {"beta": 2**61 // MICRO + 1}),
        ("demand[1]", {"demand": [[1, 0], [0, 2**55]]}),
        ("demand[0]", {"unit_work": [1e308, 1e308]}),
        ("demand[0]", {"beta": 2**62}),
        ("cost", {"cost": [2**60, 2**60, 2**60]}),  # two tasks can use 1 + 2 + 2 slots
    ],
)
def test_sums_that_would_overflow(refusal, field, changes):
    message = refusal(market, **changes)
    assert message.startswith(f"{field}: ") and str(2**62) in message


def test_sums_just_below_the_limit():
    near = market(value=[2**61, 2**61 - 2**40], cost=[2**60, 2**59, 2**59 - 2**40])
    assert near.net_bid.sum() + near.extra_cost.sum() == near.value.sum() == 2**62 - 2**40


def test_whole_numbers_are_taken_in_any_dtype():
    value, slots = np.array(PLAIN["value"], dtype=np.float32), np.array(PLAIN["slots"], dtype=np.uint8)
    same = market(value=value, slots=slots, alpha=2.0)
    assert same.digest == market().digest and isinstance(same.alpha, int)


def test_integers_beside_floats_lose_nothing():
    odd = 2**53 + 1  # no float64
    assert market(value=[odd, 1.0]).value.tolist() == [odd, 1]


def test_arrays_are_copies_that_cannot_be_written():
    value = np.array(PLAIN["value"])
    one = market(value=value)
    value[0] = 0
    assert one.value[0] == PLAIN["value"][0]
    for name in (*FIELDS, "work", "extra_cost", "net_bid"):
        if isinstance(array := getattr(one, name), np.ndarray):
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0
    with pytest.raises(FrozenInstanceError):
        one.alpha = 3
    with pytest.raises(ValueError, match="read-only"):
        Allocation.of([0], [0]).task[0] = 1


@pytest.mark.parametrize("tasks, providers, types", [(0, 0, 1), (0, 2, 3), (2, 0, 1)])
def test_sizes(tasks, providers, types):
    empty = Market(
        demand=np.ones((tasks, types)),
        value=[0] * tasks,
        unit_work=[0.0] * types,
        alpha=2,
        beta=1,
        resource=np.ones((providers, types)),
        slots=[1] * providers,
        cost=[0] * providers,
        ability=np.zeros((providers, types)),
    )
    assert (empty.tasks, empty.providers, empty.types) == (tasks, providers, types)
    assert empty.net_bid.shape == (tasks,) and empty.resource.shape == (providers, types)


@given(
    demand=st.lists(st.lists(st.integers(0, 1000), min_size=2, max_size=2).filter(any), min_size=1, max_size=4),
    unit_work=st.lists(st.floats(0, 50), min_size=2, max_size=2),
    alpha=st.sampled_from((2, 3, 10, 10**13, 2**63 - 1)),
    beta=st.integers(1, 1000),
)
def test_extra_cost_is_the_formula_rounded_once(demand, unit_work, alpha, beta):
    tasks = len(demand)
    one = market(demand=demand, value=[0] * tasks, unit_work=unit_work, alpha=alpha, beta=beta)
    with localcontext(prec=50):
        for row, work, extra, bid in zip(demand, one.work, one.extra_cost.tolist(), one.net_bid.tolist(), strict=True):
            tau = max(Decimal(1), sum(c * Decimal(t) for c, t in zip(row, unit_work, strict=True)))
            exact = MICRO * (tau * tau.ln() / Decimal(alpha).ln() + beta)
            assert float(work) == pytest.approx(float(tau), rel=1e-15)
            assert abs(extra - exact) <= Decimal("0.5") + exact * Decimal("1e-14")  # the error of float64
            assert bid == -extra


def test_extra_cost_by_hand():
    # tau = 8, 0.25 (counts as 1) and 2: 8 log2 8 = 24, 0, 2 log2 2 = 2 tokens, plus beta.
    one = market(demand=[[16, 0], [0, 1], [1, 1]], value=[10**8] * 3, unit_work=[0.5, 0.25], beta=3)
    one = replace(one, demand=[[16, 0], [0, 1], [2, 4]])
    assert one.extra_cost.tolist() == [27 * MICRO, 3 * MICRO, 5 * MICRO]
    # alpha of 10^13 makes e small beside v: 20 log(20) / log(10^13) = 2.0016 tokens.
    large = market(demand=[[40, 0], [1, 0]], alpha=10**13)
    assert large.extra_cost[0] == MICRO + round(MICRO * 20 * math.log(20) / math.log(10**13)) < 3.1 * MICRO


@pytest.mark.parametrize("name", FIELDS)
def test_digest_changes_with_every_field(name):
    changed = np.array(PLAIN[name]) * 2 if name != "ability" else np.array(PLAIN[name]) / 2
    assert market(**{name: changed}).digest != market().digest


def test_digest_is_that_of_the_contents():
    turned = {name: np.asfortranarray(value) if isinstance(value, list) else value for name, value in PLAIN.items()}
    assert Market(**turned).digest == market().digest
    assert market(unit_work=[0.0, 1.5]).digest == market(unit_work=[-0.0, 1.5]).digest
    assert market(value=PLAIN["value"][::-1]).digest != market().digest
    assert len(market().digest) == 64


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5))))
def test_allocation_sorts_its_pairs(pairs):
    allocation = Allocation.of(*zip(*pairs, strict=True)) if pairs else Allocation.empty()
    assert list(zip(allocation.task.tolist(), allocation.provider.tolist(), strict=True)) == sorted(pairs)


@pytest.mark.parametrize("bound, gap", [(None, None), (0, 0.0), (80, 0.25), (60, 0.0)])
def test_gap(bound, gap):
    rest = {"status": "", "seconds": 0.0, "seed": 0, "options": {}, "market_digest": "", "proven_optimal": False}
    welfare = min(60, bound or 60) if bound != 0 else 0
    found = Outcome(solver="", reading="bundle", allocation=Allocation.empty(), welfare=welfare, bound=bound, **rest)
    assert found.gap == gap
