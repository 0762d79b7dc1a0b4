"""A device without input or output: it joins, measures, offers, works, and stands by what it gave."""

import pytest

from experiments.marketplace.device import Compute, Device, Measure
from experiments.marketplace.messages import Benchmark, Final, Heart, Play, Preflight, Suitable, encode, from_peer
from experiments.marketplace.messages import Transcript as Retell
from experiments.marketplace.stream import SAID
from verification.adversaries import coordinate
from verification.adversaries.cast import COORDINATOR, PRICE, PROVIDER, STRANGERS, key_of
from verification.adversaries.scene import wrong
from verification.errors import Refusal
from verification.market.records import Device as Record
from verification.market.records import Lease, Offer, Result

PREFLIGHT = Preflight(adapter="test", memory=2**30)


def provider(name=PROVIDER, **options):
    return Device(key_of(f"owner {name}"), key_of(f"device {name}"), PREFLIGHT, cost=500, slots=64, **options)


@pytest.fixture
def joined(by_hand):
    """A device of a party that the scene knows, welcomed as one that is registered."""
    device = provider()
    device.receive(by_hand.challenge(), 0.0)
    device.receive(by_hand.welcome(registered=True), 0.0)
    device.receive(encode(Suitable({"numbers": 16})), 0.0)
    device.measured("numbers", 1e9)
    device.receive(encode(Suitable({"numbers": 16})), 0.0)
    return device


def asked(by_hand, device, frames, now=0.0):
    """What frames lead to, each answered."""
    found = []
    for frame in frames:
        assert isinstance(frame, bytes)
        found += device.receive(by_hand.answer(frame), now)
    return found


def test_a_new_device_proves_its_key_and_ends_with_a_live_offer(scene, by_hand):
    device = Device(key_of("owner new"), key_of("device new"), PREFLIGHT, cost=321, slots=2, models=["numbers"])
    [hello] = device.receive(by_hand.challenge(), 0.0)
    assert by_hand.proven(hello, device.name)
    *asks, preflight = device.receive(by_hand.welcome(), 0.0)
    assert not asked(by_hand, device, asks)
    assert from_peer(preflight) == PREFLIGHT
    [measure] = device.receive(encode(Suitable({"numbers": 1, "other": 1}, {"large": "no memory"})), 0.0)
    assert measure == Measure("numbers")
    assert device.unsuitable == {"large": "no memory"}
    [benchmark] = device.measured("numbers", 2e9, 50.0)
    assert from_peer(benchmark) == Benchmark("numbers", 2e9, 50.0)
    [offer] = device.receive(encode(Suitable({"numbers": 7, "other": 1})), 0.0)
    asked(by_hand, device, [offer])
    found = scene.find(Offer, device.name)
    assert (found.models, found.slots, found.cost) == ({scene.computation.digests["model"]: 7}, 2, 321)
    assert scene.find(Record, device.name).owner == device.session.owner_name
    assert not device.receive(encode(Suitable({"numbers": 7})), 0.0), "the same once more is no new offer"


def test_another_market_or_version_is_refused(by_hand):
    device = provider(market="0" * 64)
    with pytest.raises(Refusal, match="not 0000"):
        device.receive(by_hand.challenge(), 0.0)
    with pytest.raises(Refusal, match="version 9"):
        provider().receive(by_hand.challenge().replace(b'"version":1', b'"version":9'), 0.0)


def lent(scene):
    """A lease, offered."""
    order = scene.order()
    terms = scene.terms(order, PROVIDER)
    scene.order_of("assign", {"leases": [terms]})
    return terms["seal"]


def test_a_lease_is_accepted_computed_and_its_result_counts(scene, by_hand, joined):
    lease = lent(scene)
    accept = joined.receive(by_hand.lease(lease), 0.0)
    assert not joined.receive(by_hand.lease(lease), 0.0), "told twice it is accepted once"
    [compute] = asked(by_hand, joined, accept)
    assert isinstance(compute, Compute) and compute.lease.lease == lease
    assert scene.find(Lease, lease).state == "held"
    assert not joined.receive(by_hand.lease(lease), 0.0), "it is under way"
    asked(by_hand, joined, joined.computed(lease, scene.right))
    assert scene.find(Result, lease).root == scene.right.tree.root.hex()
    joined.receive(encode(Final("", lease, [0], "final", "1000")), 0.0)
    assert (joined.history.results, joined.history.final, joined.history.earned) == (1, 1, 1000)
    assert not joined.traces and not joined.leases


def test_a_lease_below_cost_or_of_a_device_that_stops_is_declined(scene, by_hand, joined):
    joined.cost = PRICE + 1
    lease = lent(scene)
    asked(by_hand, joined, joined.receive(by_hand.lease(lease), 0.0))
    assert by_hand.told[-1].request == joined_request(by_hand, "decline")
    joined.cost = 0
    other = lent(scene)
    joined.stop(0.0)
    asked(by_hand, joined, joined.receive(by_hand.lease(other), 0.0))
    assert scene.names("lease") == []
    assert joined.history.declined == 2


def joined_request(by_hand, kind):
    raw = by_hand.told[-1].request
    assert f'"kind":"{kind}"'.encode() in bytes(raw)
    return raw


def test_who_cannot_stake_declines(scene, by_hand, joined):
    lease = lent(scene)
    scene.ask(PROVIDER, "withdraw", {"amount": "999999", "nonce": scene.nonce()})
    [decline] = asked(by_hand, joined, joined.receive(by_hand.lease(lease), 0.0))
    asked(by_hand, joined, [decline])
    assert scene.names("lease") == []
    assert joined.session.refused[0].reason == "beyond-free"


def test_what_cannot_be_computed_or_is_in_hand_is_handed_back(scene, by_hand, joined):
    for give_back in (joined.failed, lambda lease: joined.hand_back()):
        lease = lent(scene)
        asked(by_hand, joined, joined.receive(by_hand.lease(lease), 0.0))
        joined.receive(by_hand.lease(lease), 0.0)
        asked(by_hand, joined, give_back(lease))
        joined.receive(encode(Final("", lease, [0], "returned", "0")), 0.0)
    assert scene.names("lease") == []
    assert not joined.progress


def test_it_gives_signs_of_life_while_it_computes_and_renews_its_offer(scene, by_hand, joined):
    joined.expiry = 100
    assert not joined.tick(10.0)
    lease = lent(scene)
    asked(by_hand, joined, joined.receive(by_hand.lease(lease), 10.0))
    joined.progressed(lease, 0.25)
    [heart] = joined.tick(20.0)
    assert from_peer(heart) == Heart({lease: 0.25})
    assert not joined.tick(20.0 + scene.rules.heart - 1)
    assert len(joined.tick(60.0)) == 2, "a sign of life and an offer"
    tokens = from_peer(joined.progressed(lease, 0.5, [3, 4])[0])
    assert (tokens.lease, tokens.tokens) == (lease, [3, 4])


def play(scene, by_hand, lease, sides):
    """A dispute between peers, by keys, in frames alone; how it ended."""
    held = coordinate.begin(scene, next(iter(scene.names("claim"))))
    known = dict.fromkeys(sides, 0)
    while held.dispute.verdict is None:
        name = held.dispute.key(held.dispute.turn)
        frames = sides[name].receive(by_hand.turn(held, lease, known[name]), 0.0)
        known[name] = len(held.entries)
        if not frames:
            held.tick(held.dispute.clocks.due + 1)
            if held.dispute.absent:
                held.forfeit(held.dispute.clocks.since)
            continue
        [said] = frames
        sent = from_peer(said)
        assert isinstance(sent, Play)
        held.receive(sent.raw, scene.tick)
    for side in sides.values():
        assert not side.receive(by_hand.turn(held, lease, len(held.entries)), 0.0)
    return held


def challenged(scene, by_hand, joined, mine, theirs):
    """A published result of the device's and a verifier's claim against it; both devices, by key."""
    lease = lent(scene)
    asked(by_hand, joined, joined.receive(by_hand.lease(lease), 0.0))
    joined.receive(by_hand.lease(lease), 0.0)
    scene.traces |= {trace.tree.root.hex(): trace for trace in (mine, theirs)}
    asked(by_hand, joined, joined.computed(lease, mine))
    while scene.state.facts["lease"][lease]["state"] == "received":
        coordinate.go_on(scene, lease)
    other = provider(STRANGERS[0])
    other.receive(by_hand.challenge(), 0.0)
    other.receive(by_hand.welcome(registered=True), 0.0)
    other.traces["audit"] = theirs
    claim = {"lease": lease, "header": scene.find(Result, lease).header, "root": theirs.tree.root.hex()}
    claim |= {"bond": str(4 * PRICE), "challenger": other.name}
    scene.ask(STRANGERS[0], "claim", claim)
    return lease, {joined.name: joined, other.name: other}


@pytest.mark.parametrize(("lies", "winner"), [(True, "challenger"), (False, "asserter")])
def test_who_stands_by_the_right_trace_wins_message_by_message(scene, by_hand, joined, lies, winner):
    scene.choose(PROVIDER, False)
    mine, theirs = (wrong(scene), scene.right) if lies else (scene.right, wrong(scene))
    scene.parties[PROVIDER].trace = mine
    scene.choose(PROVIDER, False)
    lease, sides = challenged(scene, by_hand, joined, mine, theirs)
    held = play(scene, by_hand, lease, sides)
    assert held.dispute.verdict.winner == winner
    assert held.dispute.verdict.reason in ("step-wrong", "step-right")


def test_a_device_that_lost_its_memory_asks_for_the_dispute_when_it_has_its_trace_again(scene, by_hand, joined):
    scene.choose(PROVIDER, False)
    lease, _ = challenged(scene, by_hand, joined, scene.right, wrong(scene))
    held = coordinate.begin(scene, next(iter(scene.names("claim"))))
    fresh = provider()
    fresh.receive(by_hand.challenge(), 0.0)
    fresh.receive(by_hand.welcome(registered=True), 0.0)
    assert not fresh.receive(by_hand.turn(held, lease), 0.0)
    [compute] = fresh.receive(by_hand.lease(lease), 0.0)
    [retell] = fresh.computed(lease, scene.right)
    assert compute.lease.lease == lease
    assert from_peer(retell) == Retell(claim=held.dispute.content["claim"])
    [said] = fresh.receive(by_hand.turn(held, lease), 0.0)
    held.receive(from_peer(said).raw, scene.tick)
    assert held.dispute.turn == "challenger"


def test_a_record_that_does_not_follow_is_refused(scene, by_hand, joined):
    scene.choose(PROVIDER, False)
    lease, _ = challenged(scene, by_hand, joined, scene.right, wrong(scene))
    held = coordinate.begin(scene, next(iter(scene.names("claim"))))
    [said] = joined.receive(by_hand.turn(held, lease), 0.0)
    held.receive(from_peer(said).raw, scene.tick)
    content = dict(held.entries[0].record.content) | {"clocks": held.dispute.clocks.plain() | {"asserter": 1}}
    forged = scene.signed(scene.parties[COORDINATOR].owner, "record", content)
    held.entries[0] = type(held.entries[0])(forged, held.entries[0].message)
    with pytest.raises(Refusal, match="clocks"):
        joined.receive(by_hand.turn(held, lease), 0.0)


def test_what_is_measured_or_computed_while_nobody_listens_is_said_after_the_welcome(scene, by_hand):
    device = provider()
    device.receive(by_hand.challenge(), 0.0)
    device.receive(by_hand.welcome(registered=True), 0.0)
    assert device.receive(encode(Suitable({"numbers": 2})), 0.0) == [Measure("numbers")]
    device.reopened()
    assert not device.measured("numbers", 1e9), "nobody has asked for it on this connection"
    device.receive(by_hand.challenge(), 0.0)
    [preflight] = device.receive(by_hand.welcome(registered=True), 0.0)
    [benchmark] = device.receive(encode(Suitable({"numbers": 2})), 0.0)
    assert (from_peer(preflight), from_peer(benchmark)) == (PREFLIGHT, Benchmark("numbers", 1e9))
    [offer] = device.receive(encode(Suitable({"numbers": 16})), 0.0)
    asked(by_hand, device, [offer])
    lease = lent(scene)
    [_] = asked(by_hand, device, device.receive(by_hand.lease(lease), 0.0))
    device.reopened()
    assert not device.progressed(lease, 0.5, [1]) and not device.computed(lease, scene.right)
    device.receive(by_hand.challenge(), 0.0)
    device.receive(by_hand.welcome(registered=True), 0.0)
    asked(by_hand, device, device.receive(by_hand.lease(lease), 0.0))
    assert scene.find(Result, lease).root == scene.right.tree.root.hex()


def test_signs_of_life_go_on_where_a_market_that_stood_says_that_it_is_earlier(scene, by_hand, joined):
    """The device took it to be later than it was; three beats of the market's own time would have passed in silence."""
    lease = lent(scene)
    asked(by_hand, joined, joined.receive(by_hand.lease(lease), 0.0))
    assert joined.tick(100.0)
    joined.reopened()
    joined.receive(by_hand.challenge(), 101.0)
    joined.receive(by_hand.welcome(registered=True), 101.0)
    assert from_peer(joined.tick(101.0 + scene.rules.heart)[0]) == Heart({lease: 0.0})


def test_what_was_accepted_on_a_connection_that_broke_is_accepted_again(scene, by_hand, joined):
    lease = lent(scene)
    assert joined.receive(by_hand.lease(lease), 0.0)
    joined.reopened()
    joined.receive(by_hand.challenge(), 0.0)
    joined.receive(by_hand.welcome(registered=True), 0.0)
    [compute] = asked(by_hand, joined, joined.receive(by_hand.lease(lease), 0.0))
    assert compute.lease.lease == lease and scene.find(Lease, lease).state == "held"


def test_tokens_that_come_faster_than_they_may_be_said_are_said_together(scene, by_hand, joined):
    lease = lent(scene)
    asked(by_hand, joined, joined.receive(by_hand.lease(lease), 0.0))
    frames = [frame for at in range(100) for frame in joined.progressed(lease, at / 100, [at])]
    assert len(frames) == SAID
    frames += joined.tick(0.25)
    assert [token for frame in frames for token in from_peer(frame).tokens] == list(range(100))
    assert joined.progressed(lease, 1.0, [100]), "and one by one again"
    for at in range(SAID):
        joined.progressed(lease, 1.0, [at])
    [result] = joined.computed(lease, scene.right)
    asked(by_hand, joined, [result])
    assert not joined.tick(0.5), "the result has told them"


def test_what_was_over_while_it_was_away_is_forgotten(scene, by_hand, joined):
    lease = lent(scene)
    asked(by_hand, joined, joined.receive(by_hand.lease(lease), 0.0))
    scene.ask(PROVIDER, "return", {"lease": lease})
    joined.reopened()
    joined.receive(by_hand.challenge(), 0.0)
    joined.receive(by_hand.welcome(registered=True), 0.0)
    assert not joined.leases and not joined.progress and not joined.tick(100.0)
    assert not joined.computed(lease, scene.right) and not joined.traces


@pytest.mark.parametrize("clock", [3600.0, -3600.0])
def test_a_clock_that_is_wrong_by_an_hour_or_is_set_right_changes_nothing(scene, by_hand, clock):
    device = provider(expiry=100)
    device.receive(by_hand.challenge(), clock)
    device.receive(by_hand.welcome(registered=True), clock)
    device.receive(encode(Suitable({"numbers": 16})), clock)
    device.measured("numbers", 1e9)
    asked(by_hand, device, device.receive(encode(Suitable({"numbers": 16})), clock), clock)
    lease = lent(scene)
    asked(by_hand, device, device.receive(by_hand.lease(lease), clock), clock)
    for now in (clock, 0.0):  # it is set right while it works
        beats = [now + tick for tick in range(2 * scene.rules.heart) for frame in device.tick(now + tick) if frame]
        assert len(beats) >= 1 and device.leases
    asked(by_hand, device, device.computed(lease, scene.right))
    assert scene.find(Result, lease).root == scene.right.tree.root.hex()
