"""A verifier that is silent in the dispute over its own result: deputies make it good, or it falls."""

import pytest

from verification.market.records import Deputies

ASSERTER, CHALLENGER, LIMIT, DELTA = 4 * 60 + 2 * 100, 4 * 60 + 100, 100, 60


@pytest.fixture
def differing(market):
    """A result that is drawn, the verifier's lease that differs, its claim; the verifier is then silent."""

    def differing(value, verified):
        lease = market.served(market.devices[0], value, drawn=True)

        verifier = market.audit(lease)
        market.verify(verifier, verified)
        (claim,) = market.names("claim")
        market.begin(claim)
        market.play(claim)
        market.spend(claim)
        market.verdict(claim, "asserter")
        return lease, verifier

    return differing


def test_a_right_verifier_that_is_silent_is_made_good_by_a_deputy(market, refused, differing):
    lease, verifier = differing(2, 1)
    owner = market.lease(verifier).owner
    assert (market.lease(lease).state, market.lease(verifier).state) == ("audited", "absent")
    assert refused(market.final, lease) == "wrong-state"
    assert refused(market.order_of, "dismiss", {"lease": verifier}) == "deputies-left"
    false = market.deputy(lease, 2)
    right = market.deputy(lease, 1)
    owners = [market.lease(deputy).owner for deputy in (false, right)]
    (claim,) = market.names("claim")
    assert refused(market.order_of, "dismiss", {"lease": verifier}) == "under-dispute"
    market.begin(claim)
    market.decide(claim, "challenger")
    for each in (verifier, right):
        market.final(each)
    assert market.free(owner) == 1_001_000
    assert [market.free(each) for each in owners] == [1_000_000 - 8_000, 1_000_000 + 2_000 + 1_000]
    assert market.free(market.owners[0]) == 1_000_000 - 8_000
    market.check_nothing_is_left()


def test_a_false_verifier_that_is_silent_falls_once_two_deputies_confirmed(market, refused, differing, records):
    lease, verifier = differing(1, 2)
    owner, device = market.lease(verifier).owner, market.lease(verifier).device
    two = [market.deputy(lease) for _ in range(2)]
    own = market.deputy(lease)
    owners = [market.lease(deputy).owner for deputy in two]
    burnt, fund = market.burnt, market.fund
    market.order_of("dismiss", {"lease": verifier})
    assert market.free(owner) == 1_000_000 - 8_000 and market.find(records["device"], device).removed
    assert (market.fund, market.burnt) == (fund + 2_000, burnt + 5_000 - 2_000)
    again = market.lease(market.conclude(lease)).owner  # the next lot: deputies were drawn for a dispute
    market.end(lease)
    for deputy in two:
        assert deputy not in market.names("lease")
    assert own not in market.names("lease")
    assert [market.free(each) for each in owners] == [1_001_000 + 1_000 * (each == again) for each in owners]
    assert market.free(market.owners[0]) == 1_000_000 + 1_000 + 1_000
    friends = {owner, again, *owners, market.owners[0]}  # were all of them one coalition, it would have lost
    assert sum(map(market.free, friends)) <= len(friends) * 1_000_000 + 1_000 + 1_000 - 2_000
    market.check_nothing_is_left()


def test_the_fund_pays_no_deputies_of_a_result_that_falls(make_market):
    """Each that is silent brings the next one: were they paid by the fund, a coalition could have any number."""
    market = make_market(owners=10, window=60)
    fund, lease = market.fund, market.served(market.devices[0], 2, drawn=True)
    market.verify(market.audit(lease), 1)
    for silent in range(8):
        (claim,) = market.names("claim")
        market.begin(claim)
        market.play(claim)
        market.spend(claim)
        market.verdict(claim, "asserter")
        market.deputy(lease, 1)
        assert len(market.find(Deputies, lease).absent) == silent + 1
    (claim,) = market.names("claim")
    market.begin(claim)
    market.decide(claim, "challenger")
    for each in market.names("lease"):
        market.final(each)
    assert market.fund == fund + 2_000 - 1_000  # of the stake, and the verifier's pay
    paid = sorted(market.free(owner) - 1_000_000 for owner in market.owners)
    assert paid == [-8_000, 0, 0, 0, 1_000, 1_000, 1_000, 1_000, 1_000, 2_000]
    market.check_nothing_is_left()


def test_a_second_verifier_may_be_silent_too(market, refused, differing):
    lease, verifier = differing(1, 2)
    second = market.deputy(lease, 3)
    (claim,) = market.names("claim")
    market.begin(claim)
    market.play(claim)
    market.spend(claim)
    market.verdict(claim, "asserter")
    assert market.lease(second).state == "absent"
    for _ in range(2):
        market.deputy(lease)
    assert refused(market.order_of, "dismiss", {"lease": verifier}) == "deputies-left"
    market.deputy(lease)  # the coordinator's own
    for each in (second, verifier):
        market.order_of("dismiss", {"lease": each})
    market.conclude(lease)
    market.end(lease)
    assert market.free(market.owners[0]) == 1_000_000 + 1_000 + 2_000
    market.check_nothing_is_left()
