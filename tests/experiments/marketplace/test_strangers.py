"""What hostile peers try: each is told a reason, and nothing else comes of it."""

import pytest
from town import Peer, Town, outcomes

from experiments.marketplace import messages
from experiments.marketplace.models import request_of
from verification.encoding.canonical import digest
from verification.encoding.signature import public


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
