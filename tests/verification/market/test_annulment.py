"""An audit that the coordinator does not bring to its end ends without blame: nothing stays locked, nobody is paid."""

import pytest

from verification.encoding.signature import public


def all_back(market, lease, order, fund):
    """Nothing of it is left but its order, which waits again with all of its bid."""
    assert lease not in market.names("lease") + market.names("result") + market.names("audit")
    assert [market.free(owner) for owner in market.owners] == [1_000_000] * 5
    assert (market.fund, market.draft.fact("fund", "owed")) == (fund, 0)
    found = market.draft.fact("order", order)
    assert (found["waiting"], found["rank"], found["leases"]) == ([0], 1, 0)
    assert market.balance(f"escrow:{market.user}:{order}") == found["bid"]


@pytest.mark.parametrize("who", ["asserter", "verifier", "user", "coordinator"])
def test_a_wrong_lot_ends_by_time(market, refused, who):
    fund, lease = market.fund, market.served(market.devices[0], drawn=True)
    order, named = market.lease(lease).order, market.misname(lease)
    verifier = market.verifier(lease)
    market.advance(50)
    market.verify(verifier)
    assert refused(market.reveal, lease) == "wrong-lot"
    party = {"asserter": market.owners[0], "verifier": named, "coordinator": public(market.coordinator)}.get(who)
    market.advance(100 + market.rules.delta)
    assert refused(market.annul, lease, party) == "too-early"
    market.advance()
    market.annul(lease, party)
    all_back(market, lease, order, fund)
    market.end(market.shown(market.devices[1], order=order))
    assert market.burnt == 0


def test_a_wrong_result_with_a_friend_as_its_verifier_is_never_final(market, refused):
    lease = market.served(market.devices[0], 2, drawn=True)
    market.misname(lease)
    market.verify(market.verifier(lease), 2)
    assert refused(market.final, lease) == "wrong-state"
    market.advance(161)
    market.annul(lease)
    assert refused(market.final, lease) == "no-such-lease"
    assert not [account for account in market.ledger.state.balances if account.startswith(("stake", "fee", "pay"))]


def test_what_is_neither_shown_nor_drawn_ends_delta_after_it_was_due(market, refused):
    fund, lease = market.fund, market.served(market.devices[0], drawn=True)
    order, due = market.lease(lease).order, market.lease(lease).due
    market.advance(due + market.rules.delta - market.tick)
    assert refused(market.annul, lease) == "too-early"
    market.advance()
    market.annul(lease)
    all_back(market, lease, order, fund)


@pytest.mark.parametrize("state, due", [("offered", 60), ("held", 100)])
def test_a_verifier_at_work_has_its_time(market, refused, state, due):
    fund, lease = market.fund, market.served(market.devices[0], drawn=True)
    order, verifier = market.lease(lease).order, market.audit(lease)
    if state == "held":
        market.accept(verifier)
    market.advance(due + market.rules.delta)
    assert refused(market.annul, lease) == "too-early"
    market.advance()
    market.annul(lease)
    all_back(market, lease, order, fund)
    assert not market.names("lease")


def test_a_bought_audit_without_a_seal_returns_its_bond(market, refused):
    lease = market.shown(market.devices[0])
    order, before = market.lease(lease).order, market.free(market.user)
    market.ask(market.user, "challenge", {"lease": lease})
    market.advance(160)
    assert refused(market.annul, lease) == "too-early"
    market.advance()
    market.annul(lease)
    assert market.free(market.user) == before and market.balance(f"escrow:{market.user}:{order}") == 2_000


def test_an_earlier_verifier_whose_lot_was_shown_has_its_stake_back(make_market):
    """The fund does not pay it: it has no fee."""
    market = make_market(owners=6, window=60)
    lease = market.served(market.devices[0], drawn=True)
    market.conclude(lease)
    market.challenge(lease, market.user)
    second = market.audit(lease)
    market.verify(second)  # and the list of its lots is lost
    market.advance(161)
    market.annul(lease)
    assert market.names("lease") == []
    assert market.free(market.owners[0]) == 1_000_500 and sum(map(market.free, market.owners)) == 6_000_500


def test_neither_what_is_shown_nor_what_is_disputed_is_annulled(market, refused):
    lease = market.shown(market.devices[0])
    market.advance(61)
    market.advance(161)
    assert refused(market.annul, lease) == "wrong-state"
    other = market.served(market.devices[1], drawn=True)
    market.verify(market.audit(other), 2)
    market.advance(161)
    assert refused(market.annul, other) == "wrong-state"
    stranger = market.key("stranger")
    assert refused(market.annul, lease, stranger) == "no-such-owner"


def test_who_was_absent_is_stood_in_for_first(market, refused):
    lease = market.served(market.devices[0], drawn=True)
    verifier = market.audit(lease)
    market.verify(verifier, 2)
    (claim,) = market.names("claim")
    market.begin(claim)
    market.play(claim)
    market.spend(claim)
    market.verdict(claim, "asserter")
    assert market.lease(verifier).state == "absent" and market.lease(lease).state == "audited"
    market.advance(1_000)
    assert refused(market.annul, lease) == "under-dispute"
