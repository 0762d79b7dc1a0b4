"""Nobody honest and in time ever loses, whatever the others do and in whatever order."""

from fractions import Fraction

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from verification.errors import Refusal
from verification.first.accounts import deposit, free, register
from verification.first.audit import draw, pledge, reveal
from verification.first.challenge import assign, challenge, commit, finalise, miss, post, publish, verdict
from verification.first.ledger import Ledger
from verification.first.rules import Rules, adopt
from verification.first.tasks import OPEN, seal

PURSE, PRICE = 10_000, 100
RULES = Rules(delta=2, work=3, window=6, audit=Fraction(1, 2), stake=1_001, bond=11, pledge=7)
USER, HONEST, CHEATS = "1" * 64, ("a1" * 32, "a2" * 32), ("c1" * 32, "c2" * 32)
WATCHER, GRIEFER, KEEPER, WITHHOLDER = ("d1" * 32, "d2" * 32, "e1" * 32, "e2" * 32)
TASKS = ("t0", "t1", "t2", "t3")
EVERYONE = (USER, *HONEST, *CHEATS, WATCHER, GRIEFER, KEEPER, WITHHOLDER)


class Interleavings(RuleBasedStateMachine):
    """Honest parties act at any moment up to the last one they have; the others do anything at any time.

    When a phase begins and ends for an honest party is observed here from who has acted, not asked of the code.
    """

    def __init__(self):
        super().__init__()
        self.ledger = Ledger(":memory:")
        self.operations = 0
        self.do(adopt, RULES)
        for party in EVERYONE:
            self.do(register, party)
            self.do(deposit, party, PURSE)
        for task in TASKS:
            self.do(post, task, USER, 0)
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

    def do(self, change, *arguments):
        self.operations += 1
        self.ledger.perform(str(self.operations), change, *arguments)

    def task(self, name):
        return self.ledger.state.facts[f"task:{name}"]

    def attempt(self, change, *arguments):
        try:
            self.do(change, *arguments, self.now)
        except Refusal:
            return
        self.observe()

    def must(self, change, *arguments):
        self.do(change, *arguments, self.now)  # a refusal fails the test
        self.observe()

    def of_round(self, name):
        return [self.task(task) for task in self.rounds[name]["tasks"] if self.task(task)["round"] == name]

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
            task = self.task(name)
            if task["state"] in ("opened", "challenged"):
                self.since.setdefault((name, task["round"]), self.now)
                for party, how in task["disputes"].items():
                    if how == OPEN:
                        self.since.setdefault((name, task["round"], party), self.now)

    def duties(self):
        """(the last tick for it, what an honest party, a cheat that is punctual, or the referee does)."""
        for name in TASKS:
            task = self.task(name)
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
            record = self.ledger.state.facts[f"round:{name}"]
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
        states = {task: self.task(task) for task in TASKS}
        try:
            self.do(assign, name, priced, self.now)
        except Refusal:
            return
        busy = {task["provider"] for task in states.values() if task["state"] == "challenged"}
        assert not busy & {provider for _, provider, _ in priced}
        tasks = [task for task, _, _ in priced]
        self.rounds[name] = {"assigned": self.now, "tasks": tasks, "sealed": None, "published": None}

    @rule(task=st.sampled_from(TASKS), content=st.sampled_from(["wrong", "right", "wrong"]))
    def unpunctual_cheat_acts(self, task, content):
        provider, state = self.task(task)["provider"], self.task(task)["state"]
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
        assert sum(self.ledger.state.balances.values()) == PURSE * len(EVERYONE)

    @invariant()
    def nobody_honest_has_lost(self):
        balances, facts = self.ledger.state.balances, self.ledger.state.facts
        for party in (*HONEST, WATCHER, KEEPER):
            assert sum(held for account, held in balances.items() if party in account) >= PURSE
            assert facts[f"party:{party}"] == "registered"
        escrow = sum(held for account, held in balances.items() if account.startswith("escrow:"))
        final = sum(self.task(task)["state"] == "finalised" for task in TASKS)
        assert balances[free(USER)] + escrow == PURSE - PRICE * final

    @invariant()
    def nothing_stays_locked_without_a_reason(self):
        for account in self.ledger.state.balances:
            kind, name = account.partition(":")[0], account.rpartition(":")[2]
            owner = account.removeprefix(kind + ":").removesuffix(":" + name)
            if kind == "pledge":
                assert owner not in self.ledger.state.facts[f"round:{name}"]["nonces"]
                assert not self.ledger.state.facts[f"round:{name}"]["drawn"]
            elif kind in ("stake", "escrow", "bond"):
                task = self.task(name)
                assert task["state"] in ("assigned", "committed", "opened", "challenged")
                assert kind != "stake" or task["provider"] == owner
                assert kind != "bond" or task["disputes"][owner] == OPEN

    @invariant()
    def what_is_final_stays_and_is_right_where_somebody_watches(self):
        for name, task in self.final.items():
            assert self.task(name) == task
        self.final = {name: self.task(name) for name in TASKS if self.task(name)["state"] == "finalised"}
        if getattr(self, "watched", False):
            assert all(task["content"] == "right" for task in self.final.values())

    def teardown(self):
        self.ledger.__exit__()


def many(examples):
    return settings(max_examples=examples, stateful_step_count=40)


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = many(300)


@pytest.mark.slow
class TestInterleavingsAtLength(Interleavings.TestCase):
    """The same, 10,000 times."""

    settings = many(10_000)
