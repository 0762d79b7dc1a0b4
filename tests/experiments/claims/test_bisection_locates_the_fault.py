"""The criterion judges every dispute: who loses first, then the limits, each at its edge."""

import pandas as pd
import pytest

from experiments.claims import bisection_locates_the_fault as claim

GOOD = {
    "nodes": 9,
    "fault": "flipped-bit",
    "cheat loses": True,
    "honest asserter wins": True,
    "leftmost": True,
    "rounds": 5,
    "rounds allowed": 7,
    "kB": 20.0,
    "referee_macs": 1000,
    "by middle nodes": "the cheat loses",
}


def results(**changed):
    """Twenty disputes; what is changed is so in one of them."""
    return {"disputes": pd.DataFrame([GOOD | changed] + [GOOD] * 19)}


@pytest.mark.parametrize(
    "changed, verdict",
    [
        ({}, "upheld"),
        ({"rounds": 7}, "upheld"),
        ({"rounds": 8}, "qualified"),
        ({"kB": 100.0}, "upheld"),
        ({"kB": 100.001}, "qualified"),
        ({"referee_macs": 475_642}, "upheld"),  # a ten-thousandth of 4,756,429,056
        ({"referee_macs": 475_643}, "qualified"),
        ({"leftmost": False}, "qualified"),
        ({"cheat loses": False}, "refuted"),
        ({"honest asserter wins": False}, "refuted"),
        ({"cheat loses": False, "leftmost": False, "rounds": 99}, "refuted"),
        ({"by middle nodes": claim.ESCAPES}, "upheld"),  # a search that is not ours
    ],
)
def test_the_criterion_judges_as_it_reads(changed, verdict):
    assert claim.check(results(**changed)).verdict == verdict


def test_the_figure_is_the_worst_dispute_s():
    verdict = claim.check(
        results(
            leftmost=False,
            rounds=6,
            kB=30.0,
            referee_macs=47_564,
            nodes=1234,
            fault="masked-fault",
            **{"by middle nodes": claim.ESCAPES},
        )
    )
    least = "30 kB and 47,564 multiply-accumulates by the referee"
    assert verdict.figure == f"19 of 20 faults found; at most 6 rounds, {least}"
    assert verdict.explanation.startswith("The longest run has 1,234 nodes; the referee's step is 1.0e-05 of 32")
    assert "in the middle lets 1 of 1 faults masked-fault escape" in verdict.explanation
