"""What watchers are told adds up to what there is, and tells nobody who is audited."""

from fractions import Fraction

import numpy as np
import pytest
from town import Peer

from experiments.marketplace import messages
from experiments.marketplace.board import COLLECTIONS, KEPT, MOST
from verification.adversaries.corrupt_trace import flipped_bit
from verification.encoding.signature import public
from verification.ledger.state import BURNT, FUND
from verification.market.accounts import free
from verification.market.rules import Rules

ALWAYS = Rules(window=20, audit=Fraction(9, 10), fee=Fraction(99, 100))


def cheating(trace):
    return flipped_bit(trace.copy(), np.random.default_rng(0))


def watching(town):
    watcher = town.join("watcher")
    watcher.role = "watch"
    return watcher.connect()


def after(boards):
    """What a watcher knows: entries by name, null removes one."""
    known = {name: {} for name in COLLECTIONS}
    for board in boards:
        for name, part in board.parts.items():
            known[name] = part if name == "totals" else known[name] | part
    return {
        name: part if name == "totals" else {key: entry for key, entry in part.items() if entry is not None}
        for name, part in known.items()
    }


@pytest.fixture
def caught(town):
    """A market in which a cheat was audited, bisected and slashed, and who watched it."""
    town = type(town)(rules=ALWAYS)
    watcher = watching(town)
    user, cheat = town.join("user"), town.join("crook", device=True, cost=1)
    cheat.change = cheating
    for at in range(2):
        town.join(f"device {at}", device=True)
    town.order(user, bid=6_000)
    town.run()
    town.pass_time(1)
    return town, watcher, cheat


def test_changes_add_up_to_all_there_is(caught):
    town, watcher, _ = caught
    assert after(watcher.of(messages.Board)) == town.coordinator.board.all()
    assert watcher.last(messages.Board).number == town.ledger.head[0]
    assert after(watching(town).of(messages.Board)[-1:]) == town.coordinator.board.all()


def test_a_dispute_is_seen_to_descend_to_its_step(caught):
    town, _, cheat = caught
    [dispute] = town.coordinator.board.all()["disputes"].values()
    assert dispute["asserter"] == public(cheat.device) and dispute["winner"] == "challenger"
    assert dispute["path"][0]["level"] == "nodes" and dispute["step"]["kind"]
    assert all(each["high"] - each["low"] == 1 and each["high"] <= each["size"] for each in dispute["path"])
    played = [event for event in town.ledger.events() if event.request.kind == "play"]
    assert [each["tick"] for each in dispute["messages"]] == [event.tick for event in played]
    assert {each["by"] for each in dispute["messages"]} == {"asserter", "challenger"}
    assert all(0 < each["bytes"] <= 96_000 for each in dispute["messages"])


def test_who_cheated_is_removed_and_the_order_served_by_another(caught):
    town, _, cheat = caught
    board = town.coordinator.board.all()
    [order] = board["orders"].values()
    assert order["state"] == "served" and order["rank"] == 1
    assert board["devices"][public(cheat.device)]["removed"]
    fallen, [final, *_] = (
        [lease for lease in board["leases"].values() if lease["state"] == state and not lease["audit"]]
        for state in ("fallen", "final")
    )
    assert [lease["device"] for lease in fallen] == [public(cheat.device)] and final["device"] != public(cheat.device)


def test_money_is_shown_as_it_is(caught):
    town, *_ = caught
    totals, state = town.coordinator.board.all()["totals"], town.ledger.state
    assert totals["burnt"] == str(state.balances[BURNT]) and totals["fund"] == str(state.balances[FUND])
    assert (totals["served"], totals["waiting"], totals["leased"]) == (1, 0, 0)
    user = next(peer for peer in town.peers.values() if peer.name == "user")
    assert int(totals["paid"]) == 1_000_000 - state.balances[free(public(user.owner))]


def test_until_it_is_over_an_audit_looks_like_any_lease(caught):
    _, watcher, _ = caught
    open_ones = [
        entry
        for board in watcher.of(messages.Board)
        for entry in board.parts.get("leases", {}).values()
        if entry["state"] not in ("final", "fallen")
    ]
    assert open_ones and not any({"audit", "order"} & entry.keys() for entry in open_ones)
    assert {entry["state"] for entry in open_ones} <= {"offered", "held", "received", "published", "disputed"}


def test_what_is_over_makes_room(town):
    watcher, user = watching(town), town.join("user")
    town.join("device", device=True)
    board = town.coordinator.board
    for at in range(KEPT["orders"] + 3):
        asked = town.order(user, inputs=(at,), bid=2)
        user.ask("cancel", {"order": asked.name})
    town.order(user, bid=2)
    town.pass_time(1)
    assert "advance" not in {event["kind"] for event in board.all()["events"].values()}
    assert len(board.all()["orders"]) == KEPT["orders"] and len(board.all()["events"]) == KEPT["events"]
    assert [each["state"] for each in board.all()["orders"].values()].count("waiting") == 1
    assert after(watcher.of(messages.Board)) == board.all()


def test_who_makes_much_that_is_open_does_not_fill_what_watchers_are_sent(town, monkeypatch):
    monkeypatch.setitem(KEPT, "orders", 2)
    user, watcher = town.join("user"), Peer(town, "watcher", "watch").connect()
    names = []
    for at in range(MOST * 2 + 5):
        names.append(town.order(user, inputs=(at,)).name)
        town.pass_time(1)
    assert list(town.coordinator.board.all()["orders"]) == names[-MOST * 2 :]
    board = {}
    for told in watcher.of(messages.Board):
        board |= told.parts.get("orders", {})
    assert [name for name, entry in board.items() if entry is not None] == names[-MOST * 2 :]
    late = Peer(town, "late", "watch").connect()
    assert set(late.last(messages.Board).parts["orders"]) == set(names[-MOST * 2 :])
