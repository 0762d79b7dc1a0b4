"""Units and bundles that match, by hand and on every market."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction.allocation import check
from auction.market import MICRO, Market
from experiments.claims import trades_when_bid_matches_ask as claim

BEST = claim.ORDERS[claim.BEST]


def test_a_bundle_that_matches_and_its_unit_that_does_not():
    # Task 0 bids 10 for two requests from slots that cost 1 and 8: unit bid 5. Task 1 bids 3 for what costs 1.
    market = Market(
        demand=[[2, 0], [0, 1]],
        value=[11 * MICRO, 4 * MICRO],
        unit_work=[0.0, 0.0],
        alpha=2,
        beta=1,
        resource=[[1, 0], [1, 0], [0, 1]],
        slots=[1, 1, 1],
        cost=[1 * MICRO, 8 * MICRO, 1 * MICRO],
        ability=np.zeros((3, 2)),
    )
    figures = claim.measured(market, BEST)
    assert (figures["pairs"], figures["costs above the bid"]) == (3, 0)
    assert figures["ask above bid"] == pytest.approx(1 / 3)
    assert (figures["winners with such a pair"], figures["bundles with such a pair"]) == (0.5, 1)
    assert figures["paid above unit bids"] == pytest.approx(3 / 13)  # 8 for 5, of 3 + 8 and 2
    for label in (claim.REFUSED, claim.AGAIN):
        assert figures[f"winners left, {label}"] == 0.5
        assert figures[f"welfare left, {label}"] == pytest.approx(2 / 3)  # 3 - 1 of 10 - 9 + 3 - 1


@pytest.mark.parametrize("order", claim.ORDERS)
@given(st.from_type(Market))
def test_repeated_auctions_are_feasible_and_keep_their_reading(order, market):
    options = claim.ORDERS[order]
    units = claim.repeated(market, options, claim.matched)
    bundles = claim.repeated(market, options, claim.everything)
    assert not check(market, units, "bundle") and not check(market, bundles, "bundle")
    assert not claim.ask_above_bid(market, units).any()
    first = claim.auctioned(market, options)
    assert np.isin(first.task, bundles.task).all()


@pytest.mark.parametrize("above, dearer, verdict", [(0.0, 0, "upheld"), (0.02, 0, "qualified"), (0.2, 0, "refuted")])
def test_the_criterion_judges_by_the_share_of_pairs(above, dearer, verdict):
    row = dict.fromkeys(claim.measured(EMPTY, BEST), 1.0) | {"ask above bid": above, "costs above the bid": dearer}
    trades = pd.DataFrame(
        [{"family": "x", "seed": s, "order": order} | row for s in range(5) for order in claim.ORDERS]
    )
    assert claim.check({"trades": trades}).verdict == verdict
    assert claim.check({"trades": trades.assign(**{"costs above the bid": 1})}).verdict == "refuted"


EMPTY = Market(
    demand=np.zeros((0, 1)),
    value=[],
    unit_work=[1.0],
    alpha=2,
    beta=1,
    resource=np.zeros((0, 1)),
    slots=[],
    cost=[],
    ability=np.zeros((0, 1)),
)
