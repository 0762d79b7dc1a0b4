"""Whatever is asked of a ledger, no money comes or goes but by deposits, withdrawals and what is burnt."""

from collections import Counter
from hashlib import sha256

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from toy_market import COORDINATOR, GENESIS, KEYS, OPERATIONS, PARTIES

from verification.encoding.request import request
from verification.errors import Refusal
from verification.ledger.state import BURNT, INT64
from verification.ledger.store import Ledger

OUTPUT = b"an output"
NAME = sha256(OUTPUT).hexdigest()

AMOUNTS = st.sampled_from([-1, 0, 1, 2, 3, 50, 2**62, INT64, 2**63])
PARTY = st.integers(0, len(KEYS) - 1)


class Money(RuleBasedStateMachine):
    """Any operations, sensible or not, new or repeated, over one ledger; its sums are kept once more, by hand."""

    def __init__(self):
        super().__init__()
        self.ledger = Ledger.create(":memory:", COORDINATOR, GENESIS, OPERATIONS)
        self.made = []
        self.stakes = {}
        self.free, self.burnt, self.asked = Counter(), 0, 0

    def perform(self, party, kind, blobs=None, **content):
        key = COORDINATOR if party is None else KEYS[party]
        self.asked += 1
        asked = request(key, kind, self.ledger.market, content | {"nonce": self.asked})
        before = self.ledger.state.copy()
        try:
            assert self.ledger.perform(asked, blobs)
        except Refusal:
            assert self.ledger.state == before
            return None
        self.made.append((asked, blobs))
        return asked.name

    @rule(party=PARTY, amount=AMOUNTS)
    def deposit(self, party, amount):
        possible = 0 < amount <= INT64 - sum(self.free.values()) - sum(a for _, a in self.stakes.values()) - self.burnt
        assert (self.perform(party, "deposit", amount=str(amount)) is not None) == possible
        self.free[party] += amount * possible

    @rule(party=PARTY, amount=AMOUNTS)
    def withdraw(self, party, amount):
        possible = 0 < amount <= self.free[party]
        assert (self.perform(party, "withdraw", amount=str(amount)) is not None) == possible
        self.free[party] -= amount * possible

    @rule(party=PARTY, amount=AMOUNTS)
    def lease(self, party, amount):
        possible = 0 < amount <= self.free[party]
        name = self.perform(party, "lease", {NAME: OUTPUT}, stake=str(amount), output=NAME)
        assert (name is not None) == possible
        if possible:
            self.free[party] -= amount
            self.stakes[name] = party, amount

    @rule(which=st.integers(0, 9), burnt=AMOUNTS)
    def final(self, which, burnt):
        if self.stakes:
            name = list(self.stakes)[which % len(self.stakes)]
            party, amount = self.stakes[name]
            possible = 0 <= burnt <= amount
            assert (self.perform(None, "final", lease=name, burnt=str(burnt)) is not None) == possible
            if possible:
                del self.stakes[name]
                self.free[party] += amount - burnt
                self.burnt += burnt

    @rule(which=st.integers(0, 99))
    def again(self, which):
        if self.made:
            before = self.ledger.state.copy()
            assert not self.ledger.perform(*self.made[which % len(self.made)])
            assert self.ledger.state == before

    @invariant()
    def sums_are_those_kept_by_hand(self):
        state = self.ledger.state
        state.check()
        expected = {f"free:{PARTIES[party]}": amount for party, amount in self.free.items()} | {BURNT: self.burnt}
        expected |= {f"stake:{PARTIES[party]}:{name}": amount for name, (party, amount) in self.stakes.items()}
        assert state.balances == {account: amount for account, amount in expected.items() if amount}
        for party, name in enumerate(PARTIES):
            locked = sum(amount for owner, amount in self.stakes.values() if owner == party)
            assert state.totals.get(name, 0) == self.free[party] + locked
        assert list(state.facts.get("lease", {})) == list(self.stakes)

    def teardown(self):
        with Ledger.create(":memory:", COORDINATOR, GENESIS, OPERATIONS) as again:
            for asked, blobs in self.made:
                assert again.perform(asked, blobs)
            assert again.state == self.ledger.state
        self.ledger.__exit__()


def many(examples):
    return settings(max_examples=examples, stateful_step_count=25)


TestMoney = Money.TestCase
TestMoney.settings = many(60)


@pytest.mark.slow
class TestMoneyAtLength(Money.TestCase):
    """The same, 3,000 times."""

    settings = many(3_000)
