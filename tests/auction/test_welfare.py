"""Welfare by its formula, and by hand."""

from hypothesis import given
from hypothesis import strategies as st

from auction.allocation import Allocation
from auction.market import MICRO, Market
from auction.welfare import welfare


@given(st.from_type(Market), st.data())
def test_bids_of_the_winners_less_costs_of_all_slots(market, data):
    everything = [(i, j) for i in range(market.tasks) for j in range(market.providers)]
    pairs = data.draw(st.lists(st.sampled_from(everything), unique=True)) if everything else []
    A = [[(i, j) in pairs for j in range(market.providers)] for i in range(market.tasks)]
    bids = sum(b for b, row in zip(market.net_bid.tolist(), A, strict=True) if any(row))
    costs = sum(c * sum(column) for c, column in zip(market.cost.tolist(), zip(*A, strict=True), strict=False))
    allocation = Allocation.of([i for i, _ in pairs], [j for _, j in pairs])
    assert welfare(market, allocation) == bids - costs


def test_by_hand():
    market = Market(
        demand=[[4], [1]],
        value=[20 * MICRO, 5 * MICRO],
        unit_work=[0.5],  # e = 2 log2(2) + 1 = 3 tokens and 1
        alpha=2,
        beta=1,
        resource=[[2], [2], [1]],
        slots=[2, 1, 1],
        cost=[4 * MICRO, 6 * MICRO, 7],
        ability=[[0], [0], [0]],
    )
    assert welfare(market, Allocation.of([0, 0], [1, 0])) == 7 * MICRO
    assert welfare(market, Allocation.of([0, 0, 1], [1, 0, 2])) == 11 * MICRO - 7
    assert welfare(market, Allocation.of([1], [1])) == -2 * MICRO
    assert welfare(market, Allocation.empty()) == 0
