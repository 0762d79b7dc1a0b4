"""When a verdict may come and what it does; what becomes of a dispute in which the referee failed."""

from fractions import Fraction

import pytest

KINDS = ("lease", "result", "audit", "claim", "dispute", "deputies")


@pytest.fixture
def disputed(market):
    """A claim of owner 1 that is played, against a result of device 0."""

    def disputed(value=1, claimed=2, bond=4_000):
        lease = market.shown(market.devices[0], value)
        return lease, market.begin(market.claim(lease, market.owners[1], claimed, bond))

    return disputed


@pytest.mark.parametrize(
    "kind, reason, winner",
    [
        ("open", "step-right", "asserter"),
        ("open", "step-wrong", "challenger"),
        ("node", "null-right", "asserter"),
        ("guard", "null-right", "asserter"),
        ("node", "null-wrong", "challenger"),
        ("guard", "null-wrong", "challenger"),
    ],
)
def test_a_message_decides_for_who_its_reason_says(market, refused, disputed, kind, reason, winner):
    _, claim = disputed()
    early, wrong = ("too-early", "deputies-left") if winner == "asserter" else ("deputies-left", "too-early")
    assert refused(market.verdict, claim, winner, reason) == early
    market.play(claim)
    market.play(claim)
    assert refused(market.verdict, claim, winner, reason) == early
    market.play(claim, kind)
    other = "challenger" if winner == "asserter" else "asserter"
    assert refused(market.verdict, claim, other, reason) == wrong
    assert refused(market.verdict, claim, winner, "because") == early
    market.verdict(claim, winner, reason)
    assert not market.names("dispute") + market.names("claim")


def test_who_was_silent_last_loses_and_nobody_in_time(market, refused, disputed):
    _, claim = disputed()
    for winner, reason in (("asserter", "too-early"), ("challenger", "deputies-left")):
        assert refused(market.verdict, claim, winner) == reason
    market.spend(claim)
    assert refused(market.verdict, claim, "asserter") == "too-early"
    assert refused(market.verdict, claim, "challenger") == "deputies-left"
    assert refused(market.ask, market.owners[1], "verdict", {}) == "not-the-coordinator"
    assert refused(market.order_of, "verdict", {"claim": claim}) == "malformed"
    assert refused(market.verdict, "0" * 64, "asserter") == "no-such-dispute"


def test_a_verdict_for_the_challenger_reverses_everything_of_the_result(market, records, disputed):
    user = market.free(market.user)
    lease, claim = disputed(2, 1)
    waiting = market.claim(lease, market.owners[2], 3, 7_001)
    fund, burnt = market.fund, market.burnt
    market.decide(claim, "challenger")
    assert waiting not in market.names("claim") and market.free(market.owners[2]) == 1_000_000
    assert market.free(market.owners[1]) == 1_000_000 + 8_000 // 8
    assert (market.fund - fund, market.burnt - burnt) == (2_000, 5_000)
    assert market.free(market.owners[0]) == 1_000_000 - 8_000
    (order,) = market.names("order")
    found = market.find(records["order"], order)
    assert (found.rank, found.waiting, found.failed) == (1, [0], [market.devices[0]])
    market.ask(market.user, "cancel", {"order": order})
    assert market.free(market.user) == user
    assert market.find(records["device"], market.devices[0]).removed
    assert not any(market.names(kind) for kind in KINDS)


def test_a_verdict_for_the_asserter_divides_the_bond_to_the_micro_token(market, disputed):
    lease, claim = disputed(bond=4_003)
    burnt = market.burnt
    market.decide(claim, "asserter")
    assert market.free(market.owners[1]) == 1_000_000 - 4_003
    assert market.free(market.owners[0]) == 1_000_000 - 8_000 + 2_001 and market.burnt == burnt + 2_002
    market.end(lease)
    assert market.free(market.owners[0]) == 1_000_000 + 1_000 + 2_001


@pytest.mark.parametrize("share, deputy", [("1", 0), ("3/4", 1_000), ("7/8", 0), ("0", 1_000)])
def test_a_deputy_is_paid_from_what_would_be_burnt_and_else_by_the_fund(make_market, share, deputy):
    market = make_market(window=60, asserter_share=Fraction(share), undeterred=True)
    lease = market.shown(market.devices[0])
    claim = market.begin(market.claim(lease, market.owners[1], 2))
    market.spend(claim)
    market.timeout(claim)
    name = market.deputy(lease)
    owner = market.lease(name).owner
    market.take_up(claim, name)
    burnt = market.burnt
    market.decide(claim, "asserter")
    assert market.balance(f"pay:{owner}:{name}") == deputy
    assert market.burnt == burnt + 4_000 - int(4_000 * Fraction(share)) - deputy
    fund = market.fund
    market.end(lease)
    assert market.free(owner) == 1_001_000
    assert market.fund == fund + 220 - (1_000 - deputy)


def void(market, claim):
    market.order_of("void", {"claim": claim, "record": market.nonce()})


def test_a_void_dispute_waits_again_with_its_bond_and_the_second_annuls_the_lease(market, refused, records, disputed):
    user = market.free(market.user)
    lease, claim = disputed()
    other = market.claim(lease, market.owners[2], 3)
    market.play(claim)
    void(market, claim)
    assert market.balance(f"bond:{market.owners[1]}:{claim}") == 4_000 and not market.names("dispute")
    assert market.lease(lease).state == "disputed"
    assert refused(void, market, claim) == "no-such-dispute"
    market.begin(claim)
    assert market.dispute(claim).index == 1
    market.advance()
    void(market, claim)
    assert not any(market.names(kind) for kind in KINDS) and other not in market.names("claim")
    assert [market.free(owner) for owner in market.owners] == [1_000_000] * 5
    assert not market.find(records["device"], market.devices[0]).removed
    assert market.find(records["device"], market.devices[0]).disputed == 0
    (order,) = market.names("order")
    assert market.find(records["order"], order).rank == 1
    market.ask(market.user, "cancel", {"order": order})
    assert market.free(market.user) == user


def test_nobody_is_paid_by_the_fund_where_the_lease_is_annulled(market, disputed):
    """Its fee returns: a coalition whose own model makes the referee fail would drain the fund."""
    fund, lease = market.fund, market.served(market.devices[0], drawn=True)
    verifier = market.conclude(lease)
    owner = market.lease(verifier).owner
    claim = market.begin(market.claim(lease, next(each for each in market.owners[1:] if each != owner), 2))
    void(market, claim)
    market.begin(claim)
    market.advance()
    void(market, claim)
    assert not any(market.names(kind) for kind in KINDS)
    assert market.free(owner) == 1_000_000 and market.fund == fund and not market.draft.fact("fund", "owed")


def test_deputies_that_gave_a_result_have_their_stakes_back_where_the_lease_is_annulled(market, disputed):
    lease, claim = disputed()
    market.spend(claim)
    market.timeout(claim)
    other, same = market.deputy(lease, 3), market.deputy(lease)
    owners = [market.lease(name).owner for name in (same, other)]
    market.take_up(claim, same)
    void(market, claim)
    (audits,) = set(market.names("claim")) - {claim}
    market.begin(audits)
    void(market, audits)
    assert [market.free(owner) for owner in owners] == [1_000_000] * 2
    assert not any(market.names(kind) for kind in KINDS)


def test_a_deputy_at_work_is_let_go_where_the_lease_is_annulled(market, disputed):
    lease, claim = disputed()
    market.spend(claim)
    market.timeout(claim)
    void(market, claim)
    market.begin(claim)
    market.spend(claim)
    market.timeout(claim)
    market.summon(lease)
    deputy = market.deputize(lease)
    market.accept(deputy)
    owner, device = market.lease(deputy).owner, market.lease(deputy).device
    void(market, claim)
    assert market.free(owner) == 1_000_000 and not market.names("lease")
    assert not market.names(f"open:{device}")


def test_a_deputy_at_work_is_let_go_where_the_result_is_final(market, disputed):
    lease, claim = disputed()
    market.spend(claim)
    market.timeout(claim)
    market.summon(lease)
    deputy = market.deputize(lease)
    market.accept(deputy)
    owner = market.lease(deputy).owner
    void(market, claim)
    market.decide(market.begin(claim), "asserter")
    market.final(lease)
    assert market.free(owner) == 1_000_000 and not any(market.names(kind) for kind in KINDS)
