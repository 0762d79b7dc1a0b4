from hashlib import sha256

import pytest
from town import Peer, Town, outcomes

from experiments.marketplace import messages
from experiments.marketplace.explanation import explain, winning_bid
from experiments.marketplace.models import SmallNumbers, request_of
from verification.encoding.signature import public, sign
from verification.market.accounts import free
from verification.result import tokens_of


def test_an_order_is_leased_computed_shown_and_paid(town):
    user, device = town.join("user"), town.join("provider", device=True)
    town.order(user)
    town.run()
    computation = town.known[0].computation({"seed": "0"}, b"4")
    assert tokens_of(user.last(messages.Output).output) == computation.run(lambda first, outputs: None)
    assert [final.outcome for final in user.of(messages.Final)] == ["final", "served"]
    assert device.last(messages.Final).outcome == "final"
    assert int(device.last(messages.Final).paid) > 500
    assert not user.of(messages.Refused) and not device.of(messages.Refused)


def test_many_orders(town):
    users = [town.join(f"user {at}") for at in range(3)]
    for at in range(5):
        town.join(f"provider {at}", device=True)
    for at in range(30):
        town.order(users[at % 3], inputs=(at,))
    town.run()
    assert sum(final.outcome == "served" for user in users for final in user.of(messages.Final)) == 30
    town.ledger.state.check()


def test_a_user_that_was_away_is_told_what_became_of_its_order(town):
    user, _ = town.join("user"), town.join("provider", device=True)
    asked = town.order(user)
    town.do(town.coordinator.closed(user.connection, town.now))
    town.run()
    user.got.clear()
    user.connect()
    assert not user.of(messages.Final)
    user.send(messages.Ask(99, messages.Raw(asked.raw)))
    assert user.last(messages.Done).name == asked.name
    assert [final.outcome for final in user.of(messages.Final)] == ["final", "served"]
    assert user.last(messages.Output).order == asked.name


def estimate(town, user, bid, token=4):
    raw = town.known[0].input(token)
    asked = request_of(town.known[0], sha256(raw).hexdigest(), limit=3)
    user.send(messages.Estimate(7, [asked], str(bid), {"": raw}))
    return user.got[-1]


def test_an_estimate_says_what_an_order_comes_to_and_changes_nothing(town):
    user = town.join("user")
    nobody = estimate(town, user, 2_000)
    assert nobody.price is None and nobody.devices == 0 and "no device" in nobody.reason
    town.join("provider", device=True)
    head = town.ledger.head
    quote = estimate(town, user, 2_000)
    assert town.ledger.head == head and quote.devices == 1 and 0 < quote.wait <= 5
    town.order(user, bid=2_000)
    town.run()
    assert user.last(messages.Final).paid == quote.price


def test_an_estimate_says_that_a_purse_is_smaller_than_the_bid(town):
    user = town.join("user", purse=1_500)
    town.join("provider", device=True)
    quote = estimate(town, user, 2_000)
    assert quote.price is not None and quote.reason == "you have 1500 micro-tokens, less than it bids"
    assert not estimate(town, user, 1_500).reason


def test_too_low_a_bid_is_told_which_one_would_win(town):
    user = town.join("user")
    town.join("provider", device=True)
    quote = estimate(town, user, 300)
    assert quote.price is None and quote.reason == "it bids less than the cheapest device costs"
    assert 500 <= int(quote.bid) <= 700
    assert estimate(town, user, int(quote.bid)).price is not None


def test_an_estimate_of_a_bid_beyond_what_may_be_leased_is_of_the_largest_price(town):
    user, most = town.join("user"), town.ledger.state.facts["genesis"]["rules"]["largest_price"]
    town.join("provider", device=True, purse=100 * most)
    raw = town.known[0].input(4)
    four = [request_of(town.known[0], sha256(raw).hexdigest(), limit=3)] * 4
    user.send(messages.Estimate(7, four, str(10 * most), {"": raw}))
    assert int(user.last(messages.Quote).price) == most + most * 11 // 50
    assert int(estimate(town, user, 10 * most).price) == int(estimate(town, user, 100 * most).price)


def test_a_bid_beyond_what_may_be_leased_keeps_no_slot_idle(town):
    most = town.ledger.state.facts["genesis"]["rules"]["largest_price"]
    rich, other = town.join("rich", purse=100 * most), town.join("other")
    town.join("provider", device=True, slots=1, purse=100 * most)
    town.order(rich, bid=50 * most)
    town.order(other, inputs=(5,))
    town.run()
    assert outcomes(rich)[-1] == outcomes(other)[-1] == "served"
    assert int(rich.last(messages.Final).paid) <= 2 * most


@pytest.mark.parametrize(
    "bid, refused", [("0", "malformed"), ("x", "malformed"), ("01", "malformed"), (str(2**63), "malformed")]
)
def test_estimates_of_no_amount_are_refused(town, bid, refused):
    assert estimate(town, town.join("user"), bid).reason == refused


def test_who_asks_too_often_is_answered_again_at_the_next_tick(town):
    user = town.join("user")
    town.join("provider", device=True)
    answers = [type(estimate(town, user, 2_000)) for _ in range(9)]
    assert answers == 8 * [messages.Quote] + [messages.Refused]
    town.pass_time(1)
    assert isinstance(estimate(town, user, 2_000), messages.Quote)


def test_a_round_is_explained_beside_the_optimum(town):
    user = town.join("user")
    town.join("provider", device=True, slots=1)
    orders = [town.order(user, inputs=(at,), bid=2_000 + at).name for at in range(2)]
    poor = town.order(user, inputs=(9,), bid=100).name
    town.pass_time(5)
    found = explain(town.last)
    assert found.welfare <= found.bound and found.waits.keys() == {orders[0], poor}
    assert found.waits[poor][0] == "it bids less than the cheapest device costs"
    assert found.waits[orders[0]][0] == "others bid more for the same devices"
    town.do(town.coordinator.explained(found, town.now))
    place = town.last.orders.index(orders[0])
    assert winning_bid(town.last.solve, place) > town.last.solve.market.net_bid[place]


def test_an_order_that_no_device_could_run_is_refused_at_once(town):
    user = town.join("user")
    head = town.ledger.head
    town.order(user, limit=4)
    assert user.last(messages.Refused).reason == "unrunnable"
    raw = b"{}"
    asked = {"model": town.known[0].digest, "input": sha256(raw).hexdigest(), "limit": 3, "temperature": 0, "seed": "0"}
    terms = {"bid": "5", "patience": 9, "unaudited": False, "nonce": "0" * 64}
    user.ask("order", terms | {"requests": [asked]}, {"": raw})
    assert user.last(messages.Refused).reason == "unrunnable"
    user.ask("order", terms | {"requests": [asked | {"input": "1" * 64}]})
    assert user.last(messages.Refused).reason == "missing-input"
    user.ask("order", terms | {"requests": [asked | {"model": "1" * 64}]})
    assert user.last(messages.Refused).reason == "unknown-model"
    assert town.ledger.head == head


def test_patience_ends_an_order_and_its_escrow_returns(town):
    user = town.join("user")
    name = town.order(user, patience=7).name
    town.pass_time(9)
    [over] = user.of(messages.Final)
    assert (over.order, over.lease, over.outcome, over.paid) == (name, "", "expired", "0")
    user.got.clear()
    user.asked -= 1
    town.order(user, patience=7)  # as somebody who was away asks again
    assert outcomes(user) == ["expired"]


def test_an_order_is_withdrawn(town):
    user = town.join("user")
    user.ask("cancel", {"order": town.order(user).name})
    assert outcomes(user) == ["withdrawn"]


def test_a_bundle_is_one_lease_where_a_slot_completes_it(town):
    user, device = town.join("user"), town.join("provider", device=True, slots=1)
    town.order(user, inputs=(1, 2, 3), bid=4_000)
    town.run()
    [output] = user.of(messages.Output)
    runs = [town.known[0].computation({"seed": str(at)}, str(at + 1).encode()) for at in range(3)]
    assert output.part == [0, 1, 2]
    assert tokens_of(output.output) == [token for run in runs for token in run.run(lambda first, outputs: None)]
    assert outcomes(user) == ["final", "served"] and outcomes(device)[:1] == ["final"]


def test_a_bundle_is_shared_out_by_slots_and_settles_one_by_one(town):
    user = town.join("user")
    devices = [town.join(f"provider {at}", device=True, slots=1, s=2) for at in range(2)]
    devices[1].computes = False
    town.order(user, inputs=(1, 2, 3), bid=6_000)
    town.run()
    ends = [(final.part, final.outcome) for final in user.of(messages.Final)]
    assert ends == [([0, 1], "final"), ([2], "final"), ([0, 1, 2], "served")]
    assert [strike.part for strike in user.of(messages.Strike)] == [[2]]


def test_a_bundle_of_two_models_is_a_lease_of_each():
    town = Town(models=(SmallNumbers(), SmallNumbers("others", weight=9)))
    user = town.join("user")
    town.join("provider", device=True, slots=2)
    requests, blobs = [], {}
    for model in town.known:
        raw = model.input(4)
        blobs[sha256(raw).hexdigest()] = raw
        requests.append(request_of(model, sha256(raw).hexdigest(), limit=3))
    terms = {"requests": requests, "bid": "9000", "patience": 900, "unaudited": False, "nonce": "0" * 64}
    user.ask("order", terms, blobs)
    town.run()
    assert [final.part for final in user.of(messages.Final)] == [[0], [1], [0, 1]]


HOSTILE = [
    b"",
    b"\xff",
    b"[]",
    b"{}",
    b'{"type": "nothing"}',
    b'{"type": "heart", "leases": {"a": "b"}}',
    b'{"type": "heart", "more": 1}',
    b'{"type": "ask", "id": 1, "request": {"content": {}, "kind": "register", "party": "", "signature": ""}}',
    b'{"type": "ask", "id": 1, "request": 1}',
    b'{"type": "play", "claim": "x", "raw": "AAAA"}',
    b'{"type": "play", "claim": "x", "raw": "?"}',
    b'{"type": "tokens", "lease": "x", "tokens": [1]}',
    b'{"type": "transcript", "claim": "x"}',
    b'{"type": "estimate", "id": 1, "requests": [{}], "bid": "1"}',
    b'{"type": "fund", "id": 1, "owner": "x"}',
    b'{"type": "hello", "version": 2, "role": "user"}',
    b'{"type": "hello", "version": 1, "role": "user", "owner": "x", "signature": "y"}',
    b"[" * 5_000,
    b" " * (messages.MOST_BYTES + 1),
]


@pytest.mark.parametrize("raw", HOSTILE, ids=lambda raw: repr(raw[:60]))
@pytest.mark.parametrize("role", ["user", "device"])
def test_what_is_malformed_is_refused_by_name_and_changes_nothing(town, raw, role):
    peer = town.join("peer", device=role == "device")
    head, before = town.ledger.head, len(peer.got)
    town.receive(peer.connection, raw)
    [refused] = peer.got[before:]
    assert isinstance(refused, messages.Refused) and refused.reason and refused.sentence
    assert town.ledger.head == head


def test_a_page_of_another_origin_can_do_nothing(town):
    peer = town.join("peer")
    other = Peer(town, "peer", "user").connect(origin="https://right", seen="https://wrong")
    assert other.last(messages.Refused).reason == "other-origin"
    other.ask("withdraw", {"amount": "1", "nonce": "0" * 64})
    assert other.last(messages.Refused).reason == "no-hello"
    assert peer.connection in town.peers


def test_a_nonce_is_signed_once(town):
    peer = town.join("peer")
    number = town.connect(peer)
    town.receive(number, messages.encode(peer.hello))
    assert peer.last(messages.Refused).reason == "wrong-signature"


def test_a_connection_that_is_refused_too_often_is_closed(town):
    peer = town.join("peer")
    for _ in range(101):
        town.receive(peer.connection, b"{}")
    assert peer.connection not in town.peers


@pytest.mark.parametrize("role", [None, "watch"])
def test_who_has_proven_no_key_is_refused_three_times_whenever(town, role):
    stranger = Peer(town, "stranger", "watch")
    stranger.connection = town.connect(stranger)
    if role:
        stranger.send(messages.Hello(1, role, owner=public(stranger.owner)))
    for _ in range(3):
        town.receive(stranger.connection, b"{}")
        town.pass_time(1)
    assert stranger.connection in town.peers
    town.receive(stranger.connection, b"{}")
    assert stranger.connection not in town.peers


def test_who_watches_cannot_speak_for_a_device(town):
    user, device = town.join("user"), town.join("provider", device=True)
    device.computes = False
    town.order(user)
    town.pass_time(6)
    lease = device.last(messages.Lease).lease
    watcher = Peer(town, "watcher", "watch")
    watcher.connection = town.connect(watcher)
    watcher.send(messages.Hello(1, "watch", owner=public(device.device), device=public(device.device)))
    watcher.send(messages.Tokens(lease, [1]))
    assert watcher.last(messages.Refused).reason == "not-the-device" and not user.of(messages.Token)
    device.send(messages.Tokens(lease, [2]))
    assert user.last(messages.Token).tokens == [2]


def test_watchers_are_sent_the_same_bytes(town):
    watchers = [Peer(town, f"watcher {at}", "watch").connect() for at in range(2)]
    town.join("user")
    town.now += town.settings.seconds_per_tick
    sent = {effect.connection: effect.raw for effect in town.coordinator.tick(town.now)}
    assert sent[watchers[0].connection] is sent[watchers[1].connection]


def test_the_faucet_gives_each_owner_a_purse_once():
    town = Town(faucet=5)
    peer = town.join("peer", purse=1)
    for _ in range(2):
        peer.send(messages.Fund(1, public(peer.owner)))
    assert town.ledger.state.balances[free(public(peer.owner))] == 6


def test_a_fault_of_the_code_ends_the_connection_that_met_it_alone(town, monkeypatch):
    user, other = town.join("user"), town.join("other")
    town.join("provider", device=True)

    def fail(*_):
        raise ZeroDivisionError("of the code")

    monkeypatch.setattr(town.coordinator.rounds, "quote", fail)
    number = user.connection
    user.send(messages.Estimate(1, [], "1"))
    assert number not in town.peers
    town.order(other)
    town.run()
    assert outcomes(other) == ["final", "served"]


def test_a_connection_says_once_whose_it_is(town):
    peer = town.join("peer")
    head = town.ledger.head
    other = Peer(town, "other", "user")
    said = {"nonce": peer.of(messages.Challenge)[0].nonce, "origin": "", "role": "user"}
    signature = sign(other.owner, "hello", town.market, said)
    peer.send(messages.Hello(1, "user", public(other.owner), signature=signature))
    assert peer.last(messages.Refused).reason == "second-hello" and town.ledger.head == head
    assert not town.coordinator.desk.connections.has(public(other.owner))


def test_tokens_are_passed_on_up_to_the_result_and_no_more_than_were_asked_for(town):
    user, device = town.join("user"), town.join("provider", device=True)
    device.computes = False
    town.order(user)
    town.pass_time(6)
    lease = device.last(messages.Lease)
    device.send(messages.Tokens(lease.lease, [1] * 4))
    assert device.last(messages.Refused).reason == "oversized"
    device.send(messages.Tokens(lease.lease, [1], text="x" * 10_000))
    assert device.last(messages.Refused).reason == "oversized" and not user.of(messages.Token)
    device.send(messages.Tokens(lease.lease, [1, 2, 3]))
    device.deliver(lease)
    device.send(messages.Tokens(lease.lease, [9]))
    assert device.last(messages.Refused).reason == "wrong-state"
    assert [token.tokens for token in user.of(messages.Token)] == [[1, 2, 3]]


def test_watchers_see_how_far_a_lease_is_by_its_own_device_alone(town):
    user, device, other = (
        town.join("user"),
        town.join("provider", device=True),
        town.join("other", device=True, cost=999),
    )
    device.computes = False
    town.order(user)
    town.pass_time(6)
    lease = device.last(messages.Lease).lease
    watcher = Peer(town, "watcher", "watch").connect()
    other.send(messages.Heart({lease: 0.75}))
    device.send(messages.Heart({lease: 0.5}))
    town.pass_time(1)
    assert watcher.last(messages.Board).parts["leases"][lease]["progress"] == 0.5


def test_what_is_known_of_strangers_signs_of_life_does_not_stay(town):
    for at in range(5):
        stranger = Peer(town, f"stranger {at}", "device").connect()
        town.do(town.coordinator.closed(stranger.connection, town.now))
    town.pass_time(town.coordinator.desk.rules.delta + 2)
    assert not town.coordinator.leases._seen
