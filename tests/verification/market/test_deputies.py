"""Deputies: silence alone convicts nobody, and who confirmed a result may defend it."""

ASSERTER, CHALLENGER, LIMIT, DELTA = 4 * 60 + 2 * 100, 4 * 60 + 100, 100, 60


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
    market.check_nothing_is_left()


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
    market.check_nothing_is_left()


def test_two_deputies_are_drawn_then_the_coordinator_then_the_asserter_has_lost(market, refused, records):
    lease, claim = market.absent(value=2, claimed=1)
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
    market.check_nothing_is_left()


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
    market.check_nothing_is_left()


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
    market.check_nothing_is_left()


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
    market.check_nothing_is_left()


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
    market.check_nothing_is_left()


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
    market.check_nothing_is_left()


def test_all_fall_whose_steps_are_wrong_and_no_deputy_is_drawn(market, refused):
    lease, verifier, claim = confirmed(market)
    owner = market.lease(verifier).owner
    wrong_steps(market, claim)
    market.take_up(claim, verifier)
    wrong_steps(market, claim)
    assert refused(market.summon, lease) == "nobody-absent"
    market.verdict(claim, "challenger", "step-wrong")
    assert market.free(market.owners[0]) == market.free(owner) == 1_000_000 - 8_000
    market.check_nothing_is_left()


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
    market.check_nothing_is_left()


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
    market.check_nothing_is_left()


def test_who_confirmed_a_wrong_root_as_a_deputy_falls_with_it(market):
    lease, claim = market.absent(value=2, claimed=1)
    false = market.deputy(lease, 2)
    owner = market.lease(false).owner
    market.take_up(claim, false)
    market.decide(claim, "challenger")
    assert market.free(owner) == market.free(market.owners[0]) == 1_000_000 - 8_000
    assert market.free(market.owners[1]) == 1_002_000
    market.check_nothing_is_left()


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
    market.check_nothing_is_left()


def test_a_deputy_whose_root_is_neither_gets_its_stake_back_and_nothing_else(market):
    lease, claim = market.absent(value=2, claimed=1)
    deputies = [market.deputy(lease, 3), market.deputy(lease, 1), market.deputy(lease, 1)]
    owners = [market.lease(deputy).owner for deputy in deputies[:2]]
    market.verdict(claim, "challenger")
    market.final(deputies[1])
    assert [market.free(owner) for owner in owners] == [1_000_000, 1_001_000]
    market.check_nothing_is_left()


# verifiers that claim and are then absent
