"""The market's time as its driver tells it: what a coordinator stood is nobody's lateness."""

from experiments.marketplace.live.driver import Time


def told(clock_of_turns, *, began=100.0, listens=100.0):
    """At which of the turns, by the clock, a tick was due, and the market's time then, seconds since it began."""
    time = Time(1.0, began, listens)
    return [(clock, time.now(clock) - began) for clock in clock_of_turns if time.passes(clock)]


def test_ticks_follow_the_clock_where_turns_are_in_time_or_a_little_late():
    assert told([100.5, 101.0, 102.25, 102.9, 103.5]) == [(101.0, 1.0), (102.25, 2.25), (103.5, 3.5)]


def test_a_turn_that_is_late_is_one_tick_and_the_next_is_a_whole_one_later():
    assert told([101.0, 107.0, 107.01, 107.9, 108.0]) == [(101.0, 1.0), (107.0, 2.0), (108.0, 3.0)]


def test_time_in_which_the_ledger_was_read_is_none():
    assert told([130.5, 131.0], listens=130.0) == [(131.0, 1.0)]
