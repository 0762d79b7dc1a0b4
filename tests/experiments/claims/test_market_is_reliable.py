"""Markets and data centres are compared pair by pair; what is lost by churn is held against nobody ever leaving."""

import pandas as pd
import pytest

from experiments.claims import market_is_reliable as claim

COLUMNS = ["seed", "where", "down", "served", "waited", "99 % within"]


def results(market, centre, always=0.99):
    """Shares served, a little more at one seed than at another."""
    rows = [(seed, claim.ALWAYS, 0.0, always, 0.5, 1.0) for seed in range(4)]
    for seed in range(4):
        for down in (0.1, 0.2):
            rows.append((seed, claim.MARKET, down, market + seed / 1000, 0.5, 1.0))
            rows.append((seed, claim.CENTRE, down, centre, 0.5, 4.0))
    return {"markets": pd.DataFrame(rows, columns=COLUMNS)}


@pytest.mark.parametrize(
    ("market", "centre", "verdict"),
    [(0.985, 0.9, "upheld"), (0.985, 0.9875, "qualified"), (0.985, 0.99, "qualified"), (0.9, 0.8, "refuted")],
)
def test_both_comparisons_decide(market, centre, verdict):
    found = claim.check(results(market, centre))
    assert found.verdict == verdict
    assert found.figure.startswith(f"{market + 0.0015 - centre:+.1%} (")
    assert "away 20% of the time" in found.explanation and "never down 99.0%" in found.explanation
    assert "within 1.0 and 4.0 rounds" in found.explanation


def test_by_the_words_before_each_rate_counts_by_itself():
    found = results(0.985, 0.9)
    assert claim.at_each_rate(found) == "upheld"
    seldom = (found["markets"]["where"] == claim.CENTRE) & (found["markets"]["down"] == 0.1)
    found["markets"].loc[seldom, "served"] = 0.9865
    assert claim.check(found).verdict == "upheld" and claim.at_each_rate(found) == "qualified"
    assert claim.at_each_rate(results(0.9, 0.8)) == "refuted"


def test_a_data_centre_is_down_as_much_of_the_time_as_a_device(tiny):
    markets = tiny("market_is_reliable")["markets"]
    by = markets.groupby("where")["down"].unique()
    assert sorted(by[claim.MARKET]) == sorted(by[claim.CENTRE]) and len(by[claim.MARKET]) == len(claim.UPTIMES)
    late = markets.groupby("where")["waited"].mean()
    assert late[claim.CENTRE] > late[claim.ALWAYS], "an outage is felt"
