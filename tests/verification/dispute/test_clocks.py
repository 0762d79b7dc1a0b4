"""Clocks: one runs at a time, a budget is what its party's turns take, and no more."""

from hypothesis import given
from hypothesis import strategies as st

from verification.dispute.clocks import budgets, other, passed, spent, started, stopped, taken_up


def test_budgets_are_four_delays_and_the_work_limit_twice_for_who_asserts():
    assert budgets(60, 100) == {"asserter": 440, "challenger": 340}


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(0, 1000), st.integers(1, 40), st.integers(1, 40))
def test_a_clock_counts_the_ticks_of_its_turns(waits, tick, mine, theirs):
    """Held against a list of who waited how long."""
    given_budgets = {"asserter": mine, "challenger": theirs}
    clocks, taken = started(given_budgets, "asserter", tick), {"asserter": 0, "challenger": 0}
    for wait in waits:
        turn = clocks.turn
        assert spent(clocks, tick + wait) == (taken[turn] + wait > given_budgets[turn])
        if spent(clocks, tick + wait):
            return
        taken[turn] += wait
        tick += wait
        clocks = passed(clocks, other(turn), tick)
        assert clocks.plain() == {
            "asserter": mine - taken["asserter"],
            "challenger": theirs - taken["challenger"],
            "turn": other(turn),
            "since": tick,
        }


def test_an_answer_at_the_last_tick_is_in_time(refused):
    clocks = started({"asserter": 5, "challenger": 4}, "asserter", 100)
    assert clocks.due == 105 and not spent(clocks, 105) and spent(clocks, 106)
    assert passed(clocks, "challenger", 105).asserter == 0
    assert refused(passed, clocks, "challenger", 106) == "late"
    assert refused(passed, clocks, "challenger", 99) == "too-early"


def test_no_clock_runs_while_an_asserter_is_awaited(refused):
    clocks = stopped(passed(started({"asserter": 5, "challenger": 4}, "challenger", 0), "asserter", 3), 9)
    assert (clocks.asserter, clocks.challenger, clocks.turn, clocks.due) == (0, 1, None, None)
    assert not spent(clocks, 10**9)
    assert refused(passed, clocks, "challenger", 10) == "not-your-turn"
    assert refused(taken_up, clocks, 5, 8) == "too-early"
    deputy = taken_up(clocks, 5, 20)
    assert (deputy.asserter, deputy.challenger, deputy.turn, deputy.due) == (5, 1, "asserter", 25)
    assert refused(taken_up, deputy, 5, 20) == "not-your-turn"
    assert refused(stopped, deputy, 19) == "too-early"
