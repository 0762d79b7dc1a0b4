"""The criterion judges one task at a quarter's margin first, then what the print leaves open; a seed fixes results."""

import pandas as pd
import pytest

from experiments.claims import slashing_deters_cheating as claim
from experiments.claims.slashing_deters_cheating import runs
from experiments.claims.slashing_deters_cheating.deterrence import RULES
from experiments.claims.slashing_deters_cheating.runs import VOLUNTEERS

FEW, MANY = claim.MANY_OPEN


def results(one=(0.01, 0.01), few=0.0, many=0.0, reward=0.0, volunteers=0.0, griefs=0.0, elsewhere=0.0):
    """Two seeds a setting: shares that cheat or grief where they count, ``elsewhere`` in the other settings."""
    tasks = {(FEW, RULES[0]): few, (MANY, RULES[0]): many}
    auditors = {VOLUNTEERS: volunteers, "the system audits 2 %": elsewhere}
    puppets = {(0.0, 1.0): reward, (0.0, 0.5): elsewhere, (0.5, 1.0): elsewhere, (0.5, 0.5): elsewhere}
    made = {
        "one_task": [
            {"p": p, "ratio": ratio, "cheat": share, "cheat, own experience": elsewhere}
            for p, safe in zip((0.05, 0.2), one, strict=True)
            for ratio, share in ((0.8, 0.9), (0.95, 0.7), (1.05, elsewhere), (1.25, safe), (2.0, 0.0))
        ],
        "open_tasks": [
            {"W": W, "rule": rule, "cheat": tasks.get((W, rule), elsewhere)}
            for W in (1, 4, FEW, MANY)
            for rule in RULES
        ],
        "puppets": [{"burnt": burnt, "first": first, "cheat": share} for (burnt, first), share in puppets.items()],
        "auditors": [{"setting": setting, "cheat": share} for setting, share in auditors.items()],
        "griefing": [{"bond": bond, "griefs": share} for bond, share in ((0.0, griefs), (0.5, elsewhere))],
    }
    return {
        name: pd.DataFrame([row | {"seed": seed} for row in rows for seed in (0, 1)]) for name, rows in made.items()
    }


@pytest.mark.parametrize("elsewhere", [0.0, 1.0])
@pytest.mark.parametrize(
    "how, verdict",
    [
        ({}, "upheld"),
        ({"one": (0.049, 0.0), "few": 0.049, "many": 0.049, "griefs": 0.049}, "upheld"),
        ({"few": 0.05}, "qualified"),
        ({"many": 0.05}, "qualified"),
        ({"reward": 0.05}, "qualified"),
        ({"volunteers": 0.05}, "qualified"),
        ({"griefs": 0.05}, "qualified"),
        ({"one": (0.05, 0.0)}, "refuted"),
        ({"one": (0.0, 0.05), "griefs": 1.0}, "refuted"),
    ],
)
def test_the_criterion_judges_as_it_reads(how, verdict, elsewhere):
    assert claim.check(results(**how, elsewhere=elsewhere)).verdict == verdict


def test_a_setting_is_judged_by_the_mean_over_its_seeds():
    found = results()
    one = found["one_task"]
    found["one_task"] = one.assign(cheat=one["cheat"].where(one["seed"] == 0, one["cheat"] + 0.07))
    assert claim.check(found).verdict == "upheld"  # 1 % and 8 %


def test_the_figure_is_the_worst_on_either_side_of_the_closed_form():
    verdict = claim.check(results((0.01, 0.03), few=0.6, griefs=0.25, volunteers=0.02, elsewhere=0.1))
    assert verdict.figure == (
        "at most 3.0% cheat where p d (P + S) is a quarter above kappa, at least 70% where it is below"
    )
    assert "same margin: 60% cheat with 12 open tasks on one stake, 25% challenge without cause where" in (
        verdict.explanation
    )
    assert "brings cheating to 10.0% at most" in verdict.explanation
    assert verdict.explanation.endswith("Auditors who live on catches leave 2.0% of the tasks cheated on, never none.")
    assert "open is safe with the same margin." in claim.check(results()).explanation


def test_the_same_seed_gives_the_same_results(tiny):
    first, second = tiny("slashing_deters_cheating"), claim.run("tiny")
    for name in first:
        pd.testing.assert_frame_equal(first[name], second[name])


@pytest.mark.parametrize("ratio, p", [(0.8, 0.05), (1.25, 0.2)])
def test_a_stake_is_the_ratio_s_multiple_of_what_deters(ratio, p):
    assert p * runs.DETECTION * (1 + runs.stake(ratio, p)) == pytest.approx(ratio * runs.COST)
