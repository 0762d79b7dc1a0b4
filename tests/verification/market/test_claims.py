"""Claims and their queue; a dispute's beginning and its messages as the ledger sees them."""

from hashlib import sha256

import pytest

from verification.encoding.canonical import digest
from verification.encoding.request import request

ASSERTER, CHALLENGER = 4 * 60 + 2 * 100, 4 * 60 + 100


@pytest.fixture
def lease(market):
    """A result of device 0 that is shown."""
    return market.shown(market.devices[0])


@pytest.fixture
def claimed(market, lease, records):
    """Make a claim with anything said otherwise."""

    def claimed(owner, **changed):
        header = market.find(records["result"], lease).header
        content = {"lease": lease, "header": header, "root": "ab" * 32, "bond": "4000", "challenger": owner}
        return market.ask(owner, "claim", content | changed)

    return claimed


def test_a_claim_locks_its_bond_and_bars_the_device(market, refused, records, lease, claimed):
    owner = market.owners[1]
    name = claimed(owner, bond="4321")
    assert market.free(owner) == 1_000_000 - 4_321 and market.balance(f"bond:{owner}:{name}") == 4_321
    assert market.lease(lease).state == "disputed"
    assert refused(market.final, lease) == "wrong-state"
    assert refused(market.assign, market.order(), market.devices[0]) == "barred-device"


def test_a_device_of_the_owner_may_play(market, lease, claimed, records):
    name = claimed(market.owners[1], challenger=market.devices[1])
    assert market.find(records["claim"], name).challenger == market.devices[1]


@pytest.mark.parametrize(
    "reason, changed",
    [
        ("small-bond", {"bond": "3999"}),
        ("beyond-largest", {"bond": str(2**53)}),
        ("beyond-free", {"bond": "1000001"}),
        ("wrong-header", {"header": "0" * 64}),
        ("no-such-lease", {"lease": "0" * 64}),
        ("malformed", {"bond": "04000"}),
        ("malformed", {"bond": 4000}),
        ("malformed", {"root": "AB" * 32}),
        ("malformed", {"more": 1}),
    ],
)
def test_what_is_no_claim_is_refused(market, refused, claimed, reason, changed):
    head = market.ledger.head
    assert refused(claimed, market.owners[1], **changed) == reason
    assert market.ledger.head == head


def test_only_another_owner_claims_by_a_key_of_its_own_another_root_once(market, refused, records, lease, claimed):
    one, two = market.owners[:2]
    again = market.device(one, "another device of owner 0")
    assert refused(claimed, one) == refused(claimed, one, challenger=again) == "own-result"
    assert refused(claimed, two, challenger=market.devices[2]) == "not-the-owner"
    assert refused(claimed, two, challenger="0" * 64) == "malformed"
    assert refused(claimed, market.devices[1]) == "no-such-owner"
    assert refused(claimed, two, root=market.find(records["result"], lease).root) == "equal-root"
    claimed(two)
    assert refused(claimed, two, root="cd" * 32) == "second-claim"


def test_a_claim_is_made_in_the_window(market, refused, lease, claimed):
    market.advance(market.rules.window)
    claimed(market.owners[1])
    market.advance(1)
    assert refused(claimed, market.owners[2]) == "late"


def test_nobody_claims_against_what_is_not_shown(market, refused, records):
    device = market.devices[0]
    held = market.lend(device)
    drawn = market.served(market.devices[1], drawn=True)
    content = {"header": "0" * 64, "root": "ab" * 32, "bond": "4000", "challenger": market.owners[2]}
    for lease, reason in ((held, "wrong-state"), (drawn, "wrong-state")):
        assert refused(market.ask, market.owners[2], "claim", content | {"lease": lease}) == reason
    market.audit(drawn)
    assert refused(market.ask, market.owners[2], "claim", content | {"lease": drawn}) == "not-shown"


def test_audits_come_first_then_the_highest_bond_then_the_oldest(market, refused, records):
    device = market.devices[0]
    leases, drawn = [market.shown(device) for _ in range(3)], market.served(device, drawn=True)
    bonds = zip(leases, market.owners[1:], (4_000, 9_000, 9_000), strict=False)
    low, high, same = [market.claim(lease, owner, 2, bond) for lease, owner, bond in bonds]
    for name in (low, same):
        assert refused(market.begin, name) == "not-first"
    market.begin(high)
    assert refused(market.begin, low) == refused(market.begin, high) == "under-dispute"
    market.verify(market.audit(drawn), 2)
    audits = next(name for name in market.names("claim") if market.find(records["claim"], name).audit)
    assert refused(market.begin, audits) == "under-dispute"
    market.decide(high, "asserter")
    assert refused(market.begin, same) == "not-first"
    for name in (audits, same, low):
        market.decide(market.begin(name), "asserter")
    assert market.find(records["device"], device).disputed == 0
    assert not market.names("dispute") + market.names(f"claims:{device}")


def test_disputes_of_two_asserters_run_at_once(market):
    claims = [market.claim(market.shown(device), market.owners[4], 2) for device in market.devices[:2]]
    for claim in claims:
        market.begin(claim)


@pytest.mark.parametrize(
    "changed",
    [
        {"header": "0" * 64},
        {"computation": "0" * 64},
        {"asserter": "device 1"},
        {"challenger": "device 1"},
        {"roots": {"asserter": "0" * 64, "challenger": "1" * 64}},
        {"rules": {"delta": 61, "levels": 2, "message_limit": 96_000}},
        {"budgets": {"asserter": ASSERTER - 1, "challenger": CHALLENGER}},
        {"budgets": {"asserter": ASSERTER, "challenger": CHALLENGER + 1}},
        {"tick": 1},
        {"head": {"number": 0, "digest": "0" * 64}},
    ],
)
def test_a_dispute_begins_with_what_the_ledger_says(market, refused, lease, changed):
    changed = {part: market.devices[1] if value == "device 1" else value for part, value in changed.items()}
    name = market.claim(lease, market.owners[1], 2)
    content = market.beginning(name)
    assert refused(market.order_of, "begin", content | changed) == "wrong-begin"
    assert refused(market.order_of, "begin", content | {"claim": "0" * 64}) == "no-such-claim"
    assert refused(market.ask, market.owners[1], "begin", content) == "not-the-coordinator"
    market.order_of("begin", content)
    assert market.clocks(name) == {"asserter": ASSERTER, "challenger": CHALLENGER, "turn": "asserter", "since": 0}


@pytest.mark.parametrize(
    "changed", [{"input": "0" * 64}, {"limit": 17}, {"temperature": 1}, {"seed": "8"}, {"top_p": 1}, {}]
)
def test_a_dispute_is_about_what_the_user_ordered(market, refused, changed):
    """By the graph that was leased, and by nothing else on the coordinator's word."""
    order = market.order(**changed)
    claim = market.claim(market.shown(market.devices[0], order=order), market.owners[1], 2)
    other = market.claim(market.shown(market.devices[2], graph="0" * 64), market.owners[1], 2)
    here, there = market.beginning(claim), market.beginning(other)
    assert here["computation"] != there["computation"]
    assert refused(market.order_of, "begin", here | {"computation": there["computation"]}) == "wrong-begin"
    market.begin(claim)


def test_several_requests_are_one_computation(market, refused):
    part = {"model": "ab" * 32, "limit": 16, "temperature": 700_000, "seed": "7"}
    requests = [part | {"input": name * 32} for name in ("01", "02", "03")]
    requests[2] |= {"top_k": 40, "top_p": 900_000}
    content = {"requests": requests, "bid": "4000", "patience": 100, "unaudited": False, "nonce": market.nonce()}
    order = market.ask(market.user, "order", content)
    claim = market.claim(market.shown(market.devices[0], order=order, part=[0, 2]), market.owners[1], 2)
    digests = {"model": digest(["ab" * 32] * 2), "graph": "cd" * 32, "input": digest(["01" * 32, "03" * 32])}
    terms = {"seed": digest(["7"] * 2), "temperature": digest(["0.7"] * 2), "limit": digest(["16"] * 2)}
    terms |= {"top_k": digest(["", "40"]), "top_p": digest(["", "0.9"])}
    begun = market.beginning(claim)
    assert refused(market.order_of, "begin", begun) == "wrong-begin"
    market.order_of("begin", begun | {"computation": digest({"digests": digests, "terms": terms})})


def test_each_turn_takes_from_its_own_budget(market, refused, lease):
    name = market.begin(market.claim(lease, market.owners[1], 2))
    for ticks, turn in ((7, "challenger"), (5, "asserter"), (11, "challenger")):
        market.advance(ticks)
        market.play(name)
        assert market.clocks(name)["turn"] == turn
    assert market.clocks(name) == {
        "asserter": ASSERTER - 18,
        "challenger": CHALLENGER - 5,
        "turn": "challenger",
        "since": 23,
    }
    assert market.dispute(name).index == 4


@pytest.mark.parametrize("changed", [{"asserter": ASSERTER}, {"turn": "asserter"}, {"turn": None}, {"since": 6}])
def test_clocks_that_do_not_follow_are_refused(market, refused, lease, changed):
    name = market.begin(market.claim(lease, market.owners[1], 2))
    market.advance(7)
    assert refused(market.play, name, **changed) == "wrong-clocks"
    market.play(name)


def test_a_message_is_of_whose_turn_it_is_and_follows_the_last_one(market, refused, lease):
    name = market.begin(market.claim(lease, market.owners[1], 2))
    first = market.message(name)
    for raw, reason in (
        (market.message(name, party=market.owners[1]), "not-your-turn"),
        (market.message(name, party=market.devices[2]), "not-your-turn"),
        (market.message(name, index=2), "out-of-order"),
        (market.message(name, previous=name), "out-of-order"),
        (first.replace(b'"index":1', b'"index":2'), "wrong-signature"),
        (request(market.keys[market.devices[0]], "descend", "0" * 64, {"index": 1}).raw, "wrong-signature"),
        (request(market.keys[market.devices[0]], "descend", market.ledger.market, [1]).raw, "out-of-order"),
        (b"{}", "malformed"),
        (b"0" * 96_001, "oversized"),
    ):
        assert refused(market.play, name, raw=raw) == reason
    market.play(name, raw=first)
    assert market.ledger.blob(sha256(first).hexdigest()) == first
    assert refused(market.play, name, raw=first) == "not-your-turn"
    market.play(name)
    market.advance()
    assert refused(market.play, name, raw=first) == "out-of-order"


def test_a_message_comes_with_its_bytes(market, refused, lease):
    name = market.begin(market.claim(lease, market.owners[1], 2))
    content = {"claim": name, "message": "ab" * 32, "clocks": market.clocks(name, turn="challenger")}
    assert refused(market.order_of, "play", content) == "missing-message"


def test_an_answer_in_the_last_tick_is_in_time(market, refused, lease):
    name = market.begin(market.claim(lease, market.owners[1], 2))
    market.advance(ASSERTER)
    assert refused(market.timeout, name) == "too-early"
    market.play(name)
    market.advance(CHALLENGER)
    assert refused(market.verdict, name, "asserter") == "too-early"
    market.play(name)
    market.advance(1)
    assert refused(market.play, name, asserter=0) == "late"
    market.timeout(name)
    assert refused(market.play, name, asserter=0) == "not-your-turn"


def test_claims_made_in_the_window_stay_good_however_long_others_hold_the_asserter(market, refused):
    """Sock-puppets with higher bonds are played first, each on clocks of its own, and each loses its bond."""
    lease, cheat = market.shown(market.devices[0], 2), market.owners[0]
    puppets = [market.owner(f"puppet {number}", 5_000) for number in range(3)]
    honest = market.claim(lease, market.owners[1], 1)
    claims = [market.claim(lease, puppet, 3 + number, 5_000) for number, puppet in enumerate(puppets)]
    for claim in claims:
        market.begin(claim)
        market.advance(ASSERTER)
        market.play(claim)
        market.spend(claim)
        market.verdict(claim, "asserter")
    assert market.tick == 3 * (ASSERTER + CHALLENGER + 1) > market.rules.window
    assert refused(market.final, lease) == "wrong-state"
    market.begin(honest)
    assert market.clocks(honest)["asserter"] == ASSERTER
    market.decide(honest, "challenger")
    assert market.free(market.owners[1]) == 1_001_000
    assert market.free(cheat) == 1_000_000 - 8_000 + 3 * 2_500
    assert [market.free(puppet) for puppet in puppets] == [0] * 3


def test_a_friend_who_claims_the_right_root_and_loses_shields_nothing(market):
    lease = market.shown(market.devices[0], 2)
    friend, honest = market.owners[1:3]
    claim = market.begin(market.claim(lease, friend, 1))
    market.decide(claim, "asserter")  # by wrong steps of its own, at once
    assert market.lease(lease).state == "published"
    claim = market.begin(market.claim(lease, honest, 1))
    market.decide(claim, "challenger")
    assert market.free(honest) == 1_001_000


def test_a_bond_is_reckoned_on_the_audit_price(market, refused):
    lease = market.shown(market.devices[0], audit_price="1050")
    assert refused(market.claim, lease, market.owners[1], 2, bond=4_199) == "small-bond"
    market.claim(lease, market.owners[1], 2, bond=4_200)
