"""The closed forms against sums over every outcome, and the figures that the rules rest on."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.economics import deterrence as forms

HALF, FIFTH, EIGHTH = Fraction(1, 2), Fraction(1, 5), Fraction(1, 8)
shares = st.fractions(0, 1, max_denominator=40)
part = st.fractions(0, Fraction(1, 3), max_denominator=40)
chances = st.fractions(Fraction(1, 40), 1, max_denominator=40)
stakes = st.integers(0, 40)


def outcomes(p, q):
    """(chance, audited, by a friend): every way an audit goes."""
    yield 1 - p, False, False
    yield p * (1 - q), True, False
    yield p * q, True, True


def account(p, q, sigma, share, kappa, spared, wrong):
    """The coalition's mean, entry by entry: price, stake, what its own challenger gets back, audit's pay, work."""
    total = Fraction(0)
    for chance, audited, friend in outcomes(p, q):
        entries = [Fraction(1)] if not (wrong and audited and not friend) else [Fraction(-sigma), sigma * share]
        if not wrong:
            entries.append(-kappa)
        if audited and friend:
            entries += [Fraction(11, 10)] if wrong else [Fraction(11, 10), -spared]
        total += chance * sum(entries)
    return total


@given(p=chances, q=shares, sigma=stakes, share=shares, kappa=shares, spared=shares)
def test_the_gain_is_the_difference_of_two_accounts(p, q, sigma, share, kappa, spared):
    given_ = (p, q, sigma, share, kappa, spared)
    assert forms.gain(*given_) == account(*given_, wrong=True) - account(*given_, wrong=False)
    assert forms.deters(*given_) == (forms.gain(*given_) < 0)


def test_the_default_rules_deter_with_a_margin():
    found = forms.least_audit_probability(FIFTH, 8, EIGHTH)
    assert found == Fraction(5, 31) and f"{float(found):.3f}" == "0.161"
    assert forms.deters(FIFTH, FIFTH, 8, EIGHTH) and not forms.deters(found, FIFTH, 8, EIGHTH)
    assert forms.largest_coalition(FIFTH, 8, EIGHTH) == Fraction(1, 3)
    assert forms.answering(FIFTH, HALF) == Fraction(1, 3)  # so half of the strangers may be absent


def test_rules_that_deter_who_is_alone_may_not_deter_who_has_a_friend():
    gains = [forms.gain(Fraction(1, 20), q, 16, Fraction(1, 4), Fraction(3, 5)) for q in (Fraction(0), FIFTH)]
    assert gains == [Fraction(3, 5) - Fraction(13, 20), Fraction(3, 5) + Fraction(3, 500) - Fraction(13, 25)]


@given(p=chances, q=part, sigma=st.integers(3, 40), share=st.fractions(0, HALF, max_denominator=20), kappa=shares)
def test_thresholds_are_where_the_gain_is_nothing(p, q, sigma, share, kappa):
    least = forms.least_audit_probability(q, sigma, share, kappa)
    assert forms.gain(least, q, sigma, share, kappa) == 0
    largest = forms.largest_coalition(p, sigma, share, kappa)
    assert forms.gain(p, largest, sigma, share, kappa) == 0
    assert forms.deters(p, q, sigma, share, kappa) == (p > least) == (q < largest)


@given(p=chances, q=shares, sigma=stakes, share=shares, kappa=shares)
def test_what_deters_at_kappa_one_deters_every_device(p, q, sigma, share, kappa):
    if forms.deters(p, q, sigma, share):
        assert forms.deters(p, q, sigma, share, kappa)


def test_nothing_deters_a_coalition_that_audits_itself():
    assert not forms.deters(Fraction(1), Fraction(1), 1000, Fraction(0))
    with pytest.raises(ValueError, match="q: 1 of the lot"):
        forms.least_audit_probability(Fraction(1), 1000, Fraction(0))


@given(q=st.fractions(Fraction(1, 40), 1, max_denominator=40), absent=st.fractions(0, 1, max_denominator=40))
def test_who_answers_is_drawn_by_its_weight_among_those_who_do(q, absent):
    there = 1 - (1 - q) * absent
    assert forms.answering(q, absent) == q / there
    assert forms.answering(q, Fraction(0)) == q and forms.answering(q, Fraction(1)) == 1


def in_turn(weights, present):
    """Chance of each owner to be the first present one when lots are drawn by weight, none twice: every order."""

    def draw(left, chance):
        for owner in left:
            own = chance * weights[owner] / sum(weights[other] for other in left)
            if owner in present:
                yield owner, own
            else:
                yield from draw([other for other in left if other != owner], own)

    found = dict.fromkeys(present, Fraction(0))
    for owner, chance in draw(list(range(len(weights))), Fraction(1)):
        found[owner] += chance
    return found


def test_lots_that_are_passed_over_leave_the_others_their_weights():
    weights = [Fraction(3), Fraction(1), Fraction(5), Fraction(2), Fraction(9)]
    for there in product((False, True), repeat=4):
        present = [0] + [owner for owner, answers in enumerate(there, 1) if answers]
        q = weights[0] / sum(weights)
        absent = 1 - sum(weights[owner] for owner in present[1:]) / sum(weights[1:])
        assert in_turn(weights, present)[0] == forms.answering(q, absent)


@pytest.mark.parametrize("leases", [1, 2, 5])
@pytest.mark.parametrize("q", [Fraction(0), FIFTH])
def test_one_stake_behind_many_leases_is_summed_over_every_set_of_audits(leases, q):
    p, stake, share, kappa = Fraction(3, 10), 12, EIGHTH, Fraction(3, 5)
    total = Fraction(0)
    for audits in product(list(outcomes(p, q)), repeat=leases):
        chance = Fraction(1)
        for own, _, _ in audits:
            chance *= own
        caught = sum(audited and not friend for _, audited, friend in audits)
        friends = sum(friend for _, _, friend in audits)
        total += chance * ((leases + friends) * kappa - caught - (stake * (1 - share) if caught else 0))
    assert forms.gain_on_one_stake(p, q, stake, share, leases, kappa) == total


def test_one_stake_deters_ever_less_the_more_leases_it_is_behind():
    given_ = (FIFTH, 8, EIGHTH)
    found = [forms.least_audit_probability_on_one_stake(*given_, leases) for leases in range(1, 8)]
    assert found == sorted(found) and found[0] - forms.least_audit_probability(*given_) < Fraction(1, 2**29)
    for leases, p in enumerate(found, 1):
        assert forms.gain_on_one_stake(p, *given_, leases) < 0
        assert forms.gain_on_one_stake(p - Fraction(1, 2**29), *given_, leases) > 0
    assert forms.gain_on_one_stake(FIFTH, *given_, 3) < 0 < forms.gain_on_one_stake(FIFTH, *given_, 4)
    with pytest.raises(ValueError, match="do not deter"):
        forms.least_audit_probability_on_one_stake(FIFTH, 8, EIGHTH, 1000)


def test_false_accusations_end_honest_work_where_they_cost_what_it_brings():
    f = forms.largest_false_rate(FIFTH, 8, Fraction(3, 5))
    assert f == Fraction(2, 9) and 1 - Fraction(3, 5) - FIFTH * f * 9 == 0
