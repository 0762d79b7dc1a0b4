"""Each defect of the print on a market small enough to work out by hand, and the walk against the solver."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction.allocation import Allocation
from auction.density import provider_density
from auction.market import MICRO, Market
from auction.prices import trade_prices
from auction.printed import DEFECTS, densities, model, pricing
from auction.printed.walk import (
    WALK,
    beyond_slots,
    dearer_than_bid,
    held,
    never_back,
    prices,
    refused_by_value,
    returns,
    served,
    uncovered,
)
from auction.search import Stop
from auction.solvers import bid_density


def market(demand, value, resource, cost, **fields) -> Market:
    """Tokens; every e_i is 1 token unless the work says otherwise."""
    types = len(demand[0])
    return Market(
        **{
            "demand": demand,
            "value": np.rint(np.array(value) * MICRO).astype(np.int64),
            "unit_work": [0.0] * types,
            "alpha": 2,
            "beta": 1,
            "resource": resource,
            "slots": [1] * len(cost),
            "cost": np.rint(np.array(cost) * MICRO).astype(np.int64),
            "ability": [[0.0] * types] * len(cost),
        }
        | fields
    )


def pairs(allocation):
    return list(zip(allocation.task.tolist(), allocation.provider.tolist(), strict=True))


# Densities put task 0 and provider 0 first: task 0 takes slots 0 and 1, task 1 slot 2.
WALKED = market([[2], [1]], [10, 5], [[1], [2], [3]], [1, 1, 1])
LIMIT = 10 * 3 * 4


@given(st.from_type(Market))
def test_the_corrected_lines_are_the_solver(drawn):
    run = prices(drawn, ())
    expected = pairs(bid_density.solve(drawn, "bundle", Stop(None), 0).allocation)
    assert pairs(run.written) == pairs(run.held) == expected
    assert run.returned and run.passes <= drawn.tasks * (drawn.providers + 1) + 1


def test_the_corrected_walk_by_hand():
    run = prices(WALKED, ())
    assert pairs(run.written) == [(0, 0), (0, 1), (1, 2)]
    assert (run.returned, run.passes) == (True, 5)
    assert [figure(WALKED, run) for figure in (returns, held, beyond_slots, served, uncovered, dearer_than_bid)] == [
        *(1, 1, 0),
        *(1, 0, 0),
    ]


def test_the_print_gives_every_task_the_first_provider_and_never_returns():
    run = prices(WALKED, WALK - {17})
    assert pairs(run.written) == [(0, 0), (1, 0)] and pairs(run.held) == []
    assert (run.returned, run.passes) == (False, LIMIT)
    assert (beyond_slots(WALKED, run), uncovered(WALKED, run)) == (0.5, 0.5)


@pytest.mark.parametrize(
    "number, written, figure, value",
    [
        (7, [(0, 0), (0, 1), (1, 1)], beyond_slots, 1 / 3),  # 5 tokens >= 1 request: slot 1 goes twice
        (8, [(0, 0), (0, 1), (1, 2)], held, 0),
        (17, [], served, 0),
        (19, [(0, 0), (1, 1)], uncovered, 0.5),  # one request of slot 0 for the two of task 0
        (20, [(0, 0), (0, 1), (1, 2)], returns, 0),
        (21, [(0, 0), (0, 1), (1, 1)], beyond_slots, 1 / 3),
    ],
)
def test_one_line_as_printed(number, written, figure, value):
    run = prices(WALKED, {number})
    assert pairs(run.written) == written
    assert figure(WALKED, run) == pytest.approx(value)
    assert run.returned is (number != 20)


def test_a_task_that_cannot_be_satisfied_never_ends():
    greedy = market([[9], [1]], [100, 5], [[1], [2], [3]], [1, 1, 1])
    assert (prices(greedy, {9}).returned, prices(greedy, {9}).passes) == (False, LIMIT)
    assert pairs(prices(greedy, {9}).written) == []
    assert pairs(prices(greedy, ()).written) == [(1, 0)] and prices(greedy, ()).returned


def test_a_task_wins_however_little_it_bids():
    dear = market([[1]], [5], [[1]], [4.5])  # b = 4
    assert dearer_than_bid(dear, prices(dear, {22})) == 1
    assert pairs(prices(dear, ()).written) == []


def test_a_valuation_refuses_where_it_is_below_the_requests():
    poor = market([[2]], [1.5], [[2]], [0.1])
    assert pairs(prices(poor, {7}).written) == [] and pairs(prices(poor, ()).written) == [(0, 0)]
    # v' = 0.99, 0.5, 0.01 and q' = 0.01, 0.5, 0.99
    assert refused_by_value(market([[1], [2], [3]], [3, 2, 1], [[1]], [1])) == (pytest.approx(1 / 3), 0)


def test_providers_passed_over_are_lost():
    # Task 1 needs type 1, offered only before the provider that completed task 0: 8 - 1 of 8 - 1 + 7 - 1 tokens.
    passed = market([[3, 0], [0, 1]], [9, 8], [[0, 1], [3, 3]], [1, 1])
    assert never_back(passed) == (pytest.approx(7 / 13), 1)


def test_the_objective_gains_what_providers_lose():
    one = market([[1]], [10], [[1]], [3])  # b = 9, midpoint 6, welfare 6
    assert model.rewards_low_prices(one) == (1, 0)
    assert model.providers_surplus(one) == (pytest.approx(5 / 6), 0.5)


def test_one_task_a_provider_makes_slots_void():
    two = market([[1], [1]], [5, 5], [[1]], [1], slots=[2])
    assert model.one_slot_each(two) == (0.5, 1)
    assert np.isnan(model.one_slot_each(WALKED)).all()


def test_nothing_printed_has_to_be_covered():
    # The larger bid takes the cheaper slot, of one request where it asks for two.
    assert model.nothing_to_cover(market([[2], [2]], [10, 9], [[1], [2]], [1, 2])) == (0.5, 0)


def test_the_extra_cost_falls_below_beta_and_has_no_base_one():
    works = market([[1, 0]], [10], [[1, 1]], [1], unit_work=[0.5, 2.0])  # e = 0.5 and 3 tokens
    assert model.printed_extra_cost(works.unit_work, 2, 1).tolist() == [0.5, 3.0]
    assert model.cheaper_than_nothing(works) == (0.5, 0)
    assert model.finite_extra_cost(works) == (0, 1)


# b = 10, one request each from slots that cost 1 and 8: unit bid 5, asks 1 and 8
BUNDLE = market([[2]], [11], [[1], [1]], [1, 8])
# v = 10, b = 9
CLOSE = market([[1]], [10], [[1]], [8.5])


def test_lines_14_and_15_charge_a_bundle_more_than_its_bid():
    assert pricing.above_the_bid(BUNDLE) == (1, 0)  # 3 + 8 = 11


def test_units_won_so_far_price_the_first_provider():
    assert pricing.paid_by_bundles(BUNDLE) == (pytest.approx(1.35), pytest.approx(1.1))  # (1 + 10) / 2 + 8 and 3 + 8
    assert np.isnan(pricing.paid_by_bundles(CLOSE)).all()


def test_a_value_that_meets_the_ask_leaves_nothing_for_the_extra_cost():
    assert pricing.value_as_bid(CLOSE) == (1, 0)  # 9.25 + 1 > 10


def test_two_sums_multiplied_count_units_twice():
    assert pricing.resources(BUNDLE) == (2, 1)
    assert pricing.resources(CLOSE) == (1, 1)


def test_normalised_values_meet_no_cost():
    assert pricing.normalised_prices(CLOSE) == (1, 0)  # 8.5 / 0.5 against 0.5 / 0.5
    equal = market([[1]], [4], [[1]], [3])  # b = 3: an ask that meets the bid does not exceed it
    assert pricing.normalised_prices(equal) == (1, 0)


def test_a_raised_value_is_charged():
    assert pricing.raised_value(CLOSE) == (1, 0)  # (14 + 8.5) / 2 = 11.25 > 9


def test_a_demand_in_the_matrix_multiplies_the_price():
    assert pricing.demand_in_the_matrix(market([[2]], [10], [[2]], [3])) == (
        pytest.approx(12 / 9),
        pytest.approx(6 / 9),
    )


def test_indices_of_lines_22_and_23_do_not_balance():
    # Task 1's provider does not serve task k = 0: it pays nothing.
    assert pricing.balance(market([[1], [1]], [10, 10], [[1], [1]], [3, 3])) == (pytest.approx(0.5), 1)


def test_who_completes_no_task_is_never_priced():
    assert pricing.never_priced(BUNDLE) == (0.5, 0)
    assert pricing.never_priced(CLOSE) == (0, 0)


def test_a_value_that_is_lowered_meets_fewer_asks():
    # The second slot asks 4.8 of a bid of 5 a unit, or of 4.5 where the request given before is taken off the value.
    assert pricing.lowered_value(market([[2]], [11], [[1], [1]], [1, 4.8])) == (0.5, 0)
    assert np.isnan(pricing.lowered_value(CLOSE)).all()


def test_no_density_enters_a_price():
    able = replace(BUNDLE, ability=[[1.0], [0.5]])
    densities_of = [provider_density(one.resource, one.ability) for one in (BUNDLE, able)]
    assert not np.allclose(*densities_of)
    allocation = Allocation.of([0, 0], [0, 1])
    for printed in (True, False):
        prices_of = [trade_prices(one, allocation, printed=printed) for one in (BUNDLE, able)]
        assert all(np.array_equal(one, other) for one, other in zip(*prices_of, strict=True))


def test_an_extra_cost_is_in_no_account():
    assert pricing.paid_to_nobody(CLOSE) == (pytest.approx(1 / 8.75), pytest.approx(1 / 8.75))


def test_a_unit_of_either_model_counts_one():
    assert pricing.work_of_a_unit(market([[1, 1]], [10], [[1, 1]], [1], unit_work=[1.0, 4.0])) == (4, 4)


def test_a_task_density_rises_with_demand():
    assert densities.demand_in_front(market([[1], [2], [3]], [5, 5, 5], [[1]], [1])) == (
        pytest.approx(1),
        pytest.approx(-1),
    )


@pytest.mark.parametrize("floor", [0.0001, 0.01, 0.3])
def test_a_provider_density_falls_with_slots_and_rises_if_they_are_latencies(floor):
    slots = market([[1]], [5], [[1], [2], [4]], [1, 1, 1])
    throughput = densities.units_in_front(slots, slots=lambda one: one.resource, floor=floor)
    assert throughput == (pytest.approx(-1), pytest.approx(1))
    assert densities.units_in_front(slots, slots=densities.latency, floor=floor)[0] == pytest.approx(1)


def test_dear_providers_may_stand_first():
    # 19 - 9 with the small, dear slot first, 19 - 1 with the cheap one.
    assert densities.provider_order(market([[1]], [20], [[1], [2]], [9, 1])) == (pytest.approx(10 / 18), 1)


def test_the_least_slot_of_a_column_has_an_infinite_density():
    assert densities.infinite(market([[1]], [5], [[1], [2], [4]], [1, 1, 1])) == (pytest.approx(1 / 3), 0)


def test_two_seeds_agree_on_the_printed_auction(generate):
    assert densities.random_outcome(generate("uniform", 8, 16)) == (0, 1)


def test_one_bid_reorders_the_others():
    # C = 1, v = 15 stands before C = 2, v = 1 until task 0 asks for 2,000.
    shilled = market([[1], [2], [1], [10]], [20, 1, 15, 1], [[1]], [1])
    assert densities.order_of_the_others(shilled) == (pytest.approx(1 / 3), 0)


def test_ties_of_providers_that_differ_in_cost():
    tied = market([[1]], [10], [[1], [1]], [1, 5])  # 9 - 1 or 9 - 5, as they are listed: (8 - 4) / mean
    swapped, corrected = densities.ties(tied)
    assert 4 / 8 < swapped < 4 / 4 and corrected == 0


def test_normalised_columns():
    assert densities.normalised(np.array([1, 2, 3])).tolist() == [0.01, 0.5, 0.99]


def test_defects_are_numbered_once():
    assert [defect.number for defect in DEFECTS] == list(range(1, len(DEFECTS) + 1))
    assert all(defect.where and defect.printed and defect.trouble for defect in DEFECTS)


@given(st.from_type(Market).filter(lambda drawn: drawn.tasks and drawn.providers))
def test_every_measure_takes_any_market(drawn):
    for defect in DEFECTS:
        for measure in defect.measures.values():
            assert len(measure(drawn)) == 2
