"""Deputies: silence alone convicts nobody, and who confirmed a result may defend it."""

from collections import Counter
from hashlib import sha256

import pytest

from verification.encoding.request import request
from verification.ledger.state import Draft
from verification.market.draws import lots
from verification.market.operations import OPERATIONS
from verification.market.records import Deputies, Result

ASSERTER, CHALLENGER, LIMIT, DELTA = 4 * 60 + 2 * 100, 4 * 60 + 100, 100, 60


@pytest.fixture
def awaited(market):
    """A right result whose asserter was silent in a dispute, and the claim."""
    return absent(market)


def absent(market, value=1, claimed=2, owner=None):
    lease = market.shown(market.devices[0], value)
    claim = market.begin(market.claim(lease, owner or market.owners[1], claimed))
    market.spend(claim)
    market.timeout(claim)
    return lease, claim


def nothing_is_left(market):
    """Nothing locked but by orders that wait, nothing owed."""
    kinds = ("lease", "result", "audit", "claim", "dispute", "deputies")
    assert not any(market.names(kind) for kind in kinds)
    assert {account.partition(":")[0] for account in market.ledger.state.balances} <= {
        "free",
        "fund",
        "burnt",
        "escrow",
    }
    assert market.draft.fact("fund", "owed") in (None, 0)
    market.ledger.state.check()


def test_an_asserter_that_is_offline_and_falsely_challenged_loses_nothing(market, refused, awaited):
    lease, claim = awaited
    assert refused(market.verdict, claim, "challenger") == "deputies-left"
    deputy = market.deputy(lease)
    owner = market.lease(deputy).owner
    assert owner not in market.owners[:2]
    assert market.lease(deputy).state == "confirmed" and market.lease(deputy).price == 1_000
    market.take_up(claim, deputy)
    assert market.dispute(claim).asserter == market.lease(deputy).device
    assert market.clocks(claim) == {
        "asserter": ASSERTER,
        "challenger": CHALLENGER,
        "turn": "asserter",
        "since": market.tick,
    }
    burnt = market.burnt
    market.decide(claim, "asserter")
    assert market.free(market.owners[1]) == 1_000_000 - 4_000
    assert market.balance(f"pay:{owner}:{deputy}") == 1_000 and market.burnt == burnt + 1_000
    market.end(lease)
    assert market.free(market.owners[0]) == 1_000_000 + 1_000 + 2_000
    assert market.free(owner) == 1_000_000 + 1_000
    nothing_is_left(market)


def test_deputies_are_paid_also_where_the_challenger_vanishes_meanwhile(market, awaited):
    lease, claim = awaited
    deputy = market.deputy(lease)
    owner = market.lease(deputy).owner
    market.take_up(claim, deputy)
    market.play(claim)
    market.spend(claim)
    market.verdict(claim, "asserter")
    market.end(lease)
    assert market.free(owner) == 1_001_000
    nothing_is_left(market)


def test_two_deputies_are_drawn_then_the_coordinator_then_the_asserter_has_lost(market, refused, records):
    lease, claim = absent(market, value=2, claimed=1)
    two = [market.deputy(lease) for _ in range(2)]
    owners = [market.lease(deputy).owner for deputy in two]
    assert {market.lease(deputy).state for deputy in two} == {"differs"}
    assert refused(market.verdict, claim, "challenger") == "deputies-left"
    own = market.deputy(lease)
    assert market.lease(own).owner == market.find(records["deputies"], lease).lots[-1] not in market.owners
    assert refused(market.summon, lease) == "nobody-left"
    fund, burnt = market.fund, market.burnt
    market.verdict(claim, "challenger")
    assert market.free(market.owners[1]) == 1_000_000 + 1_000
    assert (market.fund, market.burnt) == (fund + 2_000, burnt + 5_000 - 2_000)
    for deputy in two:
        market.final(deputy)
    assert own not in market.names("lease")
    assert [market.free(owner) for owner in owners] == [1_001_000] * 2
    assert market.free(market.owners[0]) == 1_000_000 - 8_000
    nothing_is_left(market)


def test_without_others_and_coordinator_silence_convicts(make_market):
    market = make_market(owners=2, audit=False)
    order = market.order(unaudited=True)
    lease = market.shown(market.devices[0], order=order)
    claim = market.begin(market.claim(lease, market.owners[1], 2))
    market.spend(claim)
    market.timeout(claim)
    market.verdict(claim, "challenger")
    assert market.free(market.owners[1]) == 1_001_000


def test_with_few_others_the_coordinator_plays(make_market, refused):
    market = make_market(owners=3)
    lease = market.shown(market.devices[0])
    claim = market.begin(market.claim(lease, market.owners[1], 2))
    market.spend(claim)
    market.timeout(claim)
    deputy = market.deputy(lease)
    assert market.lease(deputy).stake == market.lease(deputy).price == 0
    market.take_up(claim, deputy)
    market.decide(claim, "asserter")
    market.end(lease)
    nothing_is_left(market)


def test_who_confirmed_the_result_plays_before_anybody_is_drawn(market, refused, records):
    lease = market.served(market.devices[0], drawn=True)
    verifier = market.conclude(lease)
    other = next(owner for owner in market.owners[1:] if owner != market.lease(verifier).owner)
    claim = market.begin(market.claim(lease, other, 2))
    market.spend(claim)
    assert refused(market.take_up, claim, verifier) == "not-awaited"
    market.timeout(claim)
    assert refused(market.summon, lease) == "defender-left"
    assert refused(market.verdict, claim, "challenger") == "deputies-left"
    assert refused(market.take_up, claim, lease) == "not-next"
    market.take_up(claim, verifier)
    market.spend(claim)
    market.timeout(claim)
    assert refused(market.take_up, claim, verifier) == "not-next"
    deputy = market.deputy(lease)
    market.take_up(claim, deputy)
    market.decide(claim, "asserter")
    market.end(lease)
    assert market.free(market.owners[0]) == 1_003_000
    nothing_is_left(market)


def test_a_deputy_whose_steps_are_wrong_convicts_nobody(market, refused, awaited):
    lease, claim = awaited
    market.take_up(claim, market.deputy(lease))
    wrong_steps(market, claim)
    assert refused(market.verdict, claim, "challenger", "step-wrong") == "deputies-left"
    second = market.deputy(lease)
    market.take_up(claim, second)
    market.decide(claim, "asserter")
    market.end(lease)
    assert market.free(market.owners[0]) == 1_000_000 + 1_000 + 2_000
    nothing_is_left(market)


def wrong_steps(market, claim):
    """Whose turn it is plays to the end, and its steps turn out to be wrong."""
    market.play(claim, "steps", turn="challenger")
    market.play(claim, "steps")
    market.play(claim, "open", turn=None, asserter=0)


def confirmed(market):
    """A right result that a verifier has confirmed, and a claim against it by another owner."""
    lease = market.served(market.devices[0], drawn=True)
    verifier = market.conclude(lease)
    other = next(owner for owner in market.owners[1:] if owner != market.lease(verifier).owner)
    return lease, verifier, market.begin(market.claim(lease, other, 2))


def test_no_deputy_is_drawn_for_an_asserter_whose_steps_are_wrong(market, refused):
    """Who answers is not absent; where nobody confirmed its result, nobody is left."""
    lease = market.shown(market.devices[3])
    claim = market.begin(market.claim(lease, market.owners[1], 2))
    assert refused(market.play, claim, "steps", turn=None, asserter=0) == "wrong-clocks"
    wrong_steps(market, claim)
    assert refused(market.verdict, claim, "asserter", "step-right") == "too-early"
    assert refused(market.summon, lease) == "nobody-absent"
    market.verdict(claim, "challenger", "step-wrong")
    assert market.free(market.owners[3]) == 1_000_000 - 8_000
    nothing_is_left(market)


def test_who_confirmed_a_right_root_bears_it_out_with_steps_of_its_own(market, refused):
    """What was committed to is right: of the asserter's stake nothing is lost."""
    lease, verifier, claim = confirmed(market)
    wrong_steps(market, claim)
    assert refused(market.verdict, claim, "challenger", "step-wrong") == "deputies-left"
    assert refused(market.summon, lease) == "defender-left"
    market.take_up(claim, verifier)
    market.decide(claim, "asserter")
    market.end(lease)
    assert market.free(market.owners[0]) == 1_000_000 + 1_000 + 2_000
    nothing_is_left(market)


def test_all_fall_whose_steps_are_wrong_and_no_deputy_is_drawn(market, refused):
    lease, verifier, claim = confirmed(market)
    owner = market.lease(verifier).owner
    wrong_steps(market, claim)
    market.take_up(claim, verifier)
    wrong_steps(market, claim)
    assert refused(market.summon, lease) == "nobody-absent"
    market.verdict(claim, "challenger", "step-wrong")
    assert market.free(market.owners[0]) == market.free(owner) == 1_000_000 - 8_000
    nothing_is_left(market)


def test_deputies_are_drawn_for_who_confirmed_and_is_silent_after_wrong_steps(market, refused):
    lease, verifier, claim = confirmed(market)
    wrong_steps(market, claim)
    market.take_up(claim, verifier)
    market.spend(claim)
    market.timeout(claim)
    assert refused(market.verdict, claim, "challenger", "step-wrong") == "deputies-left"
    market.take_up(claim, market.deputy(lease))
    market.decide(claim, "asserter")
    market.end(lease)
    assert market.free(market.owners[0]) == 1_000_000 + 1_000 + 2_000
    nothing_is_left(market)


def test_a_false_deputy_falls_for_its_own_header(market, refused, records, awaited):
    lease, claim = awaited
    false = market.deputy(lease, 2)
    owner = market.lease(false).owner
    right = market.deputy(lease)
    market.take_up(claim, right)
    market.decide(claim, "asserter")
    assert market.lease(lease).state == "disputed"
    (second,) = market.names("claim")
    assert market.find(records["claim"], second).audit == false
    market.begin(second)
    market.spend(second)
    market.timeout(second)
    market.take_up(second, right)
    burnt = market.burnt
    market.decide(second, "asserter")
    assert market.free(owner) == 1_000_000 - 8_000
    assert market.burnt == burnt + 5_000  # who confirmed it has been paid
    market.end(lease)
    assert market.free(market.owners[0]) == 1_000_000 + 1_000 + 2_000 + 1_000
    nothing_is_left(market)


def test_who_confirmed_a_wrong_root_as_a_deputy_falls_with_it(market):
    lease, claim = absent(market, value=2, claimed=1)
    false = market.deputy(lease, 2)
    owner = market.lease(false).owner
    market.take_up(claim, false)
    market.decide(claim, "challenger")
    assert market.free(owner) == market.free(market.owners[0]) == 1_000_000 - 8_000
    assert market.free(market.owners[1]) == 1_002_000
    nothing_is_left(market)


def test_what_a_false_deputy_was_paid_burns_when_its_root_falls_later(make_market):
    """A cheat's friend loses a claim, which pays another friend; then the result falls."""
    market = make_market(owners=6, window=60)
    lease = market.shown(market.devices[0], 2)
    friends, right = market.claim(lease, market.owners[1], 3, 5_000), market.claim(lease, market.owners[2], 1)
    market.begin(friends)
    market.spend(friends)
    market.timeout(friends)
    false = market.deputy(lease, 2)
    owner = market.lease(false).owner
    market.take_up(friends, false)
    market.decide(friends, "asserter")
    assert market.balance(f"pay:{owner}:{false}") == 1_000
    fund, burnt = market.fund, market.burnt
    market.decide(market.begin(right), "challenger")
    assert market.free(owner) == 1_000_000 - 8_000
    assert (market.fund - fund, market.burnt - burnt) == (2 * 2_000, 2 * 5_000 + 1_000)
    assert market.free(market.owners[2]) == 1_000_000 + 2 * 1_000
    nothing_is_left(market)


def test_a_deputy_whose_root_is_neither_gets_its_stake_back_and_nothing_else(market):
    lease, claim = absent(market, value=2, claimed=1)
    deputies = [market.deputy(lease, 3), market.deputy(lease, 1), market.deputy(lease, 1)]
    owners = [market.lease(deputy).owner for deputy in deputies[:2]]
    market.verdict(claim, "challenger")
    market.final(deputies[1])
    assert [market.free(owner) for owner in owners] == [1_000_000, 1_001_000]
    nothing_is_left(market)


def test_an_owner_has_one_work_limit_then_comes_the_next_lot_none_twice(market, refused, awaited):
    lease, claim = awaited
    first = market.summon(lease)
    assert refused(market.summon, lease) == "too-early"
    market.advance(LIMIT)
    assert refused(market.summon, lease) == "too-early"
    market.advance()
    second = market.summon(lease)
    deputy = market.deputize(lease)
    assert market.lease(deputy).owner == second != first
    market.ask(market.lease(deputy).device, "decline", {"lease": deputy})
    third = market.summon(lease)
    assert len({first, second, third}) == 3 and market.owners[1] not in (first, second, third)
    deputy = market.deputize(lease)
    assert refused(market.summon, lease) == "too-early"
    market.accept(deputy)
    market.advance(LIMIT + 1)
    market.order_of("miss", {"lease": deputy, "why": "late"})
    assert market.free(third) == 1_000_000 - 800
    own = market.deputy(lease)
    market.take_up(claim, own)
    market.decide(claim, "asserter")
    market.end(lease)
    nothing_is_left(market)


def test_nobody_who_writes_the_last_event_knows_the_lot(market, awaited):
    """By the event's digest alone whoever signs it could try nonces until a friend is drawn."""
    lease, _ = awaited
    state, signed = market.ledger.state.copy(), market.find(Result, lease).signed
    asked = request(market.coordinator, "summon", state.market, {"lease": lease, "index": 0})
    weights = [(owner, int(weight)) for owner, weight in market.could(lease) if owner in market.owners[2:]]
    foretold, trials = 0, 400
    for number in range(trials):
        state.head = sha256(f"{number}".encode()).hexdigest()
        draft = Draft(state)
        OPERATIONS["summon"](draft, asked)
        foretold += draft.fact("deputies", lease)["lots"] == lots(state.head, signed, weights, 1)
    assert abs(foretold - trials / 3) <= 4.5 * (trials * 2 / 9) ** 0.5


def test_lots_follow_deposits_and_the_digest_of_the_last_event(market, awaited):
    lease, _ = awaited
    market.deposit(market.owners[4], 2_000_000)
    state, drawn, trials = market.ledger.state.copy(), Counter(), 2_000
    asked = request(market.coordinator, "summon", state.market, {"lease": lease, "index": 0})
    for number in range(trials):
        state.head = sha256(f"{number}".encode()).hexdigest()
        draft = Draft(state)
        OPERATIONS["summon"](draft, asked)
        drawn[draft.fact("deputies", lease)["lots"][0]] += 1
    assert drawn.keys() == set(market.owners[2:])
    for owner, share in zip(market.owners[2:], (0.2, 0.2, 0.6), strict=True):
        assert abs(drawn[owner] - trials * share) <= 4.5 * (trials * share * (1 - share)) ** 0.5


def test_a_loser_holds_a_dispute_no_longer_than_budgets_and_lots(market, awaited):
    """Nobody drawn does anything but wait until the last tick: k lots take k (delta + 2 L), the coordinator's own L."""
    lease, claim = awaited
    assert market.tick == ASSERTER + 1
    for _ in range(3):
        market.summon(lease)
        market.advance(LIMIT)
        deputy = market.deputize(lease)
        market.advance(DELTA)
        market.accept(deputy)
        market.advance(LIMIT + 1)
        market.order_of("miss", {"lease": deputy, "why": "late"})
    market.summon(lease)
    deputy = market.deputize(lease)
    market.advance(LIMIT + 1)
    market.order_of("miss", {"lease": deputy, "why": "late"})
    market.verdict(claim, "challenger")
    assert market.tick == (ASSERTER + 1) + 3 * (DELTA + 2 * LIMIT + 1) + (LIMIT + 1)
    assert not market.names("lease")


@pytest.mark.parametrize("kind", ["summon", "deputize"])
def test_nobody_is_drawn_where_nobody_is_absent(market, refused, kind):
    lease = market.shown(market.devices[0])
    claim = market.begin(market.claim(lease, market.owners[1], 2))
    market.play(claim)
    if kind == "summon":
        assert refused(market.summon, lease) == "nobody-absent"
    else:
        content = {"lease": lease, "device": market.devices[2], "number": market.number, "seal": "0" * 64}
        assert refused(market.order_of, "deputize", content) == "no-lot"
    assert refused(market.timeout, claim) == "too-early"


def test_lots_are_numbered_and_only_the_drawn_owners_device_is_leased_them(market, refused, awaited):
    lease, _ = awaited
    assert refused(market.order_of, "summon", {"lease": lease, "index": 1}) == "wrong-index"
    assert refused(market.order_of, "summon", {"lease": "0" * 64, "index": 0}) == "no-such-result"
    assert refused(market.ask, market.owners[2], "summon", {"lease": lease, "index": 0}) == "not-the-coordinator"
    owner = market.summon(lease)
    other = next(
        device for device, of in zip(market.devices, market.owners, strict=True) if of not in (owner, market.owners[0])
    )
    content = {"lease": lease, "device": other, "number": market.number, "seal": "0" * 64}
    assert refused(market.order_of, "deputize", content) == "not-drawn"
    market.deputize(lease)
    assert refused(market.deputize, lease) == "no-lot"


# verifiers that claim and are then absent


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
    nothing_is_left(market)


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
    nothing_is_left(market)


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
    nothing_is_left(market)


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
    nothing_is_left(market)
