"""Rules are all there, of their types, and deter; a genesis with others is refused."""

from fractions import Fraction

import pytest

from verification.economics.deterrence import largest_coalition
from verification.market.auditors import PART
from verification.market.rules import Rules, deterrence, read_rules


def test_the_defaults_deter_by_the_closed_form():
    rules = Rules()
    # p ((1 - q)(1 + S) - q) - 1 with S = 8 x 7/8, p = q = 1/5
    assert deterrence(rules) == Fraction(1, 5) * (Fraction(4, 5) * 8 - Fraction(1, 5)) - 1 == Fraction(6, 25)


def test_who_holds_a_fifth_of_all_deposits_is_deterred_by_the_least_list_of_lots():
    rules = Rules()
    largest = largest_coalition(rules.audit, rules.sigma, rules.challenger_share)
    assert rules.coalition_share / PART < largest == Fraction(1, 3)


def test_the_least_p_that_deters_at_the_other_defaults(refused):
    needed = 1 / (Fraction(4, 5) * 8 - Fraction(1, 5))
    assert round(float(needed), 3) == 0.161
    assert refused(Rules, audit=needed, fee=needed * Fraction(11, 10)) == "undeterred"
    more = needed + Fraction(1, 10**9)
    assert deterrence(Rules(audit=more, fee=more * Fraction(11, 10))) > 0


def test_rules_are_read_as_they_are_written():
    rules = Rules(sigma=9, audit=Fraction(1, 4), fee=Fraction(11, 40))
    assert read_rules(rules.plain()) == rules
    assert rules.plain()["audit"] == "1/4"


@pytest.mark.parametrize(
    "reason, changed",
    [
        ("malformed", {"more": 1}),
        ("malformed", {"audit": 0.2}),
        ("malformed", {"audit": "0.2"}),
        ("malformed", {"audit": "2/10"}),
        ("malformed", {"audit": "1/0"}),
        ("malformed", {"audit": " 1/5"}),
        ("bad-rules", {"audit": "6/5"}),
        ("bad-rules", {"audit": "-1/5"}),
        ("bad-rules", {"delta": "60"}),
        ("bad-rules", {"delta": True}),
        ("bad-rules", {"delta": 0}),
        ("bad-rules", {"window": 60.0}),
        ("bad-rules", {"delta": 2**31 + 1}),  # no dispute could begin
        ("bad-rules", {"levels": 5}),
        ("bad-rules", {"message_limit": 88_999}),  # no step could be opened
        ("bad-rules", {"message_limit": 2**24 + 1}),
        ("bad-rules", {"work": 100_000}),
        ("bad-rules", {"undeterred": 1}),
        ("bad-rules", {"largest_price": 2**50}),
        ("bad-rules", {"challenger_share": "4/5"}),
        ("bad-rules", {"fee": "1/5"}),  # the fund would not grow
        ("bad-rules", {"verifier_share": "1/50"}),
        ("bad-rules", {"fee": "1/3"}),
        ("undeterred", {"sigma": 5}),
        ("undeterred", {"asserter_share": "5/8"}),  # the fund would pay deputies
        ("undeterred", {"bond_prices": 3}),
        ("undeterred", {"coalition_share": "1/2"}),
    ],
)
def test_other_rules_are_refused_with_a_reason(refused, reason, changed):
    assert refused(read_rules, Rules().plain() | changed) == reason


def test_rules_have_no_defaults_where_they_are_read(refused):
    plain = Rules().plain()
    del plain["heart"]
    assert refused(read_rules, plain) == "malformed"


def test_rules_that_do_not_deter_have_to_say_so(make_market):
    assert deterrence(Rules(sigma=1, undeterred=True)) < 0
    assert make_market(sigma=1, undeterred=True, owners=0).rules.sigma == 1


def test_a_genesis_endows_the_fund(make_market):
    assert make_market(owners=0).fund == 50 * 1_000_000
