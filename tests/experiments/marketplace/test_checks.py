"""Audits, claims, disputes and who vanishes, played through the coordinator by calls."""

from fractions import Fraction

import numpy as np
import pytest
from town import Town, outcomes

from experiments.marketplace import messages
from verification.adversaries.corrupt_trace import flipped_bit
from verification.encoding.signature import public
from verification.ledger.state import BURNT, FUND
from verification.market.accounts import free
from verification.market.rules import Rules
from verification.trace import record


def cheating(trace):
    return flipped_bit(trace.copy(), np.random.default_rng(0))


ALWAYS = Rules(window=20, audit=Fraction(9, 10), fee=Fraction(99, 100))
HARDLY = Rules(window=20, audit=Fraction(1, 10**6), fee=Fraction(3, 2 * 10**6), undeterred=True)
"""Results are audited nearly always, or where somebody buys it."""


@pytest.mark.parametrize("strangers", [0, 4])
def test_a_right_result_that_is_audited_is_paid(strangers):
    town = Town(rules=ALWAYS)
    user = town.join("user")
    devices = [town.join(f"device {at}", device=True) for at in range(1 + strangers)]
    town.order(user, bid=4_000)
    town.run()
    assert outcomes(user) == ["final", "served"]
    assert [kind for event in town.ledger.events() if (kind := event.request.kind) in ("audit", "lot", "reveal")]
    assert sum(len(outcomes(device)) for device in devices) == (2 if strangers else 1)


@pytest.mark.parametrize("strangers", [1, 4])
def test_a_cheat_is_bisected_slashed_and_its_order_served_by_another(strangers):
    town = Town(rules=ALWAYS)
    user, cheat = town.join("user"), town.join("rogue", device=True, cost=1)
    cheat.change = cheating
    for at in range(strangers):
        town.join(f"device {at}", device=True)
    before = town.ledger.state.balances[FUND]
    town.order(user, bid=6_000)
    town.run()
    assert outcomes(cheat) == ["fallen"]
    assert [strike.reason for strike in user.of(messages.Strike)] == ["fallen"]
    assert outcomes(user) == ["final", "served"]
    state = town.ledger.state
    assert state.facts["device"][public(cheat.device)]["removed"]
    assert state.balances[free(public(cheat.owner))] < 1_000_000
    assert state.balances[BURNT] > 0 and state.balances[FUND] > before
    assert any(turn.verdict and turn.verdict["winner"] == "challenger" for turn in cheat.of(messages.Turn))


def test_a_referee_whose_code_fails_convicts_nobody_and_the_second_time_the_lease_ends(monkeypatch):
    town = Town(rules=ALWAYS)
    user, cheat = town.join("user"), town.join("rogue", device=True, cost=1)
    cheat.change = cheating
    for at in range(4):
        town.join(f"device {at}", device=True)

    def fails(*given):
        raise ZeroDivisionError

    monkeypatch.setattr("verification.dispute.stages.right", fails)
    town.order(user, bid=6_000)
    town.run()
    kinds = [event.request.kind for event in town.ledger.events()]
    strikes = [strike.reason for strike in user.of(messages.Strike)]
    assert set(strikes) == {"annulled"} and "verdict" not in kinds
    assert kinds.count("void") == kinds.count("begin") == 2 * len(strikes)
    state = town.ledger.state
    assert not state.facts["device"][public(cheat.device)]["removed"]
    assert state.totals[public(cheat.owner)] == 1_000_000
    assert outcomes(user) == ["final", "served"]


def test_a_false_claim_loses_its_bond_and_delays_nothing_else():
    town = Town(rules=HARDLY)
    user, device = town.join("user"), town.join("device", device=True)
    watcher = town.join("watcher")
    watcher.role = "watch"
    watcher.connect()
    town.order(user)
    town.pass_time(8)
    shown = watcher.last(messages.Shown)
    rival = town.join("rival", device=True)
    computation = town.known[0].computation(shown.requests[0], b"4")
    trace = cheating(record(computation))
    rival.traces[trace.tree.root.hex()] = trace
    terms = {"lease": shown.lease, "header": shown.header, "root": trace.tree.root.hex()}
    bond = str(4 * int(shown.audit_price))
    rival.ask("claim", terms | {"bond": bond, "challenger": public(rival.device)})
    town.run()
    assert outcomes(user) == ["final", "served"] and outcomes(device) == ["final"]
    assert rival.last(messages.Turn).verdict == {"winner": "asserter", "reason": "step-right"}


def test_who_buys_an_audit_is_told_that_it_found_the_same():
    town = Town(rules=HARDLY)
    user, other = town.join("user"), town.join("other")
    for at in range(5):
        town.join(f"device {at}", device=True)
    name = town.order(user, bid=4_000).name
    town.pass_time(8)
    lease = user.last(messages.Shown).lease
    assert not user.of(messages.Audited)
    user.ask("challenge", {"lease": lease})
    town.run()
    assert user.of(messages.Audited) == [messages.Audited(name, lease, [0])] and not other.of(messages.Audited)
    assert outcomes(user) == ["final", "served"]


def test_a_challenge_buys_an_audit_that_catches_a_cheat():
    town = Town(rules=HARDLY)
    user, cheat = town.join("user"), town.join("cheat", device=True, cost=1)
    cheat.change = cheating
    for at in range(4):
        town.join(f"device {at}", device=True)
    town.order(user, bid=4_000)
    town.pass_time(8)
    user.ask("challenge", {"lease": user.last(messages.Shown).lease})
    town.run()
    assert outcomes(cheat) == ["fallen"] and outcomes(user) == ["final", "served"]


def test_who_says_nothing_is_passed_over_and_loses_nothing():
    town = Town()
    user, silent = town.join("user"), town.join("silent", device=True, cost=1)
    silent.accepts = False
    town.join("device", device=True, cost=400)
    town.order(user)
    town.run()
    assert outcomes(silent) == ["declined"] and outcomes(user) == ["final", "served"]
    assert town.ledger.state.balances[free(public(silent.owner))] == 1_000_000


def test_who_vanishes_is_missed_after_three_beats_and_not_picked_again():
    town = Town()
    user, gone = town.join("user"), town.join("gone", device=True, cost=1)
    gone.computes = False
    town.join("device", device=True, cost=400)
    town.order(user)
    town.pass_time(10)
    town.do(town.coordinator.closed(gone.connection, town.now))
    town.run()
    [miss] = [event for event in town.ledger.events() if event.request.kind == "miss"]
    assert miss.request.content["why"] == "vanished" and outcomes(user) == ["final", "served"]
    [first, second] = [event for event in town.ledger.events() if event.request.kind == "assign"]
    assert first.request.content["leases"][0]["device"] != second.request.content["leases"][0]["device"]


def test_an_absent_asserter_is_replaced_by_deputies():
    town = Town(rules=HARDLY)
    user, device = town.join("user"), town.join("device", device=True, cost=1)
    others = [town.join(f"device {at}", device=True, slots=2) for at in range(3)]
    town.order(user, bid=4_000)
    town.pass_time(8)
    shown = user.last(messages.Shown)
    trace = cheating(record(town.known[0].computation(shown.requests[0], b"4")))
    rival = town.join("rival", device=True)
    rival.traces[trace.tree.root.hex()] = trace
    device.plays = False
    terms = {"lease": shown.lease, "header": shown.header, "root": trace.tree.root.hex()}
    bond = str(4 * int(shown.audit_price))
    rival.ask("claim", terms | {"bond": bond, "challenger": public(rival.device)})
    town.run(5_000)
    kinds = [event.request.kind for event in town.ledger.events()]
    assert "timeout" in kinds and "deputize" in kinds and "take_up" in kinds
    assert outcomes(user) == ["final", "served"] and "final" in outcomes(device)
    assert sum("final" in outcomes(other) for other in others) >= 1


def test_the_offer_of_a_device_that_is_gone_lapses_unless_it_comes_back():
    town = Town()
    gone, back = (town.join(name, device=True) for name in ("gone", "back"))
    for device in (gone, back):
        town.do(town.coordinator.closed(device.connection, town.now))
    town.pass_time(30)
    back.connect()
    town.pass_time(31)
    assert list(town.ledger.state.facts["offer"]) == [public(town.key), public(back.device)]


def test_a_fault_over_one_lease_stops_nobody_else_and_is_tried_again(town, monkeypatch, caplog):
    user = town.join("user")
    for at in range(2):
        town.join(f"device {at}", device=True, slots=1)
    town.order(user)
    town.order(user, inputs=(5,))
    town.pass_time(6)
    leases, (broken, _) = town.coordinator.leases, town.ledger.state.facts["lease"]
    due, left = leases._final, [2]

    def fails(name):
        if name == broken and left[0]:
            left[0] -= 1
            raise ZeroDivisionError("of the code")
        due(name)

    monkeypatch.setattr(leases, "_final", fails)
    town.pass_time(40)
    assert outcomes(user) == ["final", "served"] and "ZeroDivisionError" in caplog.text
    town.run(200)
    assert outcomes(user) == 2 * ["final", "served"]
