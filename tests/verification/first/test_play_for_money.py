"""What playing for money comes to, beside amounts worked out by hand under two sets of rules."""

from fractions import Fraction

import pytest

from verification.first.adversaries.play_for_money import ADVERSARIES
from verification.first.rules import Rules

EVEN = Rules(audit=Fraction(0))  # stake 4,000,000 in 1/4, 1/4, 1/2; bond 400,000 in halves
ODD = Rules(
    audit=Fraction(0),
    stake=1_003,  # 334.33 to the challenger, 200.6 to the fund: 334, 200 and 469 burnt
    bond=11,  # 2.75 to the asserter: 2 and 9 burnt
    challenger_share=Fraction(1, 3),
    verifier_share=Fraction(1, 5),
    asserter_share=Fraction(1, 4),
)
PRICE = 1_000_000

EXPECTED = {
    "wrong-challenger": (
        {"adversary": -400_000, "provider": PRICE + 200_000, "burnt": 200_000},
        {"adversary": -11, "provider": PRICE + 2, "burnt": 9},
    ),
    "repeating-challenger": (
        {"delay": 49, "refused": 1, "adversary": -2_000_000, "provider": PRICE + 1_000_000, "burnt": 1_000_000},
        {"delay": 49, "refused": 1, "adversary": -55, "provider": PRICE + 10, "burnt": 45},
    ),
    "thrown-dispute": (
        {"adversary": -4_200_000, "honest": 1_000_000, "user": 0, "fund": 1_000_000, "burnt": 2_200_000},
        {"adversary": -1_003 - 9, "honest": 334, "user": 0, "fund": 200, "burnt": 469 + 9},
    ),
    "puppet-wins": (
        {
            "adversary": -3_000_000,
            "honest": 0,
            "with_fund": -2_000_000,
            "unburnt": -1_000_000,
            "all_to_challenger": 0,
        },
        # unburnt: 4/5 of 1,003 is 802.4, what is left to the fund 200, and one unit that rounding burns
        {"adversary": -669, "honest": 0, "with_fund": -469, "unburnt": -201, "all_to_challenger": 0},
    ),
    "fifty-tasks": (
        {
            "per_task": -200_000_000,
            "proven_only": -4_000_000,
            "one_stake": -4_000_000,
            "uncaught": 50 * PRICE,
            "handed_back": 50,
        },
        {"per_task": -50_150, "proven_only": -1_003, "one_stake": -1_000, "uncaught": 50 * PRICE, "handed_back": 50},
    ),
    "bought-verdict": (
        {
            "adversary": 2_000_000,
            "provider": -4_000_000,
            "user": 0,
            "burnt": 2_000_000,
            "exposed": 1,
            "exposed_true": 0,
        },
        {"adversary": 534, "provider": -1_003, "user": 0, "burnt": 469, "exposed": 1, "exposed_true": 0},
    ),
    "bought-acquittal": (
        {"adversary": PRICE + 200_000, "honest": -400_000, "user": -PRICE, "burnt": 200_000},
        {"adversary": PRICE + 2, "honest": -11, "user": -PRICE, "burnt": 9},
    ),
}


@pytest.mark.parametrize("name", ADVERSARIES)
@pytest.mark.parametrize("rules, column", [(EVEN, 0), (ODD, 1)], ids=["even", "odd"])
def test_the_outcome_is_the_one_worked_out(name, rules, column):
    assert ADVERSARIES[name](rules) == EXPECTED[name][column]
