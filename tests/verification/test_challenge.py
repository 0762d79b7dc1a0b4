"""The life of a result: what each step moves, what is refused, and that nobody honest and in time ever loses."""

from fractions import Fraction

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from verification.accounts import BURNT, FUND, deposit, free, register
from verification.audit import draw, pledge, reveal
from verification.challenge import assign, challenge, commit, finalise, miss, post, publish, verdict
from verification.errors import Refusal
from verification.ledger import Ledger
from verification.rules import Rules, adopt
from verification.tasks import OPEN, SYSTEM, seal

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


HONEST, CHEATS = ("a1" * 32, "a2" * 32), ("c1" * 32, "c2" * 32)
WATCHER, GRIEFER, KEEPER, WITHHOLDER = ("d1" * 32, "d2" * 32, "e1" * 32, "e2" * 32)
TASKS = ("t0", "t1", "t2", "t3")
EVERYONE = (USER, *HONEST, *CHEATS, WATCHER, GRIEFER, KEEPER, WITHHOLDER)


class Interleavings(RuleBasedStateMachine):
    """Honest parties act at any moment up to the last one they have; the others do anything at any time.

    When a phase begins and ends for an honest party is observed here from who has acted, not asked of the code.
    """

    def __init__(self):
        super().__init__()
        self.book = Book(RULES, EVERYONE, TASKS)
        self.now = 0
        self.rounds = {}  # name -> assigned at, tasks, when all had sealed, when all had published
        self.since = {}  # (task, round) -> when it was published; (task, challenger) -> when it was disputed
        self.final = {}
        self.spent = 0

    @initialize(
        watched=st.booleans(),
        providers=st.lists(st.sampled_from(HONEST + CHEATS), min_size=len(TASKS), max_size=len(TASKS)),
        pledging=st.sampled_from([(KEEPER,), (WITHHOLDER,), (KEEPER, WITHHOLDER), ()]),
        punctual=st.sets(st.sampled_from(CHEATS)),
    )
    def begin(self, watched, providers, pledging, punctual):
        self.watched = watched
        self.asserts = dict.fromkeys(HONEST, "right") | dict.fromkeys(punctual, "wrong")
        self.auction(list(zip(TASKS, providers, strict=True)))
        for party in pledging:
            self.auditor_pledges(0, party)

    def attempt(self, change, *arguments):
        try:
            self.book.do(change, *arguments, self.now)
        except Refusal:
            return
        self.observe()

    def must(self, change, *arguments):
        self.book.do(change, *arguments, self.now)  # a refusal fails the test
        self.observe()

    def of_round(self, name):
        return [self.book.task(task) for task in self.rounds[name]["tasks"] if self.book.task(task)["round"] == name]

    def observe(self):
        for name, seen in self.rounds.items():
            states = [task["state"] for task in self.of_round(name)]
            due = seen["assigned"] + RULES.work + RULES.delta
            if seen["sealed"] is None and ("assigned" not in states or self.now > due):
                seen["sealed"] = self.now
            waits = {"assigned", "committed"} & set(states)
            late = seen["sealed"] is not None and self.now > seen["sealed"] + RULES.delta
            if seen["sealed"] is not None and seen["published"] is None and (not waits or late):
                seen["published"] = self.now
        for name in TASKS:
            task = self.book.task(name)
            if task["state"] in ("opened", "challenged"):
                self.since.setdefault((name, task["round"]), self.now)
                for party, how in task["disputes"].items():
                    if how == OPEN:
                        self.since.setdefault((name, task["round"], party), self.now)

    def duties(self):
        """(the last tick for it, what an honest party, a cheat that is punctual, or the referee does)."""
        for name in TASKS:
            task = self.book.task(name)
            provider, state, rivals = task["provider"], task["state"], self.rounds.get(task["round"])
            content = self.asserts.get(provider)
            if content and state == "assigned":
                sealed = seal(provider, name, content, "nonce")
                yield rivals["assigned"] + RULES.work + RULES.delta, (commit, name, provider, sealed)
            if content and state == "committed" and rivals["sealed"] is not None:
                yield rivals["sealed"] + RULES.delta, (publish, name, provider, content, "nonce")
            if state in ("opened", "challenged"):
                wrong = task["content"] != "right"
                if self.watched and wrong and WATCHER not in task["disputes"]:
                    yield self.since[name, task["round"]] + RULES.window, (challenge, name, WATCHER)
                for party, how in task["disputes"].items():
                    if how == OPEN:
                        winner = "challenger" if wrong else "asserter"
                        last = self.since[name, task["round"], party] + 5
                        yield last, (verdict, name, party, winner, "by the transcript")
        for name, seen in self.rounds.items():
            record = self.book.ledger.state.facts[f"round:{name}"]
            if KEEPER in record["pledges"] and KEEPER not in record["nonces"] and seen["published"] is not None:
                yield seen["published"] + RULES.delta, (reveal, name, KEEPER, "nonce")

    @rule(choice=st.integers(0, 20))
    def somebody_acts_early(self, choice):
        duties = list(self.duties())
        if duties:
            self.must(*duties[choice % len(duties)][1])

    @rule(ticks=st.sampled_from([4, 1, 2, 8, 20]), called=st.booleans())
    def time_passes(self, ticks, called):
        for _ in range(ticks):
            while last := [duty for due, duty in self.duties() if due <= self.now]:
                self.must(*last[0])
            self.now += 1
            self.observe()
            if called:
                self.anybody_calls_time(TASKS)

    @rule(pairs=st.lists(st.tuples(st.sampled_from(TASKS), st.sampled_from(HONEST + CHEATS)), min_size=1, max_size=4))
    def auction(self, pairs):
        name = str(len(self.rounds))
        priced = [(task, provider, PRICE) for task, provider in dict(pairs).items()]
        states = {task: self.book.task(task) for task in TASKS}
        try:
            self.book.do(assign, name, priced, self.now)
        except Refusal:
            return
        busy = {task["provider"] for task in states.values() if task["state"] == "challenged"}
        assert not busy & {provider for _, provider, _ in priced}
        tasks = [task for task, _, _ in priced]
        self.rounds[name] = {"assigned": self.now, "tasks": tasks, "sealed": None, "published": None}

    @rule(task=st.sampled_from(TASKS), content=st.sampled_from(["wrong", "right", "wrong"]))
    def unpunctual_cheat_acts(self, task, content):
        provider, state = self.book.task(task)["provider"], self.book.task(task)["state"]
        if provider in self.asserts:
            return
        if provider and state == "assigned":
            self.attempt(commit, task, provider, seal(provider, task, content, "nonce"))
        elif provider:
            self.attempt(publish, task, provider, content, "nonce")

    @rule(task=st.sampled_from(TASKS), party=st.sampled_from([GRIEFER, CHEATS[0], WITHHOLDER]))
    def anything_is_challenged(self, task, party):
        self.attempt(challenge, task, party)

    @rule(name=st.integers(0, 2), party=st.sampled_from([KEEPER, WITHHOLDER]))
    def auditor_pledges(self, name, party):
        self.attempt(pledge, str(name), party, seal(party, str(name), "", "nonce"))

    @rule(name=st.integers(0, 2), nonce=st.sampled_from(["nonce", "another"]))
    def withholder_reveals_after_all(self, name, nonce):
        self.attempt(reveal, str(name), WITHHOLDER, nonce)

    @rule(tasks=st.sampled_from([TASKS, *((task,) for task in TASKS)]))
    def anybody_calls_time(self, tasks):
        for name in self.rounds:
            self.attempt(draw, name)
        for task in tasks:
            self.attempt(miss, task)
            self.attempt(finalise, task)

    @invariant()
    def conserved(self):
        assert sum(self.book.ledger.state.balances.values()) == PURSE * len(EVERYONE)

    @invariant()
    def nobody_honest_has_lost(self):
        balances, facts = self.book.ledger.state.balances, self.book.ledger.state.facts
        for party in (*HONEST, WATCHER, KEEPER):
            assert sum(held for account, held in balances.items() if party in account) >= PURSE
            assert facts[f"party:{party}"] == "registered"
        escrow = sum(held for account, held in balances.items() if account.startswith("escrow:"))
        final = sum(self.book.task(task)["state"] == "finalised" for task in TASKS)
        assert balances[free(USER)] + escrow == PURSE - PRICE * final

    @invariant()
    def what_is_final_stays_and_is_right_where_somebody_watches(self):
        for name, task in self.final.items():
            assert self.book.task(name) == task
        self.final = {name: self.book.task(name) for name in TASKS if self.book.task(name)["state"] == "finalised"}
        if getattr(self, "watched", False):
            assert all(task["content"] == "right" for task in self.final.values())

    def teardown(self):
        self.book.ledger.__exit__()


def many(examples):
    return settings(max_examples=examples, stateful_step_count=40)


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = many(300)


@pytest.mark.slow
class TestInterleavingsAtLength(Interleavings.TestCase):
    """The same, 10,000 times."""

    settings = many(10_000)
