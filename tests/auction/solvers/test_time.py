"""A stop that compiled loops can look at."""

import threading

from auction.search import Stop
from auction.solvers._time import flag_of


def test_a_flag_is_raised_when_the_time_is_over_and_not_before_a_deadline_that_moved():
    first, second = Stop(0.05), Stop(0.05)
    with flag_of(first) as moved, flag_of(second) as raised:
        first.postpone(1e12)
        while not raised[0]:
            second.wait(0.01)
        second.wait(0.1)
        assert not moved[0]
        first.interrupt()
        assert moved[0]


def test_nobody_watches_a_flag_without_a_deadline_or_after_the_block():
    before = set(threading.enumerate())
    with flag_of(Stop(None)):
        assert set(threading.enumerate()) <= before
    with flag_of(Stop(1e300)) as flag:
        (watcher,) = set(threading.enumerate()) - before
        assert not flag[0]
    watcher.join(60)
    assert not watcher.is_alive()
