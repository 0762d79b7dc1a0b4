"""When to stop, and the bound that needs no proof."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba.core.event import trigger_event

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


def test_the_clock_stands_still_while_anything_is_compiled(clock):
    stop = Stop(5.0)
    clock[0] += 1.0
    with trigger_event("numba:compile"):
        inner = Stop(2.0, outer=stop)
        clock[0] += 60.0
        with trigger_event("numba:compile"):  # what a function calls
            clock[0] += 60.0
        assert stop.remaining() == 4.0 and inner.remaining() == 2.0 and not stop.now
    assert stop.remaining() == 4.0 and stop.elapsed == 1.0
    clock[0] += 2.0
    assert inner.now and stop.remaining() == 2.0 and not stop.now


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


def test_reports_are_kept_with_the_seconds_of_solving(clock):
    heard = []
    stop = Stop(60.0, heard.append)
    clock[0] += 2.0
    stop.postpone(1.5)
    stop.report(welfare=3)
    clock[0] += 1.0
    stop.report(welfare=2)
    stop.report(bound=9)
    clock[0] += 1.0
    stop.report(welfare=4, bound=10)
    stop.report()
    assert stop.history == [(0.5, 3, None), (1.5, 3, 9), (2.5, 4, 9)] == heard
    assert stop.elapsed == 2.5


def test_an_inner_stop_reports_to_the_outer_one(clock):
    outer = Stop(None)
    inner = Stop(1.0, outer=Stop(2.0, outer=outer))
    clock[0] += 5.0
    inner.report(welfare=1)
    assert outer.history == [(5.0, 1, None)] and inner.history == []
    Stop(1.0).report(welfare=7)
    assert len(outer.history) == 1


def test_a_callback_that_raises_interrupts():
    def callback(progress):
        raise KeyError(progress.welfare)

    stop = Stop(None, callback)
    stop.report(welfare=1)
    assert stop.interrupted and stop.now and stop.failure.args == (1,)
    stop.report(welfare=2)
    assert len(stop.history) == 1 and stop.failure.args == (1,)


@given(st.from_type(Market))
def test_trivial_bound_is_the_sum_of_positive_bids(market):
    assert trivial_bound(market) == sum(max(0, b) for b in market.net_bid.tolist())
