"""When to stop, and the bound that needs no proof."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction import search
from auction.market import Market
from auction.search import Stop, trivial_bound


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


def test_a_deadline_is_moved_by_what_came_before_solving(clock):
    stop = Stop(5.0)
    clock[0] += 6.0
    assert stop.now
    stop.postpone(6.0)
    assert stop.remaining() == 5.0 and not stop.now and stop.postponed == 6.0
    unlimited = Stop(None)
    unlimited.postpone(1.5)
    assert unlimited.remaining() is None and unlimited.postponed == 1.5


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
