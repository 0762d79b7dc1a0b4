"""The criterion judges the prices as printed, then the corrected ones, on markets with trades."""

import pandas as pd
import pytest

from experiments.claims import prices_are_fair_enough as claim
from experiments.claims.prices_are_fair_enough import BACKFILL, CLEARING, CORRECTED, POSTED, PRINTED


def markets(rule, share, losing=0, providers_losing=0, count=20, **changed):
    """Markets of welfare 100 in which users keep a share of it; in so many of them one of two winners loses."""
    return [
        {
            "rule": rule.label,
            "welfare": 100,
            "user_surplus": 100 * (share[market % len(share)] if isinstance(share, tuple) else share),
            "users_losing": int(market < losing),
            "providers_losing": int(market < providers_losing),
            "winners": 2,
            "worst_loss_share": 0.25 * (market < losing),
        }
        | changed
        for market in range(count)
    ]


FAIR = markets(BACKFILL, 0.5)


def judged(*parts):
    return claim.check({"settlements": pd.DataFrame([row for part in parts for row in part])})


@pytest.mark.parametrize(
    "printed, corrected, verdict",
    [
        (markets(PRINTED, 0.25), FAIR, "upheld"),
        (markets(PRINTED, 0.75), FAIR, "upheld"),
        (markets(PRINTED, 0.24), FAIR, "qualified"),
        (markets(PRINTED, 0.76), FAIR, "qualified"),
        (markets(PRINTED, (0.1, 0.5)), FAIR, "qualified"),  # a mean of 30 % whose interval begins below 25 %
        (markets(PRINTED, (0.5, 0.9)), FAIR, "qualified"),
        (markets(PRINTED, 0.5, losing=1), FAIR, "qualified"),
        (markets(PRINTED, 0.5, providers_losing=1), FAIR, "qualified"),
        (markets(PRINTED, 0.5, losing=20), FAIR, "qualified"),
        (markets(PRINTED, 0.5, losing=2), markets(BACKFILL, 0.1), "qualified"),
        (markets(PRINTED, 0.5, losing=3), markets(BACKFILL, 0.25), "qualified"),
        (markets(PRINTED, 0.5, losing=3), markets(BACKFILL, 0.75), "qualified"),
        (markets(PRINTED, 0.5, losing=3), markets(BACKFILL, 0.24), "refuted"),
        (markets(PRINTED, 0.5, losing=3), markets(BACKFILL, 0.76), "refuted"),
        (markets(PRINTED, 0.5, losing=3), markets(BACKFILL, 0.5, losing=1), "refuted"),
        (markets(PRINTED, 0.5, losing=3), markets(BACKFILL, 0.5, providers_losing=1), "refuted"),
    ],
)
def test_the_criterion_judges_as_it_reads(printed, corrected, verdict):
    beside = [markets(rule, 0.5, losing=20) for rule in (CORRECTED, CLEARING, POSTED)]
    without = [markets(rule, 0.0, losing=20, welfare=0) for rule in (PRINTED, BACKFILL)]
    assert judged(printed, corrected).verdict == verdict
    assert judged(printed, corrected, *beside, *without).verdict == verdict


def test_the_figure_is_the_share_of_markets_in_which_users_lose():
    verdict = judged(markets(PRINTED, 0.6, losing=2), markets(BACKFILL, 0.4))
    assert verdict.figure == "as printed users lose in 10% (1% to 32%) of the markets"
    assert verdict.explanation.startswith("5.0% of the winners pay more than their bid, at worst 25% of it on top;")
    assert "users keep 60% (60% to 60%) of the gains" in verdict.explanation
    assert verdict.explanation.endswith("nobody loses and users keep 40%.")
