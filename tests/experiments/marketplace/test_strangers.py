"""What hostile peers try: each is told a reason, and nothing else comes of it."""

from fractions import Fraction

import pytest
from town import Device, Peer, Town, outcomes

from experiments.marketplace import messages
from experiments.marketplace.models import request_of
from experiments.marketplace.trust import AT_FIRST
from verification.encoding.canonical import digest
from verification.encoding.signature import public, sign
from verification.market.rules import Rules


def ordered(town, peer, named, came=None):
    asked = request_of(town.known[0], named, limit=3, seed=9)
    terms = {"requests": [asked], "bid": "5000", "patience": 1_000, "unaudited": False, "nonce": digest("order")}
    peer.ask("order", terms, came or {})


def test_a_strangers_prompt_is_not_had_by_its_digest(town):
    victim, stranger = town.join("victim"), town.join("stranger")
    town.join("provider", device=True)
    asked = town.order(victim, inputs=(4242,))
    named = asked.content["requests"][0]["input"]
    ordered(town, stranger, named)
    assert stranger.last(messages.Refused).reason == "missing-input"
    stranger.send(messages.Estimate(7, [request_of(town.known[0], named, limit=3)], "5000"))
    assert stranger.last(messages.Refused).reason == "missing-input"
    ordered(town, stranger, named, {named: town.known[0].input(4242)})
    assert stranger.last(messages.Done)


def test_what_an_order_gave_is_told_to_nobody_but_its_user_when_it_is_posted_again(town):
    victim, stranger = town.join("victim"), town.join("stranger")
    town.join("provider", device=True)
    asked = town.order(victim)
    town.run()
    stranger.send(messages.Ask(7, messages.Raw(asked.raw)))
    assert stranger.last(messages.Done).id == 7
    assert not stranger.of(messages.Output) and not stranger.of(messages.Final)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"type":"benchmark","model":"numbers","macs_per_second":1e308}',
        b'{"type":"benchmark","model":"numbers","macs_per_second":-1}',
        b'{"type":"benchmark","model":"others","macs_per_second":1}',
        b'{"type":"preflight","adapter":"%b","memory":1}' % (b"a" * 1_000),
        b'{"type":"preflight","adapter":"","memory":1,"features":[%b]}' % b",".join([b'"a"'] * 1_000),
        b'{"type":"preflight","adapter":"","memory":1,"limits":{"a":1.5}}',
        b'{"type":"estimate","id":1,"requests":[],"bid":"1"}',
        b'{"type":"estimate","id":1,"requests":[null],"bid":"1"}',
        b'{"type":"heart","leases":{"x":NaN}}',
        b'{"type":"ask","id":9223372036854775808,"request":1}',
        b'{"type":"ask","id":true,"request":1}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_what_is_malformed_is_refused_and_keeps_its_connection(town, raw):
    peer = Peer(town, "peer", "device").connect()
    peer.send(messages.Preflight("adapter", 10**9))
    head = town.ledger.head
    town.receive(peer.connection, raw)
    assert isinstance(peer.got[-1], messages.Refused) and peer.connection in town.peers
    assert town.ledger.head == head


def test_a_bond_that_no_event_can_hold_is_refused_and_the_ledger_goes_on(town):
    user, rich = town.join("user"), town.join("rich", purse=2**61)
    town.join("provider", device=True)
    town.order(user)
    while not user.of(messages.Shown):
        town.pass_time(1)
    shown = user.last(messages.Shown)
    terms = {"lease": shown.lease, "header": shown.header, "root": digest("wrong"), "challenger": public(rich.owner)}
    with town.ledger.together():
        rich.ask("claim", terms | {"bond": str(2**60)})
    assert rich.last(messages.Refused).reason == "beyond-largest"
    town.run()
    assert outcomes(user) == ["final", "served"]


def test_an_operation_whose_event_cannot_be_written_closes_no_ledger():
    town = Town(audits=False)
    peer = town.join("peer", purse=2**61)
    operations = dict(town.ledger._operations)
    operations["register"] = lambda draft, request: draft.put("number", "beyond", 2**60)
    town.ledger._operations = operations
    with town.ledger.together():
        peer.ask("register", {}, key=peer.device)
    assert peer.last(messages.Refused).reason == "malformed"
    with town.ledger.together():
        peer.ask("withdraw", {"amount": "1", "nonce": digest("any")})
    assert peer.last(messages.Done).id == peer.asked


def silent(town, owner, name):
    """Another device of an owner's, that is matched first and never answers."""
    device = Device(town, name)
    device.owner, device.accepts = owner.owner, False
    device.connect()
    consent = sign(device.device, "device", town.market, {"owner": public(owner.owner)})
    device.ask("device", {"device": public(device.device), "consent": consent})
    models = [{"model": model.digest, "s": 16} for model in town.known]
    device.ask("offer", {"models": models, "slots": 2**16, "cost": "600", "expiry": 10**6, "nonce": digest(name)})
    return device


def test_who_never_answers_keeps_few_orders_from_others_under_however_many_keys(town):
    user, owner = town.join("user"), town.join("silent")
    keys = [silent(town, owner, f"silent {at}") for at in range(3)]
    town.join("provider", device=True)
    for at in range(30):
        town.order(user, inputs=(at,))
        town.pass_time(5)
        keys.append(silent(town, owner, f"silent again {at}"))
    held = {message.lease for key in keys for message in key.of(messages.Lease)}
    assert AT_FIRST <= len(held) <= AT_FIRST + 2
    town.run()
    assert outcomes(user).count("served") == 30


def test_an_order_withdrawn_in_the_midst_of_a_round_leaves_its_slot_to_another(town):
    user, stranger = town.join("user"), town.join("stranger")
    town.join("provider", device=True, slots=1)
    town.order(user)
    lure = town.order(stranger, inputs=(5,), bid=90_000)
    while not town.later:
        town.now += 1
        town.call("tick")
    stranger.ask("cancel", {"order": lure.name})
    town.settle()
    assert user.last(messages.Output)


def test_what_the_coordinator_computed_itself_is_forgotten_when_it_is_over():
    town = Town(rules=Rules(window=20, audit=Fraction(9, 10), fee=Fraction(1)))
    user = town.join("user")
    town.join("provider", device=True)
    for at in range(5):
        town.order(user, inputs=(at,))
    town.run()
    events = [event for event in town.ledger.events() if event.request.kind == "result"]
    assert public(town.key) in {event.request.party for event in events}
    assert not town.coordinator.disputes.own
