"""The criterion judges whether any run of an arithmetic differs in any node."""

import pandas as pd
import pytest

from experiments.claims import randomness_fixed_is_deterministic as claim


def results(floats=(0, 0), integers=(0, 0), tokens=0):
    rows = [
        {
            "arithmetic": arithmetic,
            "nodes": 9,
            "nodes that differ": differ,
            "tokens that differ": tokens * (arithmetic == "float32" and differ > 0),
        }
        for arithmetic, runs in (("float32", floats), ("exact", integers))
        for differ in runs
    ]
    return {"runs": pd.DataFrame(rows, columns=["arithmetic", "nodes", "nodes that differ", "tokens that differ"])}


@pytest.mark.parametrize(
    "floats, integers, verdict",
    [
        ((0, 0), (0, 0), "upheld"),
        ((0, 1), (0, 0), "qualified"),
        ((9, 9), (0, 0), "qualified"),
        ((0, 0), (1, 0), "refuted"),
        ((1, 1), (0, 1), "refuted"),
    ],
)
def test_the_criterion_judges_as_it_reads(floats, integers, verdict):
    assert claim.check(results(floats, integers)).verdict == verdict


def test_the_figure_counts_runs_not_nodes():
    verdict = claim.check(results((0, 5, 7), (0, 0, 3), tokens=2))
    assert verdict.figure == "2 of 3 runs differ in float32, 1 in integers"
    assert "Of the float32 runs that differ, 2 chose another token." in verdict.explanation


def test_without_a_stack_nothing_is_decided():
    verdict = claim.check(results((), ()))
    assert verdict.verdict == "qualified" and verdict.explanation.startswith("Undecided")
