"""The criterion judges one lease at its margin first, then what the print leaves open; a seed fixes results."""

import pandas as pd
import pytest

from experiments.claims import slashing_deters_cheating as claim
from experiments.claims.slashing_deters_cheating import coalitions
from experiments.claims.slashing_deters_cheating.deterrence import MARKET, RULES
from experiments.claims.slashing_deters_cheating.runs import LOT, MARGIN, RECKONED, UNRECKONED, VOLUNTEERS

FEW, MANY = claim.MANY_OPEN
LEAGUE, BOND = float(MARKET.coalition_share), float(MARKET.bond_prices)


def results(
    one=(0.01, 0.01),
    few=0.0,
    many=0.0,
    returned=0.0,
    friends=0.0,
    reward=0.0,
    volunteers=0.0,
    griefs=0.0,
    elsewhere=0.0,
):
    """Two seeds a setting: shares that cheat or grief where they count, ``elsewhere`` in the other settings."""
    leases = {(FEW, RULES[0]): few, (MANY, RULES[0]): many, (FEW, RULES[2]): 0.0, (MANY, RULES[2]): returned}
    auditors = {VOLUNTEERS: volunteers, LOT: elsewhere}
    puppets = {(1.0, 1.0): reward, (1.0, 0.5): elsewhere, (0.5, 1.0): elsewhere, (0.5, 0.5): elsewhere}
    league = {(UNRECKONED, LEAGUE): friends}
    made = {
        "one_lease": [
            {"p": p, "ratio": ratio, "cheat": share, "cheat, own experience": elsewhere}
            for p, safe in zip((0.05, 0.2), one, strict=True)
            for ratio, share in ((0.8, 0.9), (0.95, 0.7), (1.05, elsewhere), (float(MARGIN), safe), (2.0, 0.0))
        ],
        "open_leases": [
            {"W": W, "rule": rule, "cheat": leases.get((W, rule), elsewhere)}
            for W in (1, 4, FEW, MANY)
            for rule in RULES
        ],
        "friends": [
            {"reckoned": reckoned, "q": q, "cheat": league.get((reckoned, q), elsewhere)}
            for reckoned in (RECKONED, UNRECKONED)
            for q in (0.0, LEAGUE, 0.3)
        ],
        "puppets": [{"share": share, "first": first, "cheat": cheat} for (share, first), cheat in puppets.items()],
        "auditors": [{"setting": setting, "cheat": share} for setting, share in auditors.items()],
        "griefing": [{"bond": bond, "griefs": share} for bond, share in ((0.0, griefs), (0.5, 0.9), (BOND, elsewhere))],
    }
    tables = {
        name: pd.DataFrame([row | {"seed": seed} for row in rows for seed in (0, 1)]) for name, rows in made.items()
    }
    gains = {"gain": -0.25, "gain, low": -0.3, "gain, high": -0.2, "gain, closed form": -0.24, "escaped": 0.838}
    others = [(coalitions.BOTH, 0.0), (coalitions.BUSY, LEAGUE), (coalitions.VERIFIER, LEAGUE)]
    rows = [{"coalition": coalitions.BOTH, "part": LEAGUE} | gains]
    rows += [{"coalition": name, "part": part} | dict.fromkeys(gains, 9.0) for name, part in others]
    return tables | {"coalitions": pd.DataFrame(rows)}


@pytest.mark.parametrize("elsewhere", [0.0, 1.0])
@pytest.mark.parametrize(
    "how, verdict",
    [
        ({}, "upheld"),
        ({"one": (0.049, 0.0), "few": 0.049, "many": 0.049, "friends": 0.049, "griefs": 0.049}, "upheld"),
        ({"few": 0.05}, "qualified"),
        ({"many": 0.05}, "qualified"),
        ({"returned": 0.05}, "qualified"),
        ({"friends": 0.05}, "qualified"),
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
    one = found["one_lease"]
    found["one_lease"] = one.assign(cheat=one["cheat"].where(one["seed"] == 0, one["cheat"] + 0.07))
    assert claim.check(found).verdict == "upheld"  # 1 % and 8 %


def test_the_figure_is_the_worst_on_either_side_of_the_closed_form():
    verdict = claim.check(results((0.01, 0.03), few=0.6, griefs=0.25, volunteers=0.02, elsewhere=0.1))
    assert verdict.figure == (
        "at most 3.0% cheat where p ((1 - q)(1 + S) - q κ) is a fifth above κ, at least 70% where it is below"
    )
    assert "same margin: 60% cheat with 12 open leases on one stake, 25% challenge without cause where" in (
        verdict.explanation
    )
    assert "bonds of 4 prices) at most 10.0% do either" in verdict.explanation
    assert "gains -0.250 prices a cheat (-0.300 to -0.200; closed form -0.240), and 83.8% escape" in verdict.explanation
    assert verdict.explanation.endswith("Auditors who live on catches leave 2.0% of the leases cheated on, never none.")
    assert "open is safe with the same margin." in claim.check(results()).explanation


def test_the_same_seed_gives_the_same_results(tiny):
    first, second = tiny("slashing_deters_cheating"), claim.run("tiny")
    for name in first:
        pd.testing.assert_frame_equal(first[name], second[name])


def test_every_challenger_of_a_delay_puts_up_a_bond(tiny):
    delay = tiny("slashing_deters_cheating")["delay"]
    assert delay["bonds"].tolist() == [BOND * k for k in delay["k"]] and (delay["minutes"] > 0).all()
