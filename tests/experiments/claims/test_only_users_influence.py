"""The criterion judges providers in the whitepaper's own order, each by the best of its offers."""

import numpy as np
import pandas as pd
import pytest

from auction import Market
from experiments.claims import only_users_influence as claim
from experiments.claims.only_users_influence import BACKFILL, CLEARING, CORRECTED, OFFERS, POSTED


def results(gaining, of=20, elsewhere=0, offer=OFFERS[0]):
    """So many of the providers gain, by one offer; under the other rules a share of 20, by every offer."""
    rows = [
        (CORRECTED.label, "x", provider % 2, provider, each, 0.5 if provider < gaining and each == offer else -0.5)
        for provider in range(of)
        for each in OFFERS
    ]
    rows += [
        (rule.label, "x", 0, provider, each, 0.5 if provider < elsewhere else -0.5)
        for rule in (BACKFILL, CLEARING, POSTED)
        for provider in range(20)
        for each in OFFERS
    ]
    users = [
        (rule, kind, float(n < count))
        for rule, counts in ((CORRECTED.label, (1, 2, 3)), (POSTED.label, (9, 9, 9)))
        for kind, count in zip(("value", "demand", "split"), counts, strict=True)
        for n in range(10)
    ]
    return {
        "providers": pd.DataFrame(rows, columns=["rule", "family", "seed", "provider", "offer", "gain"]),
        "users": pd.DataFrame(users, columns=["rule", "misreport", "regret"]),
    }


@pytest.mark.parametrize("elsewhere", [0, 20])
@pytest.mark.parametrize(
    "gaining, of, verdict",
    [
        (0, 20, "upheld"),
        (1, 20, "qualified"),  # one in twenty, whose interval begins at 0
        (2, 20, "qualified"),
        (4, 20, "refuted"),
        (9, 200, "qualified"),  # an interval above 0, but fewer than one in twenty
        (10, 200, "refuted"),
    ],
)
def test_the_criterion_judges_providers_in_the_whitepaper_s_order(gaining, of, verdict, elsewhere):
    assert claim.check(results(gaining, of, elsewhere)).verdict == verdict


@pytest.mark.parametrize("offer", OFFERS)
def test_any_offer_counts_and_one_that_neither_gains_nor_loses_does_not(offer):
    found = results(4, offer=offer)
    assert claim.check(found).verdict == "refuted"
    providers = found["providers"]
    found["providers"] = providers.assign(gain=np.where(providers["gain"] > 0, 0.0, providers["gain"]))
    assert claim.check(found).verdict == "upheld"


def test_the_figure_is_the_share_of_providers_with_its_interval():
    verdict = claim.check(results(2, elsewhere=5))
    assert verdict.figure == "10% (0% to 24%) of providers gain by what they offer"
    assert "in order of cost per unit 25% gain." in verdict.explanation
    assert "10% gain by another value, 20% by inflated demand and 30% by false names." in verdict.explanation


def test_offers_show_less_than_a_provider_has():
    market = Market(
        demand=[[1, 1]],
        value=[9],
        unit_work=[1.0, 3.0],
        alpha=2,
        beta=1,
        resource=[[5, 2], [7, 1]],
        slots=[1, 1],
        cost=[1, 1],
        ability=[[0.5, 0.5], [0.25, 0.75]],
    )
    half, best, slow = (claim.offered(market, 0, offer) for offer in OFFERS)
    assert half.resource.tolist() == [[2, 1], [7, 1]] and best.resource.tolist() == [[0, 2], [7, 1]]
    assert slow.ability.tolist() == [[0.0, 0.0], [0.25, 0.75]] and slow.resource.tolist() == market.resource.tolist()
