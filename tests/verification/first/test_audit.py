"""Drawn after the commitment, with the stated chance, and nothing gained by withholding."""

from fractions import Fraction
from hashlib import sha256

import pytest

from verification.errors import Refusal
from verification.first.accounts import BURNT, deposit, free, register
from verification.first.audit import draw, drawn, pledge, reveal, seed_of
from verification.first.challenge import assign, challenge, commit, miss, post, publish, verdict
from verification.first.ledger import Ledger
from verification.first.rules import Rules, adopt
from verification.first.tasks import SYSTEM, seal

USER, PROVIDER, FIRST, SECOND = (digit * 64 for digit in "1234")
PURSE = 100_000
TASKS = [f"t{number}" for number in range(40)]
RULES = Rules(delta=2, work=3, window=6, audit=Fraction(1, 4), stake=1_000, bond=11, pledge=7)


class Round:
    """Forty results of one provider, sealed at 2 and, unless told otherwise, published at 2."""

    def __init__(self):
        self.ledger = Ledger(":memory:")
        self.count = 0
        self.do(adopt, RULES)
        for party in (USER, PROVIDER, FIRST, SECOND):
            self.do(register, party)
            self.do(deposit, party, PURSE)
        for task in TASKS:
            self.do(post, task, USER, 0)
        self.do(assign, "r", [(task, PROVIDER, 1) for task in TASKS], 1)

    def do(self, change, *arguments):
        self.count += 1
        return self.ledger.perform(str(self.count), change, *arguments)

    def refused(self, reason, change, *arguments):
        before = self.ledger.state
        with pytest.raises(Refusal) as refused:
            self.do(change, *arguments)
        assert refused.value.reason == reason
        assert self.ledger.state == before

    def publish(self, tasks=TASKS):
        for task in TASKS:
            self.do(commit, task, PROVIDER, seal(PROVIDER, task, "found", "nonce"), 2)
        for task in tasks:
            self.do(publish, task, PROVIDER, "found", "nonce", 2)

    def challenged(self):
        facts = self.ledger.state.facts
        return [task for task in TASKS if SYSTEM in facts[f"task:{task}"]["disputes"]]


@pytest.fixture
def auctioned():
    """Both auditors have pledged."""
    auctioned = Round()
    for auditor in (FIRST, SECOND):
        auctioned.do(pledge, "r", auditor, seal(auditor, "r", "", f"nonce of {auditor}"), 1)
    yield auctioned
    auctioned.ledger.__exit__()


def test_all_reveal_and_what_is_drawn_follows_from_the_nonces(auctioned):
    auctioned.publish()
    for auditor in (SECOND, FIRST):
        assert auctioned.ledger.balance(free(auditor)) == PURSE - 7
        auctioned.do(reveal, "r", auditor, f"nonce of {auditor}", 4)
        assert auctioned.ledger.balance(free(auditor)) == PURSE
    auctioned.do(draw, "r", 4)
    parts = ("r", FIRST, f"nonce of {FIRST}", SECOND, f"nonce of {SECOND}")
    seed = sha256(b"distribute-lab/draw/1" + b"".join(len(p).to_bytes(8, "big") + p.encode() for p in parts)).digest()
    first = [int.from_bytes(sha256(seed + bytes(8) + task.encode()).digest(), "big") for task in TASKS]
    assert auctioned.challenged() == [task for task, x in zip(TASKS, first, strict=True) if x % 4 == 0]
    assert 0 < len(auctioned.challenged()) < len(TASKS)
    auctioned.refused("drawn", draw, "r", 5)


def test_who_withholds_loses_its_bond_and_everything_is_challenged(auctioned):
    auctioned.publish()
    auctioned.do(reveal, "r", FIRST, f"nonce of {FIRST}", 4)
    auctioned.refused("too-early", draw, "r", 4)
    auctioned.refused("late", reveal, "r", SECOND, f"nonce of {SECOND}", 5)
    auctioned.do(draw, "r", 5)
    assert auctioned.challenged() == TASKS
    assert auctioned.ledger.balance(free(FIRST)) == PURSE
    assert auctioned.ledger.balance(free(SECOND)) == PURSE - 7
    assert auctioned.ledger.balance(BURNT) == 7


def test_a_round_without_auditors_is_challenged_whole():
    auctioned = Round()
    auctioned.publish()
    auctioned.do(draw, "r", 2)
    assert auctioned.challenged() == TASKS
    auctioned.ledger.__exit__()


def test_reveals_wait_for_every_publication_so_that_nobody_drawn_can_choose_to_be_late(auctioned):
    auctioned.publish(TASKS[:-1])
    auctioned.refused("too-early", reveal, "r", FIRST, f"nonce of {FIRST}", 4)
    auctioned.refused("too-early", draw, "r", 4)
    auctioned.do(miss, TASKS[-1], 5)  # publishing ended at 2 + delta
    auctioned.do(reveal, "r", FIRST, f"nonce of {FIRST}", 5)
    auctioned.do(reveal, "r", SECOND, f"nonce of {SECOND}", 7)
    auctioned.do(draw, "r", 7)
    assert TASKS[-1] not in auctioned.challenged()


def test_a_result_reversed_later_does_not_prolong_the_reveals(auctioned):
    auctioned.publish()
    auctioned.do(challenge, TASKS[0], USER, 4)
    auctioned.do(verdict, TASKS[0], USER, "challenger", "tile differs", 4)
    auctioned.do(draw, "r", 5)  # they ended at 2 + delta
    assert auctioned.challenged() == []


def test_what_is_refused(auctioned):
    auctioned.refused("repeated-pledge", pledge, "r", FIRST, "", 1)
    auctioned.refused("unknown-party", pledge, "r", "9" * 64, "", 1)
    auctioned.refused("unknown-round", pledge, "s", FIRST, "", 1)
    auctioned.publish()
    auctioned.refused("pledges-closed", pledge, "r", USER, "", 2)
    auctioned.refused("no-such-pledge", reveal, "r", USER, "", 2)
    auctioned.refused("not-what-was-sealed", reveal, "r", FIRST, f"nonce of {SECOND}", 2)
    auctioned.do(reveal, "r", FIRST, f"nonce of {FIRST}", 2)
    auctioned.refused("no-such-pledge", reveal, "r", FIRST, f"nonce of {FIRST}", 2)


@pytest.mark.parametrize("p", [Fraction(0), Fraction(1, 20), Fraction(1, 3), Fraction(1)])
def test_the_share_drawn_is_p(p):
    trials = 20_000
    seed = seed_of("round", {FIRST: "nonce"})
    count = sum(drawn(seed, str(task), p) for task in range(trials))
    spread = 4 * (trials * p * (1 - p)) ** 0.5  # four standard deviations
    assert abs(count - trials * p) <= spread


def test_a_hash_beyond_the_last_multiple_of_the_denominator_is_not_used():
    """With q just above 2^255 nearly half of all hashes are passed over; what is drawn stays below p q."""
    p = Fraction(2**254 + 1, 2**255 + 1)
    seed = seed_of("round", {FIRST: "nonce"})

    def expected(task):
        for attempt in range(99):
            x = int.from_bytes(sha256(seed + attempt.to_bytes(8, "big") + task.encode()).digest(), "big")
            if x <= 2**255:
                return x <= 2**254
        raise AssertionError(task)

    assert [drawn(seed, task, p) for task in TASKS] == [expected(task) for task in TASKS]
    assert 0 < sum(drawn(seed, task, p) for task in TASKS) < len(TASKS)


def test_one_nonce_changes_every_draw():
    draws = [
        [drawn(seed_of("r", {FIRST: "known", SECOND: nonce}), task, Fraction(1, 2)) for task in TASKS] for nonce in "ab"
    ]
    assert 5 < sum(a != b for a, b in zip(*draws, strict=True)) < 35
