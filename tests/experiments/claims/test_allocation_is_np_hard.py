"""Witnesses answer as their problems do; the criterion judges as it reads."""

import numpy as np
import pandas as pd
import pytest

from auction import solve
from experiments.claims import allocation_is_np_hard as claim


@pytest.mark.parametrize("numbers, answer", [([3, 1, 1, 2, 2, 1], True), ([2, 2, 3], False), ([1, 1, 1], False)])
def test_partition_and_its_market_agree(numbers, answer):
    assert claim.partitions(numbers) is answer
    outcome = solve(claim.partition_market(numbers), "brute_force")
    assert (outcome.welfare == 2_000_000) is answer


def test_triples_are_found_only_where_they_are():
    assert claim.triples([30, 30, 40, 26, 35, 39], 100)
    assert not claim.triples([30, 30, 40, 27, 35, 38, 33, 33, 35][:6], 101)


def results(power=1.0, noise=0.0, agrees=True, wrong=None, proven=True):
    """Six instances, ten markets under ``whole``, and a flow whose time is a power of the tasks."""
    answers = np.array([True, True, True, False, False, False])
    found = answers ^ (np.arange(6) == wrong)
    tasks = np.array([100, 100, 1000, 1000, 10_000, 10_000])
    jitter = np.exp(noise * np.array([1, -1, 1, -1, 1, -1]))
    return {
        "reductions": pd.DataFrame({"answer": answers, "all tasks win": found, "proven": [True] * 5 + [proven]}),
        "whole": pd.DataFrame({"flow": range(10), "integer programme": [*range(9), 9 if agrees else 8]}),
        "flow": pd.DataFrame({"tasks": tasks, "seconds": 1e-6 * tasks**power * jitter}),
    }


@pytest.mark.parametrize(
    "how, verdict",
    [
        ({}, "qualified"),
        ({"power": 1.999}, "qualified"),
        ({"power": 2.001}, "upheld"),
        ({"power": 1.9, "noise": 0.05}, "qualified"),
        ({"power": 1.9, "noise": 1.0}, "upheld"),  # the interval reaches 2
        ({"agrees": False}, "upheld"),
        ({"wrong": 0}, "refuted"),
        ({"wrong": 5}, "refuted"),
        ({"proven": False}, "refuted"),
    ],
)
def test_the_criterion_judges_as_it_reads(how, verdict):
    assert claim.check(results(**how)).verdict == verdict


def test_the_figure_counts_instances_and_the_explanation_fits_the_flow():
    verdict = claim.check(results(1.25, wrong=2))
    assert verdict.figure == "5 of 6 instances of PARTITION and 3-PARTITION decided"
    assert "exponent 1.25 (1.25 to 1.25)" in verdict.explanation
