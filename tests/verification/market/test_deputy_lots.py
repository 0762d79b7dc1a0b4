"""Lots of deputies: who is drawn, when, by what, and how long all of it takes."""

from collections import Counter
from hashlib import sha256

import pytest

from verification.encoding.request import request
from verification.ledger.state import Draft
from verification.market.draws import lots
from verification.market.operations import OPERATIONS
from verification.market.records import Result

ASSERTER, CHALLENGER, LIMIT, DELTA = 4 * 60 + 2 * 100, 4 * 60 + 100, 100, 60


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
    market.check_nothing_is_left()


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
