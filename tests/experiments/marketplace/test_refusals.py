"""What the ledger will not lease: it is leased otherwise, or leaves the slot to others, and is told why it waits."""

from dataclasses import replace
from hashlib import sha256

import pytest
from test_checks import ALWAYS
from town import RULES, Town, outcomes

from experiments.marketplace import messages, rounds
from experiments.marketplace.models import SmallNumbers, request_of, table
from experiments.marketplace.refusals import LONGEST, Refusals
from verification.encoding.canonical import digest
from verification.encoding.signature import public
from verification.market.accounts import free

MOST = RULES.largest_price


def assigned(town):
    return [
        lease
        for event in town.ledger.events()
        if event.request.kind == "assign"
        for lease in event.request.content["leases"]
    ]


def test_a_bundle_whose_price_would_be_beyond_the_largest_is_leased_at_that(town):
    user, other = town.join("rich", purse=100 * MOST), town.join("other")
    town.join("provider", device=True, slots=1, purse=100 * MOST)
    town.order(user, inputs=(1, 2, 3, 4), bid=50 * MOST)
    town.order(other, inputs=(5,))
    town.run()
    [dear, _] = assigned(town)
    assert (dear["part"], int(dear["price"])) == ([0, 1, 2, 3], MOST)
    assert outcomes(user)[-1] == outcomes(other)[-1] == "served"


def test_a_bid_beyond_what_a_device_has_stakes_for_is_leased_at_what_it_has(town):
    user = town.join("rich", purse=MOST)
    town.join("provider", device=True, slots=1, purse=8 * 700)
    town.order(user, bid=MOST)
    town.run()
    assert [int(lease["price"]) for lease in assigned(town)] == [700] and outcomes(user)[-1] == "served"


def posted(user, town, token, bid, *, unaudited):
    raw = town.known[0].input(token)
    requests = [request_of(town.known[0], sha256(raw).hexdigest(), limit=3)]
    terms = {"requests": requests, "bid": str(bid), "patience": 300, "unaudited": unaudited, "nonce": digest([token])}
    return user.ask("order", terms, {sha256(raw).hexdigest(): raw}).name


def test_an_order_that_cannot_be_leased_keeps_no_slot_from_others_and_is_told_why():
    """Nobody could audit: who has not signed that this may be waits, and outbids who has."""
    town = Town(audits=False)
    user = town.join("user")
    town.join("provider", device=True, slots=1)
    proud = posted(user, town, 4, 9_000, unaudited=False)
    modest = posted(user, town, 5, 2_000, unaudited=True)
    town.pass_time(5)
    assert [lease["order"] for lease in assigned(town)] == [modest], "in the same round"
    waits = [wait for wait in user.of(messages.Waits) if wait.order == proud]
    assert "nobody could audit it" in waits[-1].reason
    town.run()
    assert [final.outcome for final in user.of(messages.Final) if not final.lease] == ["served", "expired"]


def test_what_was_refused_is_tried_again_when_what_it_lacked_may_have_come():
    town = Town(audits=False)
    user = town.join("user")
    town.join("provider", device=True, slots=1)
    posted(user, town, 4, 9_000, unaudited=False)
    town.pass_time(20)
    town.offer_own()
    town.run()
    assert outcomes(user)[-1] == "served"


def test_a_round_in_which_many_are_refused_still_leases_the_slot():
    town = Town(audits=False)
    user = town.join("user")
    town.join("provider", device=True, slots=1)
    for at in range(15):
        posted(user, town, at, 9_000 + at, unaudited=False)
    modest = posted(user, town, 99, 2_000, unaudited=True)
    town.pass_time(30)
    assert [lease["order"] for lease in assigned(town)] == [modest]


def test_an_estimate_says_that_the_fee_for_a_dear_audit_is_beyond_the_bid(town):
    user = town.join("user")
    town.join("cheap", device=True, cost=1)
    for at in range(3):
        town.join(f"dear {at}", device=True, cost=5_000)
    raw = town.known[0].input(4)
    asked = request_of(town.known[0], sha256(raw).hexdigest(), limit=3)
    user.send(messages.Estimate(1, [asked], "100", {"": raw}))
    quote = user.last(messages.Quote)
    assert quote.price is None and "audit" in quote.reason
    user.send(messages.Estimate(2, [asked], quote.bid, {"": raw}))
    town.order(user, bid=int(quote.bid))
    town.pass_time(6)
    assert user.last(messages.Quote).price == quote.bid
    [lease] = assigned(town)
    assert int(lease["price"]) < int(lease["audit_price"]) == 5_000
    town.run()
    assert user.last(messages.Final).paid == quote.bid


@pytest.mark.parametrize("bid", [1, 2])
def test_a_bid_that_pays_no_lease_is_refused_at_once(town, bid):
    user = town.join("user")
    town.join("provider", device=True, cost=1)
    order = town.order(user, bid=bid).name
    assert (order in town.ledger.state.facts.get("order", {})) == (bid == 2)
    if bid < 2:
        assert user.last(messages.Refused).reason == "bid-too-small"
        return
    town.run()
    assert outcomes(user)[-1] == "served"


def test_a_bundle_is_leased_as_its_device_computes_and_its_price_with_it(town):
    user, device = town.join("user"), town.join("provider", device=True, slots=1)
    device.send(messages.Preflight("adapter", 2**30, requests=2))
    town.order(user, inputs=(1, 2, 3), bid=9_000)
    town.run()
    first, second = assigned(town)
    assert (first["part"], second["part"]) == ([0, 1], [2])
    assert 500 <= int(first["price"]) < 5_000 and outcomes(user) == ["final", "final", "served"]


def test_an_audit_of_a_bundle_is_no_work_for_who_computes_one_at_a_time():
    town = Town(rules=ALWAYS)
    user, device = town.join("user"), town.join("device", device=True, cost=1, slots=1)
    pages = [town.join(f"page {at}", device=True) for at in range(3)]
    able = town.join("able", device=True)
    for page in pages:
        page.send(messages.Preflight("adapter", 2**30, requests=1))
    town.order(user, inputs=(1, 2), bid=9_000)
    town.run()
    assert outcomes(user)[-1] == "served" and "final" in outcomes(able) and outcomes(device) == ["final"]
    assert not any(page.of(messages.Lease) for page in pages)


def test_no_more_is_leased_than_one_result_has_room_for(town, monkeypatch):
    shape = town.known[0].shape({"limit": 3, "temperature": 0, "seed": "0"}, b"4")
    monkeypatch.setattr(rounds, "MOST_OUTPUT", 4 * 2 * shape.words)
    user = town.join("user")
    town.join("provider", device=True, slots=1)
    town.order(user, inputs=(1, 2, 3), bid=9_000)
    town.run()
    assert [lease["part"] for lease in assigned(town)] == [[0, 1], [2]] and outcomes(user)[-1] == "served"


def test_what_no_result_has_room_for_is_refused_at_once(town, monkeypatch):
    monkeypatch.setattr("experiments.marketplace.orders.MOST_OUTPUT", 4)
    user = town.join("user")
    town.order(user)
    refused = user.last(messages.Refused)
    assert refused.reason == "unrunnable" and "at most 4 are delivered" in refused.sentence


def test_who_is_refused_is_left_out_twice_as_long_each_time():
    refusals, tried = Refusals(), []
    for number in range(1, 64):
        if ("order", "device") not in refusals.barred(number):
            tried.append(number)
            refusals.note("order", "device", number, f"in {number}")
    assert tried == [1, 3, 6, 11, 20, 37, 54] and tried[-1] - tried[-2] == LONGEST + 1
    assert refusals.reasons(60) == {"order": "in 54"} and not refusals.reasons(54 + LONGEST + 1)
    refusals.forget({"other"})
    assert not refusals.barred(60)


def test_money_is_whole_after_all_of_it():
    town = Town(rules=replace(RULES, window=5))
    user = town.join("user", purse=100 * MOST)
    devices = [town.join(f"device {at}", device=True, slots=1, purse=8 * MOST * at + 8_000) for at in range(3)]
    for at in range(6):
        town.order(user, inputs=(at, at + 10), bid=MOST // 2 * (at + 1))
    town.run()
    town.ledger.state.check()
    spent = 100 * MOST - town.ledger.state.balances[free(public(user.owner))]
    assert spent == sum(int(final.paid) for final in user.of(messages.Final) if final.lease) > 0
    assert all(town.ledger.state.totals[public(device.owner)] >= 8_000 for device in devices)


def test_an_order_of_a_model_that_is_not_traded_any_more_is_told_so_and_no_other_waits_for_it():
    town = Town(models=(SmallNumbers(), SmallNumbers("others", weight=9)))
    user = town.join("user")
    old = town.order(user, model=town.known[1], bid=9_000).name
    town.known = town.known[:1]
    town.models = table(town.known)
    town.again()
    town.join("provider", device=True, slots=1)
    town.order(user)
    town.pass_time(6)
    assert {wait.reason for wait in user.of(messages.Waits)} == {rounds.UNTRADED}
    assert [lease["order"] == old for lease in assigned(town)] == [False]
