"""The protocol holds whatever parties do over small chains; where a rule of it is broken, that is found."""

from dataclasses import replace

import pytest

from verification.dispute import dispute, stages
from verification.market import deputies, falls, operations, results, returns, verdicts
from verification.market.records import Audit, Claim, Lease, Result, find, store
from verification.model_check.explore import explore
from verification.model_check.setting import ROLES, Roles

DEPUTY = Roles(challengers=1, helpers=1, voids=False)


@pytest.mark.parametrize(
    ("roles", "nodes", "looked_at"),
    [
        (Roles(challengers=1, voids=False), 2, (121, 149, 11)),
        (ROLES["coordinator"], 1, (169, 345, 11)),
        (ROLES["two challengers"], 1, (598, 1_390, 26)),
        (ROLES["verifier"], 1, (1_131, 2_429, 87)),
        (ROLES["deputy"], 1, (1_445, 3_258, 111)),
    ],
)
def test_it_holds_over_short_chains(roles, nodes, looked_at):
    """What is looked at stays as much: a move that nobody makes any more would prove nothing of it."""
    explored = explore(nodes, roles)
    assert (explored.states, explored.transitions, explored.ends) == looked_at
    # Chains of nodes that follow one before or none, and of each pairs of traces that differ in a node; steps may too.
    traces, steps = 2**nodes, 1 if nodes == 1 else 2
    assert explored.disputes == 2 ** (nodes - 1) * traces * (traces - 1) * steps**2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("roles", "nodes", "states"),
    [
        ("two challengers", 4, 1_000),
        ("coordinator", 3, 400),  # 440, of chains of four nodes too
        ("verifier", 3, 1_000),
        ("deputy", 3, 1_000),
        ("all", 1, 1_000),
    ],
)
def test_it_holds_over_chains(roles, nodes, states):
    assert explore(nodes, ROLES[roles]).states > states


def found(roles, nodes=1):
    with pytest.raises(AssertionError) as error:
        explore(nodes, roles)
    return str(error.value)


def test_a_referee_that_believes_asserters_is_found(monkeypatch):
    monkeypatch.setattr(stages, "right", lambda *arguments: True)
    assert "challenger that was right lost" in found(Roles(challengers=1))


def test_a_referee_that_believes_challengers_is_found(monkeypatch):
    monkeypatch.setattr(stages, "right", lambda *arguments: False)
    assert "asserter that was right lost" in found(Roles(challengers=1))


def test_a_descent_that_does_not_go_left_is_found(monkeypatch):
    """The rightmost difference may follow correctly from a wrong input."""

    def backwards(*lists, strict):
        return reversed(list(zip(*lists, strict=strict)))

    monkeypatch.setattr(stages, "zip", backwards, raising=False)
    assert "challenger that was right lost" in found(Roles(challengers=1), 3)


def test_deputies_that_are_ignored_are_found(monkeypatch):
    monkeypatch.setattr(verdicts, "forfeited", lambda draft, claim: True)
    assert "right and silent, a deputy was honest: lost" in found(DEPUTY)


def test_a_deputy_that_may_not_play_on_is_found(monkeypatch):
    monkeypatch.setattr(deputies, "_defender", lambda draft, name, dispute: "")
    assert "right and silent, a deputy was honest: lost" in found(DEPUTY)


def test_wrong_steps_that_convict_others_are_found(monkeypatch):
    """Who confirmed the right root may play on from steps of its own."""
    taken = dispute.taken

    def convicting(terms, state, turn, said):
        after = taken(terms, state, turn, said)
        return stages.decided(after, "challenger", "step-wrong") if after.clocks.turn is None else after

    monkeypatch.setattr(dispute, "taken", convicting)
    assert "helper 1 was right, answered in time, and has lost" in found(replace(DEPUTY, audit="drawn"), 2)


def changed(monkeypatch, kind, operation):
    monkeypatch.setitem(operations.OPERATIONS, kind, operation)


def test_a_lost_claim_that_closes_the_window_is_found(monkeypatch):
    def shielding(draft, request):
        claim = find(draft, Claim, request.content["claim"])
        verdicts.verdict(draft, request)
        if request.content["winner"] == "asserter":
            result = find(draft, Result, claim.lease)
            for other in result.claims:
                returns.drop_claim(draft, other)

    changed(monkeypatch, "verdict", shielding)
    assert "a wrong result is final" in found(Roles(challengers=2))


def test_a_result_that_is_final_under_a_claim_is_found(monkeypatch):
    monkeypatch.setattr(results, "in_state", lambda lease, name, *states: lease)
    assert "claim, dispute: still open, and nothing can happen" in found(Roles(challengers=1))


def test_a_draw_that_is_ignored_is_found(monkeypatch):
    monkeypatch.setattr(results, "drawn", lambda *arguments: False)
    assert "was drawn, and is final" in found(Roles(coordinator=True, audit="drawn"))


def test_a_verifier_that_falls_by_silence_is_found(monkeypatch):
    monkeypatch.setattr(verdicts, "set_aside", falls.uphold)
    assert "right and silent, a deputy was honest: lost" in found(Roles(helpers=2, audit="drawn", voids=False))


@pytest.mark.slow
def test_an_audit_that_is_over_by_a_verifier_with_a_third_root_is_found(monkeypatch):
    refute = falls.refute

    def concluding(draft, name):
        main = find(draft, Lease, name).audits
        audit = draft.fact("audit", main)
        refute(draft, name)
        if audit and audit["verifier"] == name:
            store(draft, main, replace(find(draft, Audit, main), outcome="stands"))

    monkeypatch.setattr(falls, "refute", concluding)
    roles = Roles(helpers=2, audit="drawn", voids=False)
    assert "was drawn, and is final; ['helper 2'] were not asked" in found(roles, 2)


def test_a_bond_that_stays_locked_is_found(monkeypatch):
    monkeypatch.setattr(returns, "move_all", lambda *arguments: None)
    assert "locked" in found(Roles(challengers=2, voids=False))


def test_a_clock_that_is_never_spent_is_found(monkeypatch):
    monkeypatch.setattr(deputies, "spent", lambda *arguments: False)
    assert "end" in found(Roles(challengers=1))


def test_a_fee_that_is_taken_twice_is_found(monkeypatch):
    """Of a market that pays too little: whoever was right does not get its price."""
    monkeypatch.setattr(results, "escrow", results.fee)
    assert "was right and in time, and gets" in found(Roles())
