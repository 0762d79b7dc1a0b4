"""The life of a result: what each step moves, and what is refused."""

from fractions import Fraction

import pytest

from verification.errors import Refusal
from verification.first.accounts import BURNT, FUND, deposit, free, register
from verification.first.audit import draw
from verification.first.challenge import assign, challenge, commit, finalise, miss, post, publish, verdict
from verification.first.ledger import Ledger
from verification.first.rules import Rules, adopt
from verification.first.tasks import SYSTEM, seal

USER, PROVIDER, RIVAL, CHALLENGER, OTHER = (digit * 64 for digit in "12345")
PURSE, PRICE = 10_000, 100
RULES = Rules(delta=2, work=3, window=6, audit=Fraction(1, 2), stake=1_001, bond=11, pledge=7)
DUE = 1 + RULES.work + RULES.delta  # of results assigned at 1


class Book:
    """A ledger in memory, its operations numbered, five parties with a purse each, tasks a and b posted at 0."""

    def __init__(self, rules=RULES, parties=(USER, PROVIDER, RIVAL, CHALLENGER, OTHER), tasks=("a", "b")):
        self.ledger = Ledger(":memory:")
        self.count = 0
        self.do(adopt, rules)
        for party in parties:
            self.do(register, party)
            self.do(deposit, party, PURSE)
        for task in tasks:
            self.do(post, task, USER, 0)

    def do(self, change, *arguments):
        self.count += 1
        return self.ledger.perform(str(self.count), change, *arguments)

    def refused(self, reason, change, *arguments):
        before = self.ledger.state
        with pytest.raises(Refusal) as refused:
            self.do(change, *arguments)
        assert refused.value.reason == reason
        assert self.ledger.state == before

    def task(self, name="a"):
        return self.ledger.state.facts[f"task:{name}"]

    def has(self, **amounts):
        names = {"user": USER, "provider": PROVIDER, "rival": RIVAL, "challenger": CHALLENGER, "other": OTHER}
        accounts = {name: free(key) for name, key in names.items()} | {"fund": FUND, "burnt": BURNT}
        assert {name: self.ledger.balance(accounts[name]) for name in amounts} == amounts


@pytest.fixture
def book():
    book = Book()
    yield book
    book.ledger.__exit__()


@pytest.fixture
def assigned(book):
    book.do(assign, "r", [("a", PROVIDER, PRICE), ("b", RIVAL, PRICE)], 1)
    return book


@pytest.fixture
def opened(assigned):
    """Task a and b published at 4, no auditor pledged, nothing drawn."""
    for task, provider in (("a", PROVIDER), ("b", RIVAL)):
        assigned.do(commit, task, provider, seal(provider, task, "found", "nonce"), 3)
    for task, provider in (("a", PROVIDER), ("b", RIVAL)):
        assigned.do(publish, task, provider, "found", "nonce", 4)
    return assigned


def audited(book, now=4):
    """Nobody pledged: the system challenges both; it finds nothing."""
    book.do(draw, "r", now)
    for task in ("a", "b"):
        book.do(verdict, task, SYSTEM, "asserter", "same root", now)


def test_a_good_result_is_paid_for_once_its_window_is_over(opened):
    opened.has(user=PURSE - 2 * PRICE, provider=PURSE - 1_001)
    audited(opened)
    opened.refused("window-open", finalise, "a", 10)
    opened.do(finalise, "a", 11)
    opened.has(user=PURSE - 2 * PRICE, provider=PURSE + PRICE, fund=0, burnt=0)
    opened.refused("wrong-state", finalise, "a", 11)
    opened.refused("wrong-state", challenge, "a", CHALLENGER, 11)
    assert opened.task()["state"] == "finalised"


def test_nothing_is_final_before_the_draw(opened):
    opened.refused("undrawn", finalise, "a", 11)


def test_a_proven_cheat_loses_everything_and_the_task_ranks_higher(opened):
    opened.do(challenge, "a", CHALLENGER, 5)
    opened.do(challenge, "a", OTHER, 5)
    opened.do(verdict, "a", CHALLENGER, "challenger", "tile differs", 6)
    # 1,001 staked: a quarter, rounded down, to challenger and fund; the burnt rest takes the remainder
    opened.has(user=PURSE - PRICE, provider=PURSE - 1_001, challenger=PURSE + 250, other=PURSE, fund=250, burnt=501)
    assert (opened.task()["state"], opened.task()["priority"], opened.task()["why"]) == ("reversed", 1, "tile differs")
    opened.refused("removed-party", register, PROVIDER)
    opened.refused("removed-party", assign, "s", [("a", PROVIDER, PRICE)], 6)
    opened.do(assign, "s", [("a", OTHER, PRICE)], 6)


@pytest.mark.parametrize("forfeit_all, lost", [(True, 2 * 1_001), (False, 1_001)])
def test_a_cheats_other_tasks_are_handed_back(forfeit_all, lost):
    rules = Rules(delta=2, work=3, window=6, stake=1_001, bond=11, pledge=7, forfeit_all=forfeit_all)
    book = Book(rules)
    book.do(assign, "r", [("a", PROVIDER, PRICE), ("b", PROVIDER, PRICE)], 1)
    for task in ("a", "b"):
        book.do(commit, task, PROVIDER, seal(PROVIDER, task, "found", "nonce"), 2)
    for task in ("a", "b"):
        book.do(publish, task, PROVIDER, "found", "nonce", 2)
        book.do(challenge, task, CHALLENGER if task == "a" else OTHER, 2)
    book.do(verdict, "a", CHALLENGER, "challenger", "tile differs", 3)
    gained = 250 * lost // 1_001
    book.has(user=PURSE, provider=PURSE - lost, challenger=PURSE + gained, other=PURSE, fund=gained)
    assert (book.task("b")["state"], book.task("b")["priority"]) == ("handed-back", 1)
    book.ledger.__exit__()


def test_a_lost_challenge_costs_the_bond_and_shields_nothing(opened):
    opened.do(challenge, "a", CHALLENGER, 5)
    assert opened.task()["state"] == "challenged"
    opened.do(verdict, "a", CHALLENGER, "asserter", "tile holds", 6)
    opened.has(challenger=PURSE - 11, provider=PURSE - 1_001 + 5, burnt=6)  # half of 11, rounded down
    assert opened.task()["disputes"] == {CHALLENGER: "tile holds"}
    opened.refused("repeated-challenge", challenge, "a", CHALLENGER, 6)
    opened.do(challenge, "a", OTHER, 10)  # the last tick of the window
    opened.refused("window-closed", challenge, "a", USER, 11)
    opened.refused("wrong-state", finalise, "a", 11)  # a dispute outlasts the window
    opened.do(verdict, "a", OTHER, "challenger", "tile differs", 30)
    assert opened.task()["state"] == "reversed"


def test_a_challenged_provider_takes_no_new_tasks_until_the_verdict():
    book = Book(tasks=("a", "b"))
    book.do(assign, "r", [("a", PROVIDER, PRICE)], 1)
    book.do(commit, "a", PROVIDER, seal(PROVIDER, "a", "found", "nonce"), 2)
    book.do(publish, "a", PROVIDER, "found", "nonce", 2)
    book.do(challenge, "a", CHALLENGER, 2)
    book.refused("barred-party", assign, "s", [("b", PROVIDER, PRICE)], 2)
    book.do(verdict, "a", CHALLENGER, "asserter", "tile holds", 3)
    book.do(assign, "s", [("b", PROVIDER, PRICE)], 3)
    book.ledger.__exit__()


def test_a_late_provider_loses_the_stated_part_of_its_stake(assigned):
    assigned.refused("not-late", miss, "a", DUE)
    assigned.do(commit, "b", RIVAL, seal(RIVAL, "b", "found", "nonce"), DUE)
    assigned.refused("late", commit, "a", PROVIDER, "seal", DUE + 1)
    assigned.do(miss, "a", DUE + 1)
    assigned.has(user=PURSE - PRICE, provider=PURSE - 100, burnt=100)  # a tenth of 1,001, rounded down
    assert (assigned.task()["state"], assigned.task()["priority"]) == ("missed", 1)
    assigned.refused("not-late", miss, "b", DUE + 1 + RULES.delta)
    assigned.refused("late", publish, "b", RIVAL, "found", "nonce", DUE + 2 + RULES.delta)
    assigned.do(miss, "b", DUE + 2 + RULES.delta)
    assigned.do(assign, "s", [("a", PROVIDER, PRICE)], DUE + 2 + RULES.delta)  # late, not removed


def test_nothing_is_shown_before_all_rivals_have_sealed_and_a_copied_seal_opens_nothing(assigned):
    sealed = seal(PROVIDER, "a", "found", "nonce")
    assigned.do(commit, "a", PROVIDER, sealed, 2)
    assigned.refused("rivals-unsealed", publish, "a", PROVIDER, "found", "nonce", 2)
    assigned.do(commit, "b", RIVAL, sealed, 2)
    assigned.refused("not-what-was-sealed", publish, "a", PROVIDER, "another", "nonce", 2)
    assigned.do(publish, "a", PROVIDER, "found", "nonce", 2)
    assigned.refused("not-what-was-sealed", publish, "b", RIVAL, "found", "nonce", 2)


@pytest.mark.parametrize(
    "reason, change, arguments",
    [
        ("bad-name", post, ("", USER, 4)),
        ("task-exists", post, ("a", USER, 4)),
        ("unknown-party", post, ("c", "9" * 64, 4)),
        ("time-backwards", post, ("c", USER, 3)),
        ("bad-time", post, ("c", USER, "4")),
        ("bad-time", post, ("c", USER, -1)),
        ("rules-adopted", adopt, (Rules(),)),
        ("round-exists", assign, ("r", [("a", PROVIDER, PRICE)], 4)),
        ("empty-round", assign, ("s", [], 4)),
        ("wrong-state", assign, ("s", [("a", PROVIDER, PRICE)], 4)),
        ("unknown-task", assign, ("s", [("x", PROVIDER, PRICE)], 4)),
        ("unknown-task", challenge, ("x", CHALLENGER, 4)),
        ("wrong-state", commit, ("a", PROVIDER, "seal", 4)),
        ("wrong-state", publish, ("a", PROVIDER, "found", "nonce", 4)),
        ("wrong-state", miss, ("a", 99)),
        ("own-result", challenge, ("a", PROVIDER, 4)),
        ("unknown-party", challenge, ("a", "9" * 64, 4)),
        ("window-closed", challenge, ("a", CHALLENGER, 11)),
        ("wrong-state", verdict, ("a", CHALLENGER, "asserter", "", 4)),
        ("unknown-round", draw, ("s", 4)),
    ],
)
def test_a_refusal_changes_nothing(opened, reason, change, arguments):
    opened.refused(reason, change, *arguments)


def test_what_a_purse_does_not_hold_is_refused(book):
    book.refused("beyond-balance", assign, "r", [("a", PROVIDER, PURSE + 1)], 1)
    book.refused("zero-amount", assign, "r", [("a", PROVIDER, 0)], 1)
    book.refused("negative-amount", assign, "r", [("a", PROVIDER, -1)], 1)
    book.refused("wrong-state", assign, "r", [("a", PROVIDER, 1), ("a", RIVAL, 1)], 1)
    book.do(assign, "r", [("a", PROVIDER, 1)], 1)
    book.refused("not-the-provider", commit, "a", RIVAL, "seal", 1)


def test_a_result_stays_challenged_until_its_last_dispute_ends(opened):
    opened.do(challenge, "a", CHALLENGER, 5)
    opened.do(challenge, "a", OTHER, 5)
    opened.do(verdict, "a", CHALLENGER, "asserter", "tile holds", 6)
    assert opened.task()["state"] == "challenged"
    opened.do(verdict, "a", OTHER, "asserter", "tile holds", 6)
    assert opened.task()["state"] == "opened"


def test_verdicts_need_a_dispute_and_a_winner(opened):
    opened.do(challenge, "a", CHALLENGER, 5)
    opened.refused("no-such-dispute", verdict, "a", OTHER, "asserter", "", 5)
    opened.refused("unknown-winner", verdict, "a", CHALLENGER, "nobody", "", 5)


@pytest.mark.parametrize(
    "bad, reason",
    [
        ({"delta": 0}, "zero-amount"),
        ({"stake": -1}, "negative-amount"),
        ({"bond": 2**63}, "beyond-int64"),
        ({"audit": 0.5}, "bad-rules"),
        ({"audit": Fraction(3, 2)}, "bad-rules"),
        ({"challenger_share": Fraction(3, 4), "verifier_share": Fraction(1, 2)}, "bad-rules"),
    ],
)
def test_rules_are_checked(bad, reason):
    with pytest.raises(Refusal) as refused:
        Rules(**bad)
    assert refused.value.reason == reason
