"""The exhaustive check: it passes, and it fails where the protocol is broken."""

import pytest

from verification.errors import Refusal
from verification.first import bisection, challenge
from verification.first.exhaustive_check import explore


@pytest.mark.parametrize("nodes", [1, 2, 3, 4])
def test_no_honest_party_loses_and_no_wrong_result_stands(nodes):
    explored = explore(nodes)
    assert explored.choices > explored.scenes > 10
    assert explored.states > 1000


def test_it_notices_a_referee_that_believes_asserters(monkeypatch):
    monkeypatch.setattr(bisection, "right", lambda *arguments: True)
    with pytest.raises(AssertionError, match="an honest challenger lost"):
        explore(1)


def test_it_notices_a_referee_that_believes_challengers(monkeypatch):
    monkeypatch.setattr(bisection, "right", lambda *arguments: False)
    with pytest.raises(AssertionError, match="an honest asserter lost"):
        explore(1)


def test_it_notices_a_descent_that_does_not_go_left(monkeypatch):
    """The rightmost difference may follow correctly from a wrong input: then the honest challenger loses."""

    def backwards(*lists, strict):
        return reversed(list(zip(*lists, strict=strict)))

    monkeypatch.setattr(bisection, "zip", backwards, raising=False)
    with pytest.raises(AssertionError, match="an honest challenger lost"):
        explore(3)


def test_it_notices_a_lost_challenge_that_closes_the_window(monkeypatch):
    verdict = challenge.verdict

    def shielding(draft, name, challenger, winner, reason, now):
        verdict(draft, name, challenger, winner, reason, now)
        if winner == "asserter":
            task = challenge.task_of(draft, name)
            challenge.put_task(draft, name, challenge.replace(task, state="finalised"))

    monkeypatch.setattr(challenge, "verdict", shielding)
    with pytest.raises(AssertionError, match="honest|stand|finalised|removed"):
        explore(1)


def test_it_notices_money_that_is_made(monkeypatch):
    verdict = challenge.verdict

    def generous(draft, *arguments):
        verdict(draft, *arguments)
        draft.state.balances["fund"] = draft.state.balances.get("fund", 0) + 1

    monkeypatch.setattr(challenge, "verdict", generous)
    with pytest.raises(Refusal, match="accounts hold"):
        explore(1)
