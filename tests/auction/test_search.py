"""When to stop, and bounds that are rounded to the safe side."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction import search
from auction.market import Market
from auction.search import Stop, claimed_bound, trivial_bound


@pytest.fixture
def clock(monkeypatch):
    """Time that passes when told."""
    now = [100.0]
    monkeypatch.setattr(search.time, "perf_counter", lambda: now[0])
    return now


def test_deadline(clock):
    stop = Stop(5.0)
    assert stop.remaining() == 5.0 and not stop.now
    clock[0] += 4.0
    assert stop.remaining() == 1.0 and not stop.now
    clock[0] += 1.0
    assert stop.remaining() == 0.01 and stop.now and not stop.interrupted


def test_no_deadline(clock):
    stop = Stop(None)
    clock[0] += 1e9
    assert stop.remaining() is None and not stop.now


def test_interrupt_cancels_what_is_and_will_be_registered():
    stop, calls = Stop(None), []
    stop.on_interrupt(lambda: calls.append("before"))
    assert calls == [] and not stop.now
    stop.interrupt()
    assert calls == ["before"] and stop.now and stop.interrupted
    stop.on_interrupt(lambda: calls.append("after"))
    assert calls == ["before", "after"]
    stop.wait(1e6)  # returns at once


@given(st.from_type(Market))
def test_trivial_bound_is_the_sum_of_positive_bids(market):
    assert trivial_bound(market) == sum(max(0, b) for b in market.net_bid.tolist())


@given(st.from_type(Market), st.floats(0, 1), st.floats(-(10**9), 10**9))
def test_claims_are_rounded_up_within_the_trivial_bound(market, share, value):
    achieved = int(share * trivial_bound(market))
    claimed = claimed_bound(market, achieved, value)
    assert achieved <= claimed <= trivial_bound(market)
    assert claimed >= min(Fraction(value), trivial_bound(market))
    if achieved < value:
        assert claimed <= Fraction(value) + Fraction(value) / 10**8 + 2


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_no_claim_is_the_trivial_bound(generate, value):
    market = generate("uniform", 4, 4)
    assert claimed_bound(market, 0, value) == trivial_bound(market) > 0
