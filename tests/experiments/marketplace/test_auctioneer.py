"""A round's market and its answers, whoever gives them."""

from dataclasses import replace

import numpy as np
import pytest
from town import Town

from auction.allocation import Allocation
from experiments.marketplace import auctioneer
from experiments.marketplace.auctioneer import Answer, Round


@pytest.fixture(scope="module")
def solve():
    town = Town()
    user = town.join("user", purse=10**7)
    for at in range(3):
        town.join(f"device {at}", device=True, cost=400 + 100 * at, slots=1 + at, s=2)
    for at in range(5):
        town.order(user, inputs=tuple(range(3 * at, 3 * at + 1 + at % 3)), bid=3_000 + 700 * at)
    town.pass_time(5)
    return town.rounds[0]


@pytest.mark.parametrize("solver", ["bid_density", "greedy", "ilp_cpsat"])
def test_any_solver_gives_an_answer_that_holds(solve, solver):
    given = auctioneer.answer(replace(solve, solver=solver, limit=5.0))
    assert not auctioneer.faults(solve, given) and given.allocation.task.size


@pytest.mark.parametrize("mechanism", ["whitepaper", "posted_price"])
def test_any_mechanism_that_applies_gives_an_answer_that_holds(solve, mechanism):
    given = auctioneer.answer(replace(solve, mechanism=mechanism))
    assert not auctioneer.faults(solve, given)


def test_whoever_failed_an_order_is_not_matched_with_it_again(solve):
    first = auctioneer.answer(solve)
    for pair in zip(first.allocation.task.tolist(), first.allocation.provider.tolist(), strict=True):
        barred = replace(solve, barred=[pair])
        again = auctioneer.answer(barred)
        assert not auctioneer.faults(barred, again)
        assert auctioneer.faults(barred, first) == ["a task goes to a provider that failed it"]


def test_an_order_that_may_not_have_a_slot_leaves_it_to_the_next(solve):
    """One device, which failed the highest bidder and both that come after it but the last."""
    market = replace(
        solve.market,
        demand=np.ones((4, 1), np.int64),
        value=np.array([900, 800, 700, 600]),
        resource=np.ones((1, 1), np.int64),
        slots=np.ones(1, np.int64),
        cost=np.array([100]),
        ability=np.ones((1, 1)),
        unit_work=np.zeros(1),
        arrival=None,
    )
    held = replace(solve, market=market, ranked_by=market.value, barred=[(0, 0), (1, 0), (2, 0)], solver="bid_density")
    given = auctioneer.answer(held)
    assert given.allocation.task.tolist() == [3] and not auctioneer.faults(held, given)
    assert given.payment[3] > 0 and not given.payment[:3].any()


@pytest.mark.parametrize(
    "answer",
    [
        Answer(Allocation.of([0], [99]), np.zeros(5, np.int64)),
        Answer(Allocation.of([0, 0, 0, 0], [0, 1, 2, 2]), np.zeros(5, np.int64)),
        Answer(Allocation.empty(), np.zeros(4, np.int64)),
        Answer(Allocation.empty(), np.ones(5, np.int64)),
        Answer(Allocation.empty(), -np.ones(5, np.int64)),
    ],
)
def test_an_answer_that_does_not_hold_is_found_out(solve, answer):
    assert auctioneer.faults(solve, answer)


def test_an_order_that_came_back_is_ranked_higher_and_charged_by_its_bid():
    value, rank = np.array([100, 100, 2**50]), np.array([0, 2, 30])
    ranked = auctioneer.raised(value, rank)
    assert ranked.tolist()[:2] == [100, 225] and ranked[2] >= 2**50
    assert int(ranked.sum()) < auctioneer.AMOUNT_LIMIT


def test_every_request_of_a_won_order_is_with_one_lease_and_prices_sum_to_the_payment(solve):
    town = Town()
    user = town.join("user", purse=10**7)
    for at in range(3):
        town.join(f"device {at}", device=True, cost=400 + 100 * at, slots=2, s=2)
    town.order(user, inputs=(1, 2, 3, 4, 5), bid=9_000)
    waiting = dict(town.coordinator.desk.orders.waiting)
    town.pass_time(4)
    held = town.coordinator.rounds._market(1, town.coordinator.desk.draft, waiting)
    assert isinstance(held, Round)
    given = auctioneer.answer(held.solve)
    pairs = auctioneer.pairs(held, given)
    assert sorted(index for pair in pairs for index in pair.part) == list(range(5))
    assert sum(pair.price for pair in pairs) == given.payment[0] and all(len(pair.part) <= 2 for pair in pairs)
