"""Every claim runs, is judged and shown; the criteria judge as they read."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from auction import solve
from experiments import claims
from experiments.claims import (
    allocation_is_np_hard,
    complexity_map,
    density_favours_large_models,
    heuristic_is_polynomial,
)


@pytest.fixture(scope="module", params=claims.names())
def claim_and_results(request):
    claim = claims.load(request.param)
    return claim, claim.run("tiny")


def test_a_claim_is_judged_and_shown(claim_and_results):
    claim, results = claim_and_results
    verdict = claim.check(results)
    assert verdict.verdict in ("upheld", "qualified", "refuted")
    assert verdict.figure and verdict.explanation
    assert claim.PART in claims.PARTS and claim.SECTION and claim.STATEMENT and "pheld if" in claim.CRITERION
    figures, tables = claim.figures(results), claim.tables(results)
    assert figures and all(isinstance(figure, Figure) for figure in figures.values())
    assert tables and all(isinstance(table, pd.DataFrame) and len(table) for table in tables.values())


@pytest.mark.parametrize("numbers, answer", [([3, 1, 1, 2, 2, 1], True), ([2, 2, 3], False), ([1, 1, 1], False)])
def test_partition_and_its_market_agree(numbers, answer):
    assert allocation_is_np_hard.partitions(numbers) is answer
    outcome = solve(allocation_is_np_hard.partition_market(numbers), "brute_force")
    assert (outcome.welfare == 2_000_000) is answer


def test_triples_are_found_only_where_they_are():
    assert allocation_is_np_hard.triples([30, 30, 40, 26, 35, 39], 100)
    assert not allocation_is_np_hard.triples([30, 30, 40, 27, 35, 38, 33, 33, 35][:6], 101)


def test_the_density_puts_small_slots_first_on_a_market_made_for_it():
    resource = np.arange(1, 51).reshape(-1, 1)
    front = density_favours_large_models.provider_density(resource, np.full((50, 1), 0.5))
    assert density_favours_large_models.statistics.rank_correlation(resource[:, 0], front) == pytest.approx(-1.0)


@pytest.mark.parametrize("power, verdict", [(1.0, "upheld"), (2.5, "qualified"), (3.5, "refuted")])
def test_the_polynomial_criterion_judges_by_the_exponent(power, verdict):
    size = np.repeat([1000, 3000, 10000, 30000], 3)
    jitter = np.exp(np.random.default_rng(0).normal(0, 0.02, size.size))
    part = pd.DataFrame(
        {"family": "classes", "solver": "x", "tasks": size, "seconds": 1e-7 * size**power * jitter, "proven": True}
    )
    assert heuristic_is_polynomial.check({"auction": part, "exact": part}).verdict == verdict


@pytest.mark.parametrize("witness", [complexity_map._partition, complexity_map._three_partition])
def test_witnesses_of_decision_problems_answer_both_ways(witness):
    answers = {witness(seed) for seed in range(12)}
    assert answers == {(True, True), (False, False)}
