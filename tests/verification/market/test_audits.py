"""Audits: who is drawn, who waits, who is paid, and that every lot is checked once the secret is shown."""

import pytest

from verification.encoding.signature import public
from verification.market import auditors, draws

MODEL = "ab" * 32


def lots(market, lease, weights, many, records, number=None):
    """The owners that are drawn first."""
    number = market.lease(lease).number if number is None else number
    signed = market.find(records["result"], lease).signed
    return draws.lots(market.secret(number), signed, [(owner, int(weight)) for owner, weight in weights], many)


def lot(market, lease, owner):
    market.lot(lease, owner)


def device_of(market, owner):
    return market.devices[market.owners.index(owner)]


def test_an_equal_root_ends_the_audit_and_both_are_paid(market, refused):
    fund, total = market.fund, sum(map(market.free, market.owners))
    lease = market.served(market.devices[0], drawn=True)
    weights = market.could(lease)
    verifier = market.audit(lease)
    assert market.lease(lease).state == "audited" and market.lease(verifier).price == 1_000
    market.verify(verifier)
    assert market.lease(verifier).state == "confirmed"
    assert refused(market.final, lease) == "wrong-state"
    market.reveal(lease, weights=weights)
    assert refused(market.final, verifier) == "wrong-state"
    market.end(lease)
    assert market.fund == fund + 220 - 1_000 and sum(map(market.free, market.owners)) == total + 2_000
    assert market.draft.fact("fund", "owed") == 0
    assert not market.names("lease") + market.names("audit") + market.names("result") + market.names("order")


def test_the_list_holds_other_owners_who_could_by_their_deposits(market, make_market):
    market.deposit(market.owners[1], 5)
    twin = market.device(market.owners[2], "twin")
    market.offer(twin)
    market.offer(market.devices[3], cost=1_101)
    market.offer(market.devices[4], slots=1)
    busy = market.lend(market.devices[4])
    lease = market.served(market.devices[0], drawn=True)
    listed = {market.owners[1]: "1000005", market.owners[2]: "1000000", market.owners[4]: "1000000"}
    assert market.could(lease) == sorted([owner, weight] for owner, weight in listed.items())
    market.result(busy)


def test_every_verifier_is_paid_the_audit_price_whatever_it_asks(market):
    for number, device in enumerate(market.devices[1:]):
        market.offer(device, cost=900 + 50 * number)
    lease = market.served(market.devices[0], drawn=True, audit_price="1050")
    assert market.lease(lease).stake == 8_400 and market.balance(f"fee:{market.user}:{lease}") == 231
    verifier = market.audit(lease)
    assert (market.lease(verifier).price, market.lease(verifier).stake) == (1_050, 8_400)


def fair(market, device, least):
    """The audit price that a coordinator should state for a lease of a device's."""
    owner = market.owners[market.devices.index(device)]
    return auditors.fair_audit_price(market.draft, [MODEL], owner, least)


def test_a_cheap_lease_is_not_audited_by_friends_alone(make_market):
    """A provider and three friends who ask next to nothing, and eight strangers who ask 500 to 535."""
    market = make_market(owners=12)
    league, strangers = market.devices[:4], market.devices[4:]
    for device in league:
        market.offer(device, cost=10)
    for number, device in enumerate(strangers):
        market.offer(device, cost=500 + 5 * number)
    alone = market.served(league[0], drawn=True, price=10)
    assert {owner for owner, _ in market.could(alone)} == set(market.owners[1:4])
    price = fair(market, league[0], 10)
    assert price == 520  # eight of eleven, the least number that is two thirds
    lease = market.served(league[0], drawn=True, price=10, audit_price=str(price))
    assert {owner for owner, _ in market.could(lease)} == set(market.owners[1:9])


def test_a_fair_audit_price_is_at_least_the_price_and_reckons_with_deposits(market):
    for number, device in enumerate(market.devices):
        market.offer(device, cost=100 * (number + 1))
    assert [fair(market, market.devices[0], least) for least in (1, 401, 900)] == [400, 401, 900]  # 3 of 4
    assert fair(market, market.devices[4], 1) == 300
    market.deposit(market.owners[4], 20_000_000)
    assert fair(market, market.devices[0], 1) == 500 and fair(market, market.devices[4], 1) == 300
    twin = market.device(market.owners[4], "twin")
    market.offer(twin, cost=50)
    assert fair(market, market.devices[0], 1) == 50


def test_only_a_device_of_the_drawn_owner_audits(market, refused, records):
    lease = market.served(market.devices[0], drawn=True)
    (owner,) = lots(market, lease, market.could(lease), 1, records)
    content = {"lease": lease, "number": market.number, "seal": market.seal(market.number)}
    device = device_of(market, owner)
    assert refused(market.order_of, "audit", content | {"device": device}) == "no-such-audit"
    content_of_lot = {"lease": lease, "seal": lease, "index": 0, "owner": owner}
    assert refused(market.order_of, "lot", content_of_lot | {"index": 1}) == "wrong-index"
    assert refused(market.order_of, "lot", content_of_lot | {"seal": "0" * 64}) == "wrong-index"
    lot(market, lease, owner)
    for other in market.devices:
        if other != device:
            assert refused(market.order_of, "audit", content | {"device": other}) == "not-drawn"
    assert refused(market.ask, device, "audit", content | {"device": device}) == "not-the-coordinator"
    market.order_of("audit", content | {"device": device})
    again = {"device": device, "number": market.number, "seal": market.seal(market.number)}
    assert refused(market.order_of, "audit", content | again) == "no-lot"
    assert refused(lot, market, lease, market.owners[1]) == "under-audit"


def test_a_lot_waits_one_work_limit_for_a_slot(market, refused, records):
    lease = market.served(market.devices[0], drawn=True)
    weights = market.could(lease)
    first, second = lots(market, lease, weights, 2, records)
    market.offer(device_of(market, first), slots=1)
    market.lend(device_of(market, first), limit=10_000)
    lot(market, lease, first)
    assert refused(market.verifier, lease) == "no-slot"
    market.advance(100)
    assert refused(lot, market, lease, second) == "too-early"
    market.advance(1)
    assert refused(lot, market, lease, first) == "drawn-before"
    lot(market, lease, second)
    market.verify(market.verifier(lease))
    market.reveal(lease, weights=weights)
    market.end(lease)


@pytest.mark.parametrize("how", ["decline", "silent", "return", "late"])
def test_a_verifier_that_leaves_is_followed_by_the_next_lot(market, refused, records, how):
    lease = market.served(market.devices[0], drawn=True)
    weights = market.could(lease)
    first, second = lots(market, lease, weights, 2, records)
    verifier = market.audit(lease)
    device = market.lease(verifier).device
    if how == "decline":
        market.ask(device, "decline", {"lease": verifier})
    elif how == "silent":
        market.advance(61)
        market.order_of("decline", {"lease": verifier})
    else:
        market.accept(verifier)
        if how == "return":
            market.ask(device, "return", {"lease": verifier})
        else:
            market.advance(101)
            market.order_of("miss", {"lease": verifier, "why": "late"})
    assert market.draft.fact("fund", "owed") == -220
    assert market.free(first) == 1_000_000 - (800 if how == "late" else 0)
    assert refused(market.verifier, lease) == "no-lot"
    lot(market, lease, second)
    market.verify(market.verifier(lease))
    market.reveal(lease, weights=weights)
    market.end(lease)
    assert market.free(second) == 1_001_000


def test_where_too_few_others_could_the_coordinator_audits_for_nothing(make_market, refused, records):
    market = make_market(owners=3, window=60)
    lease = market.served(market.devices[0], drawn=True)
    assert refused(lot, market, lease, market.owners[1]) == "coordinator-audits"
    fund = market.fund
    verifier = market.audit(lease)
    assert market.lease(verifier).state == "held" and market.lease(verifier).stake == 0
    market.verify(verifier)
    assert verifier not in market.names("lease")
    market.reveal(lease)
    market.end(lease)
    assert market.fund == fund + 220


def test_the_coordinator_audits_only_when_nobody_else_is_left(market, refused, records):
    coordinator = public(market.coordinator)
    lease = market.served(market.devices[0], drawn=True)
    weights = market.could(lease)
    assert refused(lot, market, lease, coordinator) == "not-exhausted"
    for owner in lots(market, lease, weights, 4, records):
        assert refused(lot, market, lease, coordinator) == "not-exhausted"
        lot(market, lease, owner)
        market.ask(device_of(market, owner), "decline", {"lease": market.verifier(lease)})
    assert refused(lot, market, lease, market.owners[0]) == "nobody-left"
    assert refused(market.reveal, lease, weights=weights) == "too-early"
    lot(market, lease, coordinator)
    market.verify(market.verifier(lease))
    market.reveal(lease, weights=weights)
    market.end(lease)


def test_a_coordinator_that_crashed_audits_anew(make_market):
    market = make_market(owners=1, window=60)
    lease = market.served(market.devices[0], drawn=True)
    verifier = market.audit(lease)
    market.advance(101)
    market.order_of("miss", {"lease": verifier, "why": "late"})
    verifier = market.audit(lease)
    market.verify(verifier)
    market.reveal(lease)
    market.end(lease)


def test_where_nobody_could_a_result_goes_unaudited(make_market, refused):
    market = make_market(owners=2, audit=False, window=60)
    order = market.order(unaudited=True)
    lease = market.served(market.devices[0], drawn=True, order=order)
    assert refused(market.publish, lease) == "drawn"  # a second owner is better than nobody
    market.offer(market.devices[1], models=[])
    market.publish(lease)
    market.end(lease)


def test_where_all_who_could_have_declined_a_result_goes_unaudited(make_market, refused):
    market = make_market(owners=2, audit=False, window=60)
    lease = market.served(market.devices[0], drawn=True, order=market.order(unaudited=True))
    weights = market.could(lease)
    lot(market, lease, market.owners[1])
    verifier = market.verifier(lease)
    assert refused(market.reveal, lease, weights=weights) == "too-early"
    market.ask(market.devices[1], "decline", {"lease": verifier})
    assert refused(lot, market, lease, public(market.coordinator)) == "nobody-could"
    market.reveal(lease, weights=weights)
    market.end(lease)


def test_another_owner_than_the_drawn_one_is_noticed(market, refused, records):
    lease = market.served(market.devices[0], drawn=True)
    weights = market.could(lease)
    _, second = lots(market, lease, weights, 2, records)
    lot(market, lease, second)
    market.verify(market.verifier(lease))
    assert refused(market.reveal, lease, weights=weights) == "wrong-lot"
    heavier = [[owner, str(int(weight) + (10**12 if owner == second else 0))] for owner, weight in weights]
    assert refused(market.reveal, lease, weights=heavier) == "wrong-list"
    content = {"lease": lease, "secret": market.secret(market.lease(lease).number), "list": None}
    assert refused(market.order_of, "reveal", content) == "missing-list"
    assert refused(market.order_of, "reveal", content | {"list": "0" * 64}) == "missing-list"
    assert refused(market.reveal, lease, number=99) == "wrong-secret"


def test_another_root_is_a_claim_without_a_bond(market, refused, records):
    lease = market.served(market.devices[0], drawn=True)
    weights = market.could(lease)
    verifier = market.audit(lease)
    market.verify(verifier, 2)
    (name,) = market.names("claim")
    claim = market.find(records["claim"], name)
    assert (claim.lease, claim.audit, claim.bond) == (lease, verifier, 0)
    assert claim.challenger == market.lease(verifier).device
    assert (market.lease(lease).state, market.lease(verifier).state) == ("disputed", "differs")
    assert refused(market.lend, market.devices[0]) == "barred-device"
    assert refused(market.reveal, lease, weights=weights) == "too-early"
    assert refused(market.final, lease) == "wrong-state"
    assert refused(market.final, verifier) == "wrong-state"
    assert refused(lot, market, lease, market.owners[2]) == "under-audit"


def test_who_is_barred_audits_and_is_leased_no_order(market, refused):
    """Else a coalition would own the lots by claims against strangers' cheapest results."""
    shown = [market.shown(device) for device in market.devices[1:]]
    for result in shown:
        market.claim(result, market.owners[0], 2)
    lease = market.served(market.devices[0], drawn=True)
    assert [owner for owner, _ in market.could(lease)] == sorted(market.owners[1:])
    verifier = market.audit(lease)
    assert refused(market.lend, market.lease(verifier).device) == "barred-device"
    market.verify(verifier)
    assert market.lease(verifier).state == "confirmed"


def challenged(market, refused):
    """A challenge of a shown result, and its lots' seal."""
    lease = market.shown(market.devices[0])
    name = market.ask(market.user, "challenge", {"lease": lease})
    assert market.balance(f"bond:{market.user}:{name}") == 2_000 and market.lease(lease).state == "audited"
    assert refused(lot, market, lease, market.owners[1]) == "under-audit"  # there is no seal yet
    market.seal_lots(lease)
    return lease, market.sealed[lease]


def test_a_challenge_buys_an_audit_at_two_prices(market, refused, records):
    lease, number = challenged(market, refused)
    weights = market.could(lease)
    (owner,) = lots(market, lease, weights, 1, records, number)
    lot(market, lease, owner)
    burnt, fund, before = market.burnt, market.fund, market.free(market.user)
    verifier = market.verifier(lease)
    assert refused(market.reveal, lease) == "too-early"
    market.verify(verifier)
    assert market.free(market.owners[0]) == 1_000_000 - 8_000 + 500
    assert market.burnt == burnt + 500
    market.reveal(lease)
    market.end(lease)
    assert market.free(owner) == 1_001_000 and market.fund == fund + 220
    assert market.free(market.user) == before + 780
    assert not [account for account in market.ledger.state.balances if account.startswith(("bond", "pay"))]


def test_a_result_is_challenged_once_by_an_owner_in_its_window(market, refused, records):
    drawn = market.served(market.devices[0], drawn=True)
    assert refused(market.ask, market.user, "challenge", {"lease": drawn}) == "wrong-state"
    lease = market.shown(market.devices[0])
    assert refused(market.ask, market.owners[0], "challenge", {"lease": lease}) == "own-result"
    assert refused(market.ask, market.key("stranger"), "challenge", {"lease": lease}) == "no-such-owner"
    assert refused(market.ask, market.owner("poor", 1_999), "challenge", {"lease": lease}) == "beyond-free"
    market.ask(market.user, "challenge", {"lease": lease})
    assert refused(market.ask, market.owners[1], "challenge", {"lease": lease}) == "wrong-state"
    number = market.number
    content = {"lease": lease, "number": number, "seal": market.seal(number)}
    market.order_of("seal", content)
    later = {"number": number + 1, "seal": market.seal(number + 1)}
    assert refused(market.order_of, "seal", content | later) == "sealed"
    other = market.shown(market.devices[1])
    market.advance(61)
    assert refused(market.ask, market.user, "challenge", {"lease": other}) == "late"


def test_neither_the_buyer_nor_who_has_confirmed_is_drawn_again(market, records):
    lease = market.served(market.devices[0], drawn=True)
    confirmed = market.lease(market.conclude(lease)).owner
    buyer = next(owner for owner in market.owners[1:] if owner != confirmed)
    market.challenge(lease, buyer)
    left = set(market.owners[1:]) - {confirmed, buyer}
    assert market.find(records["audit"], lease).many == len(left) == 2  # too few: the coordinator audits
    lot(market, lease, public(market.coordinator))
    market.verify(market.verifier(lease))
    market.reveal(lease)
    market.end(lease)


def test_a_bought_audit_draws_its_own_lots_where_the_coordinator_has_audited(make_market):
    market = make_market(owners=2, window=60)
    lease = market.served(market.devices[0], drawn=True)
    market.conclude(lease)
    market.challenge(lease, market.user)
    market.conclude(lease)
    market.end(lease)


def test_a_bought_audit_is_reckoned_on_the_audit_price(market):
    lease = market.shown(market.devices[0], audit_price="1050")
    before, burnt = market.free(market.user), market.burnt
    market.challenge(lease, market.user)
    assert market.free(market.user) == before - 2_100
    named = market.lease(market.conclude(lease)).owner
    market.end(lease)
    assert market.free(named) == 1_001_050 and market.burnt == burnt + 525
    assert market.free(market.owners[0]) == 1_001_000 + 525
