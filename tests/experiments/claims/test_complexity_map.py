"""Witnesses of decision problems answer both ways; the criterion judges as it reads."""

import pandas as pd
import pytest

from experiments.claims import complexity_map as claim


@pytest.mark.parametrize("witness", [claim._partition, claim._three_partition])
def test_witnesses_of_decision_problems_answer_both_ways(witness):
    answers = {witness(seed) for seed in range(12)}
    assert answers == {(True, True), (False, False)}


@pytest.mark.parametrize("witness", [region[-1] for region in claim.REGIONS])
def test_witnesses_agree_with_their_arguments(witness):
    for seed in range(2):
        expected, found = witness(seed)
        assert expected == found


WEAK, STRONG = claim.HARD


@pytest.mark.parametrize(
    "regions, verdict",
    [
        ((WEAK, STRONG), "upheld"),
        ((STRONG, STRONG), "upheld"),
        ((WEAK, "polynomial"), "qualified"),
        ((STRONG, "polynomial"), "qualified"),
        (("polynomial", "polynomial"), "refuted"),
    ],
)
def test_the_criterion_judges_as_it_reads(regions, verdict):
    rows = [(region, str(n), str(seed), str(seed)) for n, region in enumerate(regions) for seed in range(3)]
    witnesses = pd.DataFrame(rows, columns=["complexity", "argument", "expected", "found"])
    found = claim.check({"witnesses": witnesses})
    assert found.verdict == verdict and found.figure == "6 of 6 witnesses agree with their argument"
    assert all(
        f"{regions.count(name)} region{'s' * (regions.count(name) > 1)} {name}" in found.explanation for name in regions
    )
    witnesses.loc[5, "found"] = "else"
    found = claim.check({"witnesses": witnesses})
    assert found.verdict == "refuted" and found.figure == "5 of 6 witnesses agree with their argument"
