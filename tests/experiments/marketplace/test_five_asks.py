"""What people ask of markets that run models on strangers' devices, and how this one meets each.

No waiting in silence; show that the result is right; survive workers that vanish, without blame; the same seed, the
same output; say before joining what my device can do, and afterwards what it did.
"""

import re
from dataclasses import replace
from hashlib import sha256
from types import SimpleNamespace

import pytest
from town import RULES, Peer, Town, outcomes

from experiments.marketplace import explanation, messages
from experiments.marketplace.check import check
from experiments.marketplace.models import Language, SmallNumbers, computation_of, request_of
from verification.encoding.canonical import digest
from verification.encoding.signature import public
from verification.market import auditors
from verification.market.accounts import free
from verification.result import check_result, tokens_of
from verification.trace import record

SMALL = SmallNumbers()


def test_no_waiting_in_silence_whatever_an_order_waits_for(monkeypatch):
    """The optimum that a round is compared with is left aside: it takes seconds."""
    monkeypatch.setattr(explanation.solvers, "solve", lambda market, solver, **_: SimpleNamespace(bound=0))
    town = Town()
    user = town.join("user")
    told = user.of
    order = town.order(user).name
    town.pass_time(6)
    assert {(each.order, each.reason) for each in told(messages.Waits)} == {
        (order, "no device that is here offers its models")
    }
    town.join("provider", device=True, slots=1)
    poor = town.order(user, inputs=(5,), bid=100, patience=12).name
    town.pass_time(6)
    town.do(town.coordinator.explained(explanation.explain(town.last), town.now))
    wait = user.last(messages.Waits)
    assert wait.order == poor and wait.reason == "it bids less than the cheapest device costs"
    richer = town.order(user, inputs=(6,), bid=int(wait.bid)).name
    town.run()
    final = {each.order: each.outcome for each in told(messages.Final) if not each.lease}
    assert final == {order: "served", poor: "expired", richer: "served"}, "the bid that it was told would win has won"


def test_no_waiting_in_silence_for_what_the_ledger_will_not_lease(monkeypatch):
    town = Town()
    user = town.join("user")
    town.join("provider", device=True)
    monkeypatch.setattr(auditors, "fair_price", lambda costs, owner, least: 2**53)
    town.order(user)
    town.pass_time(6)
    assert re.match("it was matched, but could not be leased: ", user.last(messages.Waits).reason)


def test_no_waiting_in_silence_before_posting_and_for_what_can_never_be_served(town):
    user = town.join("user")
    raw = SMALL.input(4)
    user.send(messages.Estimate(1, [request_of(SMALL, sha256(raw).hexdigest(), limit=3)], "2000", {"": raw}))
    assert user.last(messages.Quote).reason == "no device that is here offers its models"
    assert town.order(user, limit=4).name not in town.ledger.state.facts.get("order", {})
    refused = user.last(messages.Refused)
    assert refused.reason == "unrunnable" and "the limit is 3" in refused.sentence


@pytest.fixture
def kept(tmp_path):
    """A market whose ledger is a file."""
    return Town(path=tmp_path / "market.ledger")


def test_show_that_the_result_is_right(kept):
    """Its user computes it again, and a stranger finds the ledger whole."""
    user, provider = kept.join("user"), kept.join("provider", device=True)
    asked = kept.order(user, inputs=(7,))
    kept.run()
    shown, output = user.last(messages.Shown), user.last(messages.Output)
    raw = SMALL.input(7)
    again = record(computation_of(kept.models, shown.requests, {shown.requests[0]["input"]: raw}))
    assert shown.requests == asked.content["requests"], "what was computed is what was asked for"
    assert (shown.root, tokens_of(output.output)) == (again.tree.root.hex(), again.tokens)
    [result] = [event.request for event in kept.ledger.events() if event.request.kind == "result"]
    assert result.party == public(provider.device), "its device has signed it"
    assert check_result(result, output.output, shown.lease, again.computation) == shown.root
    number, head = kept.ledger.head
    assert check(kept.path, (number, head)).reasons == []
    assert check(kept.path, (number, "0" * 64)).reasons


def test_survive_vanishing_workers_without_blame():
    """One vanishes with a lease, one hands it back: the user is served at its bid, and who stayed is none the worse."""
    town = Town()
    user = town.join("user")
    gone, kind = town.join("gone", device=True, cost=1), town.join("kind", device=True, cost=2)
    gone.computes = kind.computes = False
    stayed = town.join("stayed", device=True, cost=400)
    order = town.order(user)
    town.pass_time(6)
    stake = int(gone.last(messages.Lease).stake)
    town.do(town.coordinator.closed(gone.connection, town.now))
    while not kind.of(messages.Lease):
        town.pass_time(1)
    kind.ask("return", {"lease": kind.last(messages.Lease).lease})
    town.run()
    balances = town.ledger.state.balances
    assert outcomes(user)[-1] == "served" and int(user.last(messages.Final).paid) <= int(order.content["bid"])
    assert [strike.reason for strike in user.of(messages.Strike)] == ["missed", "returned"]
    share = RULES.missed_share
    assert balances[free(public(gone.owner))] == 1_000_000 - -(-stake * share.numerator // share.denominator)
    assert balances[free(public(kind.owner))] == 1_000_000, "handed back at once costs nothing"
    assert balances[free(public(stayed.owner))] > 1_000_000
    assert not any(device["removed"] for device in town.ledger.state.facts["device"].values())
    for other in (kind, stayed):
        town.do(town.coordinator.closed(other.connection, town.now))
    gone.connect()
    gone.computes = True
    models = [{"model": SMALL.digest, "s": 16}]
    gone.ask("offer", {"models": models, "slots": 1, "cost": "1", "expiry": 10**6, "nonce": digest("again")})
    town.order(user, inputs=(5,))
    town.run()
    assert outcomes(gone)[-1] == "final", "and it is leased work again"


def test_the_same_seed_gives_the_same_output():
    """On whichever device: two compute it, and users see one root and the same tokens; another seed gives others."""
    tiny = Language("tiny")
    town = Town(models=(tiny,), rules=replace(RULES, window=5))
    user = town.join("user")
    for at in range(3):
        town.join(f"provider {at}", device=True, slots=1)
    raw = tiny.input("Hello")
    for at, seed in enumerate((1, 1, 2)):
        name = sha256(raw).hexdigest()
        request = request_of(tiny, name, limit=4, temperature=1.0, seed=seed)
        terms = {"requests": [request], "bid": "4000", "patience": 900, "unaudited": False, "nonce": digest([at])}
        user.ask("order", terms, {name: raw})
    town.run()
    seeds = {shown.lease: shown.requests[0]["seed"] for shown in user.of(messages.Shown)}
    roots = {(seeds[shown.lease], shown.root) for shown in user.of(messages.Shown)}
    outputs = {(seeds[each.lease], tuple(tokens_of(each.output))) for each in user.of(messages.Output)}
    assert len(roots) == len(outputs) == 2
    assigned = [event.request.content["leases"] for event in town.ledger.events() if event.request.kind == "assign"]
    assert len({lease["device"] for leases in assigned for lease in leases}) == 3


def test_say_before_joining_what_a_device_can_do_and_afterwards_what_it_did():
    large = SmallNumbers("large", 9, memory=2**30)
    town = Town(models=(SMALL, large))
    new = Peer(town, "new", "device").connect()
    head = town.ledger.head
    new.send(messages.Preflight("adapter", 2**20))
    before = new.last(messages.Suitable)
    assert before.fits.keys() == {"numbers"} and "1073741824 bytes, the device has 1048576" in before.reasons["large"]
    new.send(messages.Benchmark("numbers", 1e9))
    assert new.last(messages.Suitable).fits["numbers"] > before.fits["numbers"] and town.ledger.head == head
    user, device = town.join("user"), town.join("provider", device=True)
    watcher = Peer(town, "watcher", "watch").connect()
    town.order(user)
    town.run()
    town.pass_time(1)
    done = device.last(messages.Final)
    assert done.outcome == "final" and town.ledger.state.balances[free(public(device.owner))] == 1_000_000 + int(
        done.paid
    )
    board = {}
    for told in watcher.of(messages.Board):
        board |= told.parts.get("devices", {})
    known = board[public(device.device)]
    assert (known["leased"], known["served"], known["removed"]) == (1, 1, False)
