"""The loop of rounds against a plain coding of it."""

from dataclasses import replace
from fractions import Fraction
from math import isqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auction.market import Market
from auction.rounds import CHEATED, DONE, MISSED, NEVER, simulate

BEST_ORDER = {"backfill": True, "task_order": "ratio", "provider_order": "ratio"}
FATES = st.lists(st.sampled_from((DONE, DONE, MISSED, CHEATED)), min_size=5, max_size=5)  # of up to five providers


def normalised(column):
    low, high = min(column), max(column)
    return [
        Fraction(1, 2) if low == high else Fraction(1, 100) + Fraction(98, 100) * (x - low) / (high - low)
        for x in column
    ]


def ranked(rows, keys):
    """Rows by key descending, ties by row."""
    return sorted(rows, key=lambda row: (-keys[row], row))


def rounded_root(total):
    """The square root to 9 decimals, half up: ties of the true root with a half do not occur here."""
    nano = isqrt(total.numerator * 4 * 10**18 // total.denominator)
    return (nano + 1) // 2


def density(columns, inverted=()):
    shares = [normalised(column) for column in columns]
    return [
        rounded_root(sum((1 / share[row] ** 2 if k in inverted else share[row] ** 2) for k, share in enumerate(shares)))
        for row in range(len(columns[0]))
    ]


def reference(market, entered, fates, raise_factor, printed, patience, best_order):
    """Round by round, task by task: served, first_failed, failures, payment, receipt, removed."""
    m, n, types = market.tasks, market.providers, range(market.types)
    C, s, c = market.demand.tolist(), market.resource.tolist(), market.cost.tolist()
    v, e, psi = market.value.tolist(), market.extra_cost.tolist(), market.ability.tolist()
    raised, served, first_failed, failures, payment = list(v), [NEVER] * m, [NEVER] * m, [0] * m, [0] * m
    receipt, removed = [0] * n, [NEVER] * n
    for number, fate in enumerate(fates):
        pool = [i for i in range(m) if entered[i] <= number < entered[i] + patience and served[i] == NEVER]
        there = [j for j in range(n) if removed[j] == NEVER]
        if not pool or not there:
            continue
        if best_order:
            by_task = {i: Fraction(raised[i], sum(C[i])) for i in pool}
            price = {j: Fraction(c[j], sum(s[j])) for j in there}
            queue = sorted(there, key=lambda j: (price[j], j))
        else:
            by_task = dict(
                zip(pool, density([*([C[i][k] for i in pool] for k in types), [raised[i] for i in pool]]), strict=True)
            )
            columns = [[Fraction(s[j][k]) for j in there] for k in types] + [
                [Fraction(psi[j][k]) for j in there] for k in types
            ]
            queue = ranked(there, dict(zip(there, density(columns, inverted=types), strict=True)))
        left = {j: market.slots.tolist()[j] for j in there}
        start, out = 0, []
        for i in ranked(pool, by_task):
            bid = (raised[i] if printed else v[i]) - e[i]
            q, taken, position = list(C[i]), [], 0 if best_order else start
            while any(q) and position < len(queue):
                j = queue[position]
                if left[j] and any(q[k] and s[j][k] for k in types):
                    taken.append(j)
                    q = [max(0, q[k] - s[j][k]) for k in types]
                position += any(q)
            spent = sum(c[j] for j in taken)
            if any(q) or spent > bid:
                continue
            start = position
            for j in taken:
                left[j] -= 1
            if any(fate[j] != DONE for j in taken):
                first_failed[i] = first_failed[i] if failures[i] else number
                failures[i] += 1
                raised[i] += round(raised[i] * (raise_factor - 1))
                out += [j for j in taken if fate[j] == CHEATED]
                continue
            served[i], payment[i] = number, (spent + bid) // 2
            units = {j: sum(s[j]) for j in taken}
            half = payment[i] - spent
            parts = {j: half * units[j] // sum(units.values()) for j in taken}
            parts[min(taken)] += half - sum(parts.values())
            for j in taken:
                receipt[j] += c[j] + parts[j]
        for j in out:
            removed[j] = number
    return served, first_failed, failures, payment, receipt, removed


def offering(market):
    """A market all of whose slots complete something: the reference divides by their units."""
    return market.tasks and market.providers and market.resource.any(axis=1).all()


def agree(market, entered, perform, fates, factor, printed, patience, best_order):
    history = simulate(
        market,
        30.0 * np.array(entered, dtype=float) + 7,
        rounds=len(fates),
        perform=perform(fates),
        raise_factor=factor,
        printed=printed,
        patience=patience,
        options=BEST_ORDER if best_order else {},
    )
    expected = reference(market, entered, fates, factor, printed, patience, best_order)
    for name, column in zip(
        ("served", "first_failed", "failures", "payment", "receipt", "removed"), expected, strict=True
    ):
        assert getattr(history, name).tolist() == column, name
    return history


@pytest.mark.parametrize("best_order", [False, True])
@pytest.mark.parametrize("printed", [False, True])
@settings(max_examples=75)
@given(
    st.from_type(Market).filter(offering),
    st.lists(st.integers(0, 2), min_size=4, max_size=4),
    st.lists(FATES, min_size=5, max_size=5),
    st.sampled_from((1.0, 1.5, 4.0)),
    st.sampled_from((1, 3, 5)),
)
def test_the_loop_is_that_of_the_docstring(fated, best_order, printed, market, entered, fates, factor, patience):
    agree(market, entered[: market.tasks], fated, fates, factor, printed, patience, best_order)


@pytest.mark.parametrize("best_order", [False, True])
@pytest.mark.parametrize("printed", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_the_loop_of_larger_markets(generate, fated, best_order, printed, seed):
    rng = np.random.default_rng(seed)
    market = generate("uniform", 40, 12, 2, seed)
    market = replace(market, resource=np.maximum(market.resource, 1))
    entered = np.sort(rng.integers(0, 10, 40)).tolist()
    fates = rng.choice((DONE, MISSED, CHEATED), (12, 12), p=(0.7, 0.28, 0.02)).tolist()
    history = agree(market, entered, fated, fates, 3.0, printed, 6, best_order)
    assert (history.failures > 1).any() and (history.served[history.failures > 0] != NEVER).any()
