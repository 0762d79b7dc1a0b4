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


def results(above, dearer=(0, 0), printed=0.0, unpaired=0.0):
    """Twenty markets of either order, shares of such pairs and bids that miss the cost; and markets without a pair."""
    row = dict.fromkeys(claim.measured(EMPTY, BEST), 0.5) | {"pairs": 4, "costs above the bid": 0}
    best, other = row | {"order": claim.BEST}, row | {"order": claim.PRINTED, "ask above bid": printed}
    rows = [best | {"ask above bid": share, "family": f"f{seed % 2}"} for seed, share in enumerate(above)]
    rows += [other | {"family": "f0"}] * 20
    rows += [best | {"family": "f0", "ask above bid": unpaired, "pairs": 0}] * 20
    rows[0] = rows[0] | {"costs above the bid": dearer[0]}
    rows[20] = rows[20] | {"costs above the bid": dearer[1]}
    return {"trades": pd.DataFrame(rows)}


def ones(count):
    """Twenty shares; Student's interval of a mean m of ones and zeros is m +- 2.093 sqrt(m (1 - m) / 19)."""
    return [float(market < count) for market in range(20)]


@pytest.mark.parametrize("elsewhere", [0.0, 1.0])
@pytest.mark.parametrize(
    "above, dearer, verdict",
    [
        ([0.0] * 20, (0, 0), "upheld"),
        ([0.0] * 19 + [0.01], (0, 0), "qualified"),
        ([0.049] * 20, (0, 0), "qualified"),
        ([0.051] * 20, (0, 0), "refuted"),
        (ones(4), (0, 0), "qualified"),  # 20 %, whose interval begins at 1 of 20
        (ones(6), (0, 0), "refuted"),  # at 2 of 20
        ([0.0] * 20, (1, 0), "refuted"),
        ([0.0] * 20, (0, 1), "refuted"),  # any winner's, in either order
    ],
)
def test_the_criterion_judges_by_the_share_of_pairs_in_the_best_order(above, dearer, verdict, elsewhere):
    assert claim.check(results(above, dearer, elsewhere, elsewhere)).verdict == verdict


def test_the_figure_is_the_mean_share_with_its_interval():
    verdict = claim.check(results([1.0, 0.0, 1.0] + [0.0] * 17, printed=0.25))
    assert verdict.figure == "10.0% (0.0% to 24.4%) of the executed pairs have a unit ask above the unit bid"
    assert "By family it is 0% (f1) to 20% (f0); in the printed order 25% (25% to 25%)." in verdict.explanation
    assert verdict.explanation.endswith("For the bundle, every bid reaches the total cost.")
    assert claim.check(results([0.0] * 20, (2, 1))).explanation.endswith("For the bundle, 3 bids miss the cost.")


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
