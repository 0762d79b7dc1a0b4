"""Verdicts: how a stake is divided, what returns, who is removed, and who falls with a wrong root."""

import pytest


def shares(stake):
    """Of a fallen stake: challenger's, fund's, burnt."""
    return stake // 8, stake // 4, stake - stake // 8 - stake // 4


def nothing_is_left(market):
    """No order but those that wait, nothing locked."""
    assert not market.names("lease") + market.names("result") + market.names("audit") + market.names("claim")
    kinds = {account.partition(":")[0] for account in market.ledger.state.balances}
    assert kinds <= {"free", "fund", "burnt", "escrow"}
    assert market.draft.fact("fund", "owed") in (None, 0)


def test_a_right_claim_takes_the_stake_and_removes_the_key(market, refused, records):
    device, owner, challenger = market.devices[0], market.owners[0], market.owners[1]
    lease = market.shown(device)
    others = [market.lend(device), market.assign(market.order(), device), market.shown(device)]
    fund, burnt = market.fund, market.burnt
    market.judge(market.claim(lease, challenger, 2), True)
    gained, funded, lost = shares(8_000)
    assert market.free(challenger) == 1_000_000 + gained
    assert (market.fund, market.burnt) == (fund + funded, burnt + lost)
    assert market.free(owner) == 1_000_000 - 8_000 - 8_000
    assert set(others) & set(market.names("lease")) == {others[-1]}  # it has a result, that goes on
    assert market.find(records["device"], device).removed
    market.end(others[-1])
    assert market.free(owner) == 1_000_000 - 8_000 + 1_000
    orders = [market.find(records["order"], name) for name in market.names("order")]
    assert [(order.waiting, order.rank, order.failed) for order in orders] == [([0], 1, [device])] * 3
    for name in market.names("order"):
        market.ask(market.user, "cancel", {"order": name})
    assert market.free(market.user) == 1_000_000 - 1_220
    nothing_is_left(market)
    market.ask(owner, "withdraw", {"amount": str(market.free(owner)), "nonce": market.nonce()})


def test_a_wrong_claim_loses_its_bond_and_the_result_goes_on(market, refused, records):
    device, owner, challenger = market.devices[0], market.owners[0], market.owners[1]
    lease = market.shown(device)
    one, two = market.claim(lease, challenger, 2, 4_001), market.claim(lease, market.owners[2], 3)
    assert market.find(records["device"], device).disputed == 1
    burnt = market.burnt
    market.judge(one, False)
    assert market.free(challenger) == 1_000_000 - 4_001 and market.burnt == burnt + 2_001
    assert market.lease(lease).state == "disputed"
    market.judge(two, False)
    assert market.lease(lease).state == "published" and market.find(records["device"], device).disputed == 0
    assert market.find(records["result"], lease).claimants == [challenger, market.owners[2]]
    market.end(lease)
    assert market.free(owner) == 1_000_000 + 1_000 + 4_000
    nothing_is_left(market)


def test_only_the_winner_is_paid_other_claims_get_their_bonds_back(market):
    lease = market.shown(market.devices[0])
    one, two = market.claim(lease, market.owners[1], 2), market.claim(lease, market.owners[2], 2)
    market.judge(two, True)
    assert market.free(market.owners[1]) == 1_000_000 and market.free(market.owners[2]) == 1_001_000
    assert one not in market.names("claim")
    nothing_is_left(market)


def test_an_audit_that_finds_a_cheat_pays_its_verifier_price_and_share(market):
    lease = market.served(market.devices[0], drawn=True)
    verifier = market.audit(lease)
    owner, fund = market.lease(verifier).owner, market.fund
    market.verify(verifier, 2)
    (claim,) = market.names("claim")
    market.judge(claim, True)
    assert market.lease(verifier).state == "due" and market.names("lease") == [verifier]
    market.final(verifier)
    assert market.free(owner) == 1_000_000 + 1_000 + 1_000
    assert market.fund == fund + 2_000 - 1_000
    nothing_is_left(market)


def lost(market, lease, value):
    """The next lot of an audit, whose verifier finds another value and loses its dispute; its owner."""
    verifier = market.audit(lease)
    owner = market.lease(verifier).owner
    market.verify(verifier, value)
    (claim,) = market.names("claim")
    market.judge(claim, False)
    return owner


def test_a_false_verifier_falls_for_its_own_header_and_the_next_lot_is_drawn(market, refused, records):
    fund, lease = market.fund, market.served(market.devices[0], drawn=True)
    owner = lost(market, lease, 2)
    device = market.devices[market.owners.index(owner)]
    assert market.free(owner) == 1_000_000 - 8_000 and market.find(records["device"], device).removed
    assert market.lease(lease).state == "audited"
    assert refused(market.reveal, lease) == "too-early"
    second = market.lease(market.conclude(lease)).owner
    market.end(lease)
    assert market.free(market.owners[0]) == 1_000_000 + 1_000 + 1_000
    assert second != owner and market.free(second) == 1_001_000
    assert market.fund == fund + 2_000 + 220 - 1_000
    nothing_is_left(market)


def test_a_wrong_result_does_not_stand_by_a_verifier_that_loses_with_a_third_root(market, refused):
    """A friend's perhaps: of the result its fall says nothing."""
    lease = market.served(market.devices[0], 2, drawn=True)
    friend = lost(market, lease, 3)
    assert refused(market.reveal, lease) == "too-early"
    verifier = market.audit(lease)
    owner = market.lease(verifier).owner
    market.verify(verifier)
    (claim,) = market.names("claim")
    market.judge(claim, True)
    market.final(verifier)
    assert market.free(friend) == 1_000_000 - 8_000
    assert market.free(market.owners[0]) == 1_000_000 + 1_000 - 8_000
    assert market.free(owner) == 1_000_000 + 1_000 + 1_000
    nothing_is_left(market)


@pytest.mark.parametrize("is_bought", [False, True])
@pytest.mark.parametrize("many", [1, 2, 4])
def test_nobody_gains_by_verifiers_that_lose_on_purpose(market, refused, is_bought, many):
    """Each lot an owner once, then the coordinator: however many lose, each is short of at least the fund's part of its
    stake, whoever has the rest."""
    lease = market.shown(market.devices[0]) if is_bought else market.served(market.devices[0], drawn=True)
    if is_bought:
        market.challenge(lease, market.user)
    fund, before = market.fund, market.free(market.user)
    coalition = {market.owners[0], *(lost(market, lease, 2) for _ in range(many))}
    assert len(coalition) == many + 1
    assert market.draft.fact("fund", "owed") == -220
    market.conclude(lease)
    market.ledger.state.check()
    market.end(lease)
    earned = 1_000 + (500 if is_bought else 0)
    assert sum(map(market.free, coalition)) == (many + 1) * 1_000_000 + earned - many * (8_000 - 1_000)
    paid = many < 4 and not is_bought  # else by the bond, or the coordinator has audited
    assert market.fund == fund + many * 2_000 + 220 - (1_000 if paid else 0) + (1_000 if many == 4 and is_bought else 0)
    assert market.free(market.user) == before + 780
    nothing_is_left(market)


def test_who_confirmed_a_wrong_root_falls_with_it(market, records):
    lease = market.served(market.devices[0], drawn=True)
    verifier = market.conclude(lease)
    device, owner = market.lease(verifier).device, market.lease(verifier).owner
    challenger = next(other for other in market.owners[1:] if other != owner)
    fund = market.fund
    market.judge(market.claim(lease, challenger, 2), True)
    assert market.free(owner) == market.free(market.owners[0]) == 1_000_000 - 8_000
    assert market.free(challenger) == 1_000_000 + 2_000 and market.fund == fund + 4_000
    assert market.find(records["device"], device).removed
    nothing_is_left(market)


def bought(market, value=1):
    """A shown result, challenged by the user, with a verifier that found a value."""
    lease = market.shown(market.devices[0])
    market.challenge(lease, market.user)
    verifier = market.audit(lease)
    market.verify(verifier, value)
    return lease, verifier


def test_a_challenge_that_was_right_returns_with_the_challengers_share(market):
    before = market.free(market.user) - 2_000
    _, verifier = bought(market, 2)
    (claim,) = market.names("claim")
    market.judge(claim, True)
    assert market.free(market.user) == before + 1_000  # the order waits again
    owner, fund = market.lease(verifier).owner, market.fund
    market.final(verifier)
    assert market.free(owner) == 1_001_000 and market.fund == fund - 1_000
    nothing_is_left(market)


def test_a_challenge_whose_first_verifier_was_false_is_paid_when_the_second_ends_it(market):
    before, burnt = market.free(market.user), market.burnt
    lease, _ = bought(market, 2)
    (claim,) = market.names("claim")
    market.judge(claim, False)
    second = market.conclude(lease)
    assert market.balance(f"pay:{market.lease(second).owner}:{second}") == 1_000
    market.end(lease)
    assert market.free(market.user) == before - 2_000 - 1_220
    assert market.free(market.owners[0]) == 1_000_000 + 1_000 + 1_000 + 500
    assert market.burnt == burnt + 500 + 5_000
    nothing_is_left(market)


def test_a_challenge_returns_where_only_the_second_verifier_finds_the_cheat(market):
    before = market.free(market.user) - 2_000
    lease = market.shown(market.devices[0], 2)
    market.challenge(lease, market.user)
    lost(market, lease, 3)
    market.verify(market.audit(lease))
    (claim,) = market.names("claim")
    market.judge(claim, True)
    assert market.free(market.user) == before + 1_000  # the order waits again


def test_what_a_bought_confirmation_cost_returns_where_the_root_falls(market):
    before = market.free(market.user) - 2_000
    lease, verifier = bought(market)
    market.reveal(lease)
    challenger = next(owner for owner in market.owners[1:] if owner != market.lease(verifier).owner)
    market.judge(market.claim(lease, challenger, 2), True)
    assert market.free(market.user) == before - 1_000
    nothing_is_left(market)


STATES = ["offered", "held", "confirmed", "differs"]


def reached(market, verifier, state):
    """Bring an audit so far."""
    if state == "held":
        market.accept(verifier)
    elif state != "offered":
        market.verify(verifier, 1 if state == "confirmed" else 2)


@pytest.mark.parametrize("state", STATES)
def test_an_audit_of_a_key_that_falls_elsewhere_goes_on(market, state):
    wrong = market.shown(market.devices[0])
    lease = market.served(market.devices[0], drawn=True)
    verifier = market.audit(lease)
    owner = market.lease(verifier).owner
    reached(market, verifier, state)
    challenger = next(other for other in market.owners[1:] if other != owner)
    market.judge(market.claim(wrong, challenger, 2), True)
    if state == "differs":
        (claim,) = market.names("claim")
        market.judge(claim, True)
        market.final(verifier)
        assert market.free(market.owners[0]) == 1_000_000 - 2 * 8_000
    else:
        if state != "confirmed":
            market.verify(verifier)
        market.reveal(lease)
        market.end(lease)
        assert market.free(market.owners[0]) == 1_000_000 - 8_000 + 1_000
    assert market.free(owner) == 1_000_000 + 1_000 + (1_000 if state == "differs" else 0)
    nothing_is_left(market)


@pytest.mark.parametrize("state", STATES)
def test_of_a_verifier_that_falls_elsewhere_only_what_it_published_goes_on(market, state):
    lease = market.served(market.devices[0], drawn=True)
    verifier = market.audit(lease)
    device = market.lease(verifier).device
    number = market.devices.index(device)
    wrong = market.shown(device)
    reached(market, verifier, state)
    challenger = next(owner for n, owner in enumerate(market.owners) if n not in (0, number))
    market.judge(market.claim(wrong, challenger, 2), True)
    if state == "differs":
        (claim,) = market.names("claim")
        market.judge(claim, False)
    if state != "confirmed":
        assert market.lease(lease).state == "audited"
        market.verify(market.audit(lease))
    market.reveal(lease)
    market.end(lease)
    gained = {"differs": -8_000, "confirmed": 1_000}.get(state, 0)
    assert market.free(market.owners[number]) == 1_000_000 - 8_000 + gained
    nothing_is_left(market)


def test_a_cheat_under_audit_does_not_escape_by_a_key_that_is_lost_to_a_friend(market, records):
    """Its stake is behind each lease; a lease of a micro-token, given up to a friend's claim, frees none of them."""
    device, owner, friend = market.devices[0], market.owners[0], market.owners[1]
    market.offer(device, cost=1)
    tiny = market.shown(device, price=1)
    cheats = [market.served(device, drawn=True) for _ in range(3)]
    for lease in cheats:
        market.audit(lease)
    market.judge(market.claim(tiny, friend, 2, 4), True)
    assert market.free(owner) == 1_000_000 - 8 - 3 * 8_000
    for lease in cheats:
        verifier = market.find(records["audit"], lease).verifier
        market.verify(verifier, 2)
        (claim,) = market.names("claim")
        market.judge(claim, True)
        market.final(verifier)
    assert market.free(owner) == 1_000_000 - 8 - 3 * 8_000
    nothing_is_left(market)


def test_fees_of_audited_results_reach_the_fund_though_their_key_is_lost_to_a_friend(market):
    """Were they returned, sham orders would have the fund pay for audits that nobody pays a fee for."""
    device, friend, fund = market.devices[0], market.owners[1], market.fund
    market.offer(device, cost=1)
    tiny = market.shown(device, price=1)
    leases = [market.served(device, drawn=True) for _ in range(3)]
    for lease in leases:
        market.conclude(lease)
    market.judge(market.claim(tiny, friend, 2, 4), True)
    for lease in leases:
        market.end(lease)
    assert market.fund == fund + 3 * (220 - 1_000) + 2
    nothing_is_left(market)


def test_a_coordinator_that_is_right_gains_for_the_fund(make_market):
    market = make_market(owners=2, window=60)
    lease = market.served(market.devices[0], 2, drawn=True)
    fund, verifier = market.fund, market.audit(lease)
    market.verify(verifier)
    (claim,) = market.names("claim")
    market.judge(claim, True)
    market.final(verifier)
    assert market.fund == fund + 1_000 + 2_000
    nothing_is_left(market)


@pytest.mark.parametrize("attempts", [1, 2])
def test_a_false_coordinator_falls_for_nothing_and_has_a_second_attempt(make_market, refused, records, attempts):
    """After that the result can be annulled: an audit is not drawn out for ever."""
    market = make_market(owners=2, window=60)
    lease = market.served(market.devices[0], drawn=True)
    for _ in range(attempts):
        (coordinator,) = {lost(market, lease, 2)}
    assert not market.find(records["device"], coordinator).removed
    if attempts == 1:
        market.conclude(lease)
        market.end(lease)
        assert market.free(market.owners[0]) == 1_001_000
    else:
        assert refused(market.audit, lease) == "nobody-left"
        assert refused(market.reveal, lease) == "too-early"
        market.advance(100 + market.rules.delta + 1)
        market.annul(lease)
        assert market.free(market.owners[0]) == 1_000_000
    nothing_is_left(market)
