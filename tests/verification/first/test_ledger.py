"""Sums are exact, refusals change nothing, an operation happens once, removal is for good, the log is the ledger."""

import sqlite3
from fractions import Fraction

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from verification.errors import Refusal
from verification.first.accounts import (
    BURNT,
    FUND,
    INT64,
    State,
    deposit,
    escrow_of,
    free,
    lock,
    register,
    release,
    remove,
    reward,
    slash,
    split,
    stake_of,
    withdraw,
)
from verification.first.ledger import Ledger

A, B, STRANGER = "a1" * 32, "b2" * 32, "c3" * 32
STAKE = stake_of(A, "task")


@pytest.fixture
def ledger(tmp_path):
    """A with 1,000 of which 400 are staked, B with nothing."""
    with Ledger(tmp_path / "ledger.db") as ledger:
        ledger.perform("a", register, A)
        ledger.perform("b", register, B)
        ledger.perform("deposit", deposit, A, 1_000)
        ledger.perform("stake", lock, A, STAKE, 400)
        yield ledger


def reopened(ledger, path) -> State:
    with Ledger(path) as again:
        return again.state


@pytest.mark.parametrize(
    "reason, change, arguments",
    [
        ("bad-key", register, ("A1" * 32,)),
        ("bad-key", register, ("a1" * 31,)),
        ("unknown-party", deposit, (STRANGER, 1)),
        ("unknown-party", withdraw, (STRANGER, 1)),
        ("unknown-party", lock, (STRANGER, STAKE, 1)),
        ("unknown-party", remove, (STRANGER,)),
        ("negative-amount", deposit, (A, -1)),
        ("zero-amount", deposit, (A, 0)),
        ("not-an-amount", deposit, (A, True)),
        ("not-an-amount", deposit, (A, 1.0)),
        ("beyond-int64", deposit, (A, 2**63)),
        ("beyond-int64", deposit, (A, INT64 - 999)),  # with the 1,000 deposited
        ("negative-amount", withdraw, (A, -1)),
        ("beyond-balance", withdraw, (A, 601)),
        ("beyond-balance", lock, (A, STAKE, 601)),
        ("beyond-balance", withdraw, (B, 1)),
        ("negative-amount", slash, (STAKE, -1)),
        ("beyond-stake", slash, (STAKE, 401)),
        ("beyond-fund", reward, (B, 1)),
        ("operation-reused", deposit, (A, 7)),
    ],
)
def test_a_refusal_has_a_reason_and_changes_nothing(ledger, tmp_path, reason, change, arguments):
    before, events = ledger.state, list(ledger.events())
    with pytest.raises(Refusal) as refused:
        ledger.perform("deposit" if reason == "operation-reused" else "new", change, *arguments)
    assert refused.value.reason == reason
    assert "\n" not in str(refused.value)
    assert ledger.state == before == reopened(ledger, tmp_path / "ledger.db")
    assert list(ledger.events()) == events


def test_the_last_micro_token_of_int64_can_be_held(ledger):
    ledger.perform("most", deposit, A, INT64 - 1_000)
    assert ledger.balance(free(A)) == INT64 - 400


def test_an_operation_is_made_once(ledger):
    assert ledger.perform("pay", withdraw, A, 100)
    assert not ledger.perform("pay", withdraw, A, 100)
    assert ledger.balance(free(A)) == 500
    assert ledger.state.withdrawn == 100


def test_a_slash_is_split_exactly_and_the_rest_burnt(ledger):
    ledger.perform("slash", slash, STAKE, 101, [free(B), Fraction(1, 4)], [FUND, Fraction(1, 3)])
    assert (ledger.balance(free(B)), ledger.balance(FUND), ledger.balance(BURNT)) == (25, 33, 43)
    assert ledger.balance(STAKE) == 299
    ledger.perform("reward", reward, A, 33)
    assert ledger.balance(free(A)) == 633
    with pytest.raises(Refusal, match="burnt cannot be spent") as refused:
        ledger.perform("unburn", slash, BURNT, 1)
    assert refused.value.reason == "burnt"


@pytest.mark.parametrize("amount", [0, 1, 7, INT64])
def test_a_split_sums_to_the_amount_with_the_remainder_last(amount):
    parts = split(amount, Fraction(1, 3), Fraction(2, 7))
    assert parts[:2] == (amount // 3, 2 * amount // 7)
    assert sum(parts) == amount


def test_a_removed_party_stays_removed_and_may_only_withdraw(ledger):
    ledger.perform("remove", remove, A)
    for number, (change, arguments) in enumerate(
        [(register, (A,)), (deposit, (A, 1)), (lock, (A, STAKE, 1)), (remove, (A,)), (reward, (A, 1))]
    ):
        with pytest.raises(Refusal) as refused:
            ledger.perform(f"again-{number}", change, *arguments)
        assert refused.value.reason == "removed-party"
    assert not ledger.perform("a", register, A)  # the registration of before, made again: nothing happens
    ledger.perform("leave", withdraw, A, 600)
    assert ledger.state.facts[f"party:{A}"] == "removed"


def test_the_log_is_append_only_and_rebuilds_the_state(ledger, tmp_path):
    path = tmp_path / "ledger.db"
    assert reopened(ledger, path) == ledger.state
    outside = sqlite3.connect(path)
    for statement in ("DELETE FROM events WHERE number = 3", "UPDATE events SET moves = '[]' WHERE number = 3"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            outside.execute(statement)
    assert outside.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    outside.close()


def test_a_rebuilt_fact_has_the_order_it_was_stated_in(ledger, tmp_path):
    """What is next among several may depend on it."""

    def note(draft, names):
        draft.state_fact("noted", dict.fromkeys(names))

    ledger.perform("note", note, ["b", "c", "a"])
    assert list(ledger.state.facts["noted"]) == list(reopened(ledger, tmp_path / "ledger.db").facts["noted"])


def test_two_processes_see_one_ledger(ledger, tmp_path):
    with Ledger(tmp_path / "ledger.db") as other:
        ledger.perform("first", withdraw, A, 600)
        with pytest.raises(Refusal, match="holds 0, not 1"):
            other.perform("second", withdraw, A, 1)
        assert not other.perform("first", withdraw, A, 600)
        assert other.state == ledger.state


def test_a_log_that_does_not_add_up_is_not_opened(ledger, tmp_path):
    outside = sqlite3.connect(tmp_path / "ledger.db")
    outside.execute("INSERT INTO events VALUES (99, 'x', '[\"x\"]', ?, '{}')", (f'[["{free(B)}", "{free(A)}", 1]]',))
    outside.commit()
    outside.close()
    with pytest.raises(Refusal) as refused:
        Ledger(tmp_path / "ledger.db")
    assert refused.value.reason == "not-conserved"


def test_conservation_is_checked_inside_the_transaction(ledger, monkeypatch):
    """A fault in the accounts themselves: what is moved arrives twice."""
    before, events = ledger.state, list(ledger.events())

    def faulty(self, account, amount):
        self.balances[account] = self.balances.get(account, 0) + amount + max(0, amount)

    monkeypatch.setattr(State, "_add", faulty)
    with pytest.raises(Refusal) as refused:
        ledger.perform("faulty", lock, A, escrow_of("task"), 5)
    assert refused.value.reason == "not-conserved"
    assert ledger.state == before
    assert list(ledger.events()) == events


def test_another_file_is_not_a_ledger(tmp_path):
    path = tmp_path / "text"
    path.write_text("not a database, though long enough to have a header " * 9)
    with pytest.raises(Refusal) as refused:
        Ledger(path)
    assert refused.value.reason == "not-a-ledger"


PARTIES = st.sampled_from([A, B, STRANGER])
AMOUNTS = st.sampled_from([-1, 0, 1, 2, 3, 50, 2**62, INT64, 2**63])
ACCOUNTS = st.sampled_from([STAKE, stake_of(B, "task"), escrow_of("task"), free(A), FUND, BURNT])
SHARES = st.sampled_from([Fraction(0), Fraction(1, 3), Fraction(1, 2)])


class Money(RuleBasedStateMachine):
    """Any operations, sensible or not, new or repeated, over one ledger; a second one is kept by plain arithmetic."""

    def __init__(self):
        super().__init__()
        self.ledger = Ledger(":memory:")
        self.made = []
        self.outside = 0  # deposited less withdrawn, by our own count

    def perform(self, change, *arguments):
        before = self.ledger.state
        operation = f"{len(self.made)}"
        try:
            made = self.ledger.perform(operation, change, *arguments)
        except Refusal:
            assert self.ledger.state == before
            return False
        assert made
        self.made.append((operation, change, arguments))
        return True

    @rule(party=PARTIES)
    def register(self, party):
        removed = self.ledger.state.facts.get(f"party:{party}") == "removed"
        assert self.perform(register, party) is not removed

    @rule(party=PARTIES, amount=AMOUNTS)
    def deposit(self, party, amount):
        self.outside += amount * self.perform(deposit, party, amount)

    @rule(party=PARTIES, amount=AMOUNTS)
    def withdraw(self, party, amount):
        self.outside -= amount * self.perform(withdraw, party, amount)

    @rule(party=PARTIES, account=ACCOUNTS, amount=AMOUNTS)
    def lock(self, party, account, amount):
        self.perform(lock, party, account, amount)

    @rule(party=PARTIES, account=ACCOUNTS)
    def release(self, party, account):
        self.perform(release, account, party)

    @rule(account=ACCOUNTS, amount=AMOUNTS, party=PARTIES, to_party=SHARES, to_fund=SHARES)
    def slash(self, account, amount, party, to_party, to_fund):
        self.perform(slash, account, amount, [free(party), to_party], [FUND, to_fund])

    @rule(party=PARTIES, amount=AMOUNTS)
    def reward(self, party, amount):
        self.perform(reward, party, amount)

    @rule(party=PARTIES)
    def remove(self, party):
        self.perform(remove, party)

    @rule(number=st.integers(0, 99))
    def again(self, number):
        if self.made:
            operation, change, arguments = self.made[number % len(self.made)]
            before = self.ledger.state
            assert not self.ledger.perform(operation, change, *arguments)
            assert self.ledger.state == before

    @invariant()
    def conserved(self):
        balances = self.ledger.state.balances.values()
        assert sum(balances) == self.outside
        assert all(0 < balance <= INT64 for balance in balances)

    def teardown(self):
        self.ledger.__exit__()


def many(examples):
    return settings(max_examples=examples, stateful_step_count=25)


TestMoney = Money.TestCase
TestMoney.settings = many(200)


@pytest.mark.slow
class TestMoneyAtLength(Money.TestCase):
    """The same, 10,000 times."""

    settings = many(10_000)
