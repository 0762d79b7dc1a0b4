"""Leases: what is assigned, stakes, what declining, handing back and being late cost, and who could audit."""

from fractions import Fraction

import pytest

MODEL = "ab" * 32


def test_price_and_fee_leave_the_orders_escrow_and_return_with_the_lease(market, records):
    order = market.order(bid=1_500)
    lease = market.assign(order, market.devices[0], price=1_001)
    user = market.user
    assert [market.balance(f"{kind}:{user}:{lease}") for kind in ("escrow", "fee")] == [1_001, 221]
    assert market.balance(f"escrow:{user}:{order}") == 1_500 - 1_222
    market.ask(market.devices[0], "decline", {"lease": lease})
    assert market.balance(f"escrow:{user}:{order}") == 1_500


def test_a_bid_pays_price_and_fee(market, refused):
    order = market.order(bid=1_219)
    assert refused(market.assign, order, market.devices[0], price=1_000) == "beyond-escrow"
    market.assign(order, market.devices[0], price=999)


def test_one_assign_is_all_or_nothing(market, refused):
    one, two = market.order(), market.order()
    first = market.terms(one, market.devices[0])
    second = market.terms(two, market.devices[1], number=1)
    wrong = second | {"number": 2}
    assert refused(market.order_of, "assign", {"leases": [first, wrong]}) == "wrong-number"
    assert refused(market.ask, market.devices[0], "assign", {"leases": [first]}) == "not-the-coordinator"
    assert not market.names("lease") and market.number == 0
    market.order_of("assign", {"leases": [first, second]})
    assert market.names("lease") == [first["seal"], second["seal"]] and market.number == 2


@pytest.mark.parametrize(
    "reason, changed",
    [
        ("no-such-order", {"order": "0" * 64}),
        ("no-such-device", {"device": "owner"}),
        ("beyond-largest-price", {"audit_price": "1000001"}),
        ("wrong-audit-price", {"price": "1001"}),
        ("wrong-audit-price", {"price": "1", "audit_price": "499"}),
        ("beyond-largest", {"rows": 2**12, "words": 2**13}),
        ("wrong-number", {"number": 1}),
        ("malformed", {"price": 1000}),
        ("malformed", {"price": "0"}),
        ("malformed", {"seal": "0"}),
        ("malformed", {"limit": 0}),
        ("malformed", {"nodes": 2.0}),
        ("malformed", {"user": "0" * 64}),
    ],
)
def test_a_lease_has_terms_that_hold(market, refused, reason, changed):
    if changed.get("device"):
        changed = {"device": market.owners[0]}
    terms = market.terms(market.order(), market.devices[0]) | changed
    assert refused(market.order_of, "assign", {"leases": [terms]}) == reason


def test_a_seal_is_of_one_lease(market, refused):
    first = market.assign(market.order(), market.devices[0])
    assert refused(market.assign, market.order(), market.devices[1], seal=first) == "known-lease"


def test_accepting_locks_sigma_times_the_higher_of_price_and_cost(market, refused):
    market.offer(market.devices[0], cost=1_200)
    lease = market.assign(market.order(), market.devices[0], price=1_000)
    assert refused(market.ask, market.devices[1], "accept", {"lease": lease}) == "not-the-device"
    market.accept(lease)
    assert market.balance(f"stake:{market.owners[0]}:{lease}") == 9_600
    assert refused(market.ask, market.owners[0], "accept", {"lease": lease}) == "not-the-device"
    assert refused(market.ask, market.devices[0], "decline", {"lease": lease}) == "wrong-state"


def test_who_has_no_stake_cannot_accept_and_declines_by_silence(market, refused):
    owner = market.owner("poor", 7_999)
    device = market.device(owner, "poor device")
    market.offer(device)
    assert refused(market.assign, market.order(), device) == "no-stake"  # or it kept orders waiting for nothing
    market.deposit(owner, 1)
    lease = market.assign(market.order(), device)
    market.ask(owner, "withdraw", {"amount": "1", "nonce": market.nonce()})
    assert refused(market.accept, lease) == "beyond-free"
    assert refused(market.order_of, "decline", {"lease": lease}) == "too-early"
    market.advance(60)
    assert refused(market.order_of, "decline", {"lease": lease}) == "too-early"
    market.advance(1)
    market.order_of("decline", {"lease": lease})
    assert market.free(owner) == 7_999


def test_accepting_is_within_delta(market, refused):
    first, second = (market.assign(market.order(), device) for device in market.devices[:2])
    market.advance(60)
    market.accept(first)
    market.advance(1)
    assert refused(market.accept, second) == "late"
    assert refused(market.ask, market.devices[2], "decline", {"lease": second}) == "not-the-device"


@pytest.mark.parametrize("ticks, lost", [(0, 0), (60, 0), (61, 800)])
def test_handing_back_is_free_within_delta_of_accepting(market, ticks, lost):
    lease = market.lend(market.devices[0])
    market.advance(ticks)
    burnt = market.burnt
    market.ask(market.devices[0], "return", {"lease": lease})
    assert market.burnt == burnt + lost and market.free(market.owners[0]) == 1_000_000 - lost
    assert len(market.names("order")) == 1 and not market.names("lease")


def test_lateness_costs_the_missed_share(market, refused, records):
    lease = market.lend(market.devices[0])
    market.advance(100)
    assert refused(market.order_of, "miss", {"lease": lease, "why": "late"}) == "too-early"
    market.advance(1)
    assert refused(market.ask, market.user, "miss", {"lease": lease, "why": "late"}) == "not-the-coordinator"
    assert refused(market.order_of, "miss", {"lease": lease, "why": "slow"}) == "malformed"
    market.order_of("miss", {"lease": lease, "why": "late"})
    assert (market.burnt, market.free(market.owners[0])) == (800, 1_000_000 - 800)
    assert market.find(records["device"], market.devices[0]).busy == 0


def test_a_device_vanishes_after_three_beats(market, refused):
    lease = market.lend(market.devices[0])
    market.advance(15)
    assert refused(market.order_of, "miss", {"lease": lease, "why": "vanished"}) == "too-early"
    market.advance(1)
    market.order_of("miss", {"lease": lease, "why": "vanished"})
    assert market.burnt == 800


def test_three_other_owners_or_the_coordinator_could_audit(make_market, refused):
    market = make_market(owners=4, audit=False)
    one, *others = market.devices
    order = market.order()
    assert refused(market.assign, order, one) == "unauditable"
    assert refused(market.assign, order, one, auditors=others[:2]) == "unauditable"
    assert refused(market.assign, order, one, auditors=[one, *others[:2]]) == "unauditable"
    twin = market.device(market.owners[1], "twin")
    market.offer(twin)
    assert refused(market.assign, order, one, auditors=[*others[:2], twin]) == "unauditable"
    market.offer(others[2], cost=1_001)  # more than the fee is reckoned on
    assert refused(market.assign, order, one, auditors=others) == "unauditable"
    market.assign(order, one, auditors=others, audit_price=str(1_001))
    market.assign(market.order(unaudited=True), one)
    market.offer(next(key for key in market.names("device") if key not in [*market.devices, twin]))
    market.assign(market.order(), one)


def test_nothing_is_leased_while_the_fund_owes_more_than_it_holds_and_is_to_get(make_market, refused):
    market = make_market(largest_price=10, fund_prices=1, owners=5, cost=10, window=6)
    device = market.devices[0]
    drawn = [market.served(device, drawn=True, price=10) for _ in range(2)]
    others = [market.lend(device, price=10) for _ in range(2)]
    verifiers = [market.audit(lease) for lease in drawn]
    for left in (14, 11, 8):  # two audits of 10 less two, three, four fees of 3
        assert market.fund == 10 and market.draft.fact("fund", "owed") == left
        if left > 8:
            assert refused(market.lend, device, price=10) == "fund-short"
            market.result(others[(14 - left) // 3])
    market.ask(device, "return", {"lease": market.lend(device, price=10)})
    for verifier in verifiers:
        market.verify(verifier)
    market.drain(1)
    assert market.fund == 10 - 20 + 4 * 3 and market.draft.fact("fund", "owed") == 0


def test_many_open_results_do_not_stop_leasing(make_market):
    """Forty of the largest price, a fifth of them drawn, and a fund of one: their fees pay their audits."""
    market = make_market(largest_price=1_000, fund_prices=1, owners=5, window=6)
    for device in market.devices:
        market.offer(device, slots=40)
    for number in range(40):
        lease = market.served(market.devices[0], drawn=number % 5 == 0)
        if number % 5 == 0:
            market.verify(market.audit(lease))
    market.lend(market.devices[0])
    market.drain(1)
    assert market.fund == 1_000 + 41 * 220 - 8 * 1_000


def test_a_fee_is_never_less_than_its_share(make_market):
    market = make_market(fee=Fraction(21, 100))
    market.offer(market.devices[0], cost=1)
    lease = market.assign(market.order(), market.devices[0], price=1)
    assert market.balance(f"fee:{market.user}:{lease}") == 1
