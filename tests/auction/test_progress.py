"""What was known when: only what is better counts, and a history stays short."""

from hypothesis import given
from hypothesis import strategies as st

from auction.progress import Progress, add, further

AMOUNTS = st.none() | st.integers(-5, 5)


def test_gap():
    assert Progress(1.0, 75, 100).gap == 0.25 and Progress(1.0, 0, 0).gap == 0.0
    assert Progress(1.0, None, 100).gap is None and Progress(1.0, 75, None).gap is None


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS)))
def test_the_best_of_each_by_then(found):
    known, seen = None, []
    for second, (welfare, bound) in enumerate(found):
        seen.append((welfare, bound))
        best = max((w for w, _ in seen if w is not None), default=None)
        least = min((b for _, b in seen if b is not None), default=None)
        before = known and known[1:]
        new = further(known, float(second), welfare, bound)
        assert (new is None) == ((best, least) == (before or (None, None)))
        if new is not None:
            known = new
            assert new == (float(second), best, least)


@given(st.lists(st.floats(1e-6, 1.0), max_size=200))
def test_a_history_keeps_first_and_last_and_no_two_neighbours_but_one_within_a_hundredth(steps):
    history, now = [], 0.0
    for step in steps:
        now += step
        add(history, Progress(now, 0, 0))
    seconds = [point.seconds for point in history]
    assert seconds == sorted(seconds)
    if steps:
        assert seconds[0] == steps[0] and seconds[-1] == now
    assert all(c - a >= 0.01 * c for a, c in zip(seconds, seconds[2:], strict=False))


def test_a_thousand_reports_a_second_leave_some_hundred_points():
    history = []
    for number in range(1, 60_001):
        add(history, Progress(number / 1000, 0, 0))
    assert 500 < len(history) < 1500
