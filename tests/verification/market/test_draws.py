"""Chances are exact, draws are no party's, lots follow the weights."""

from collections import Counter
from fractions import Fraction
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.market import draws
from verification.market.draws import drawn, lots, uniform


def digest_of(number: int) -> str:
    return sha256(f"{number}".encode()).hexdigest()


def test_a_draw_is_a_hash_of_its_stated_encoding():
    secret, signed = digest_of(1), digest_of(2)
    raw = f'["audit","{secret}","{signed}",0,0]'.encode()
    assert uniform("audit", secret, signed, 0, 5) == int(sha256(raw).hexdigest(), 16) % 5


def test_a_hash_beyond_the_largest_multiple_is_passed_over(monkeypatch):
    hashes = iter([2**256 - 1, 2**256 - 2, 14])  # 2^256 - 1 is a multiple of 5: from there on nothing is left over
    monkeypatch.setattr(
        draws, "sha256", lambda raw: type("H", (), {"digest": lambda self: next(hashes).to_bytes(32)})()
    )
    assert 2**256 % 5 == 1
    assert uniform("audit", "", "", 0, 5) == (2**256 - 2) % 5
    assert uniform("audit", "", "", 0, 5) == 4


@pytest.mark.parametrize("p", [Fraction(0), Fraction(1, 5), Fraction(2, 3), Fraction(1)])
def test_the_share_that_is_drawn_is_p(p):
    trials = 4_000
    found = sum(drawn(digest_of(number), digest_of(0), p) for number in range(trials))
    assert abs(found - trials * p) <= 4.5 * (trials * p * (1 - p)) ** 0.5


@given(st.lists(st.integers(1, 2**70), min_size=1, max_size=8), st.integers(0, 10**6), st.integers(0, 10))
def test_lots_draw_owners_of_the_list_none_twice(weights, number, many):
    owners = [f"owner {index}" for index in range(len(weights))]
    found = lots(digest_of(number), digest_of(1), list(zip(owners, weights, strict=True)), many)
    assert len(found) == len(set(found)) == min(many, len(owners)) and set(found) <= set(owners)
    assert found[:-1] == lots(digest_of(number), digest_of(1), list(zip(owners, weights, strict=True)), many)[:-1]


def test_lots_follow_the_weights_and_then_those_that_are_left():
    weights, trials = [("a", 1), ("b", 2), ("c", 5)], 4_000
    found = Counter(tuple(lots(digest_of(number), digest_of(3), weights, 2)) for number in range(trials))
    for (first, second), share in {
        ("a", "b"): Fraction(1, 8) * Fraction(2, 7),
        ("c", "a"): Fraction(5, 8) * Fraction(1, 3),
        ("b", "c"): Fraction(2, 8) * Fraction(5, 6),
    }.items():
        assert abs(found[first, second] - trials * share) <= 4.5 * (trials * share * (1 - share)) ** 0.5
