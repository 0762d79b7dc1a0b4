"""Random disputes: who is right and answers in time wins, whatever the other does, deputies and crashes among it."""

import json
from contextlib import suppress
from functools import cache

import numpy as np
import pytest

from verification.adversaries import corrupt_trace
from verification.adversaries.break_dispute import ADVERSARIES
from verification.dispute.dispute import Dispute
from verification.dispute.party import honest
from verification.encoding.signature import public
from verification.errors import Refusal
from verification.trace import record

NAMES = ("smallest", "small", "ends", "tall", "wide")
MOVES = ("honest", "honest", "honest", "silent", "again", *ADVERSARIES)


@pytest.fixture(scope="module")
def right(toys):
    """An honest trace of a toy, made once."""

    @cache
    def right(name):
        return record(toys[name])

    return right


@pytest.fixture(scope="module")
def liar(make_toy, right):
    """A trace that is not the right one: patched, or consistent in itself from a wrong node on."""

    def liar(name, generator, kinds=(*corrupt_trace.ADVERSARIES, "other-seed")):
        kind = generator.choice(kinds)
        if kind == "other-seed":
            toy = right(name).computation
            measures = {each: getattr(toy, each) for each in ("width", "passes", "layers", "rows", "end")}
            other = record(make_toy(**measures, seed=int(generator.integers(6, 100))))
            return corrupt_trace.substituted(toy, other)
        return corrupt_trace.ADVERSARIES[kind](right(name).copy(), generator)

    return liar


def restarted(dispute):
    """The dispute as it is after a crash of who conducts it."""
    again = Dispute.restored(dispute.computation, json.loads(json.dumps(dispute.stored())))
    assert again.state == dispute.state
    return again


def false_steps(key, trace, generator):
    """A deputy that has the right root and commits to wrong steps."""
    mine = trace.copy()

    def send(dispute):
        state = dispute.state
        if state.stage == "steps":
            results = [words.copy() for words in trace.derivation(state.node, state.leaf)]
            results[int(generator.integers(len(results) - 1))][0] ^= 1
            mine.derived[state.node, state.leaf] = results
        return honest(key, mine)(dispute)

    return send


class Game:
    """One party is right. If it asserts it may fall silent: then false deputies come, and at last one that is right."""

    def __init__(self, seed, right, liar, begun, key):
        self.generator = generator = np.random.default_rng(seed)
        name = NAMES[generator.choice(len(NAMES), p=(0.3, 0.3, 0.3, 0.05, 0.05))]
        self.right, wrong = right(name), liar(name, generator)
        self.role = ("asserter", "challenger")[generator.integers(2)]
        traces = (self.right, wrong) if self.role == "asserter" else (wrong, self.right)
        self.trivial = wrong.tree.root == self.right.tree.root
        if self.trivial:
            return
        self.dispute, *_ = begun(wrong.computation, [trace.tree.root for trace in traces], tick=int(seed))
        self.key, self.traces, self.tick, self.sent = (
            key,
            dict(zip(("asserter", "challenger"), traces, strict=True)),
            seed,
            [],
        )
        self.parties = {"asserter": honest(key(1), traces[0]), "challenger": honest(key(2), traces[1])}
        self.numbers = {"asserter": 1, "challenger": 2}
        self.silent_from = (
            int(generator.integers(1, 12)) if self.role == "asserter" and generator.random() < 0.5 else 99
        )
        self.false_deputies = int(generator.integers(0, 3))

    def play(self):
        while self.dispute.verdict is None:
            if self.generator.random() < 0.2:
                self.dispute = restarted(self.dispute)
            if self.dispute.absent:
                self.deputise()
            elif self.dispute.turn == self.role and not self.lies():
                self.answer()
            else:
                self.cheat()
        return self.dispute.verdict.winner == self.role

    def lies(self):
        """Whether who plays for the side that is right is absent, or false."""
        return (
            self.role == "asserter"
            and self.numbers["asserter"] in (1, 3)
            and (self.numbers["asserter"] == 3 or self.dispute.state.index >= self.silent_from)
        )

    def answer(self):
        """In time, if at the last moment."""
        if self.generator.random() < 0.3:  # others try to be heard meanwhile
            self.try_to_send(
                self.parties["challenger" if self.role == "asserter" else "asserter"](self.dispute)
                if not self.sent
                else self.sent[-1]
            )
        left = self.dispute.clocks.due - self.tick
        self.tick += int(self.generator.integers(2)) if left > 12 else 0
        self.dispute.receive(self.parties[self.role](self.dispute), self.tick)

    def cheat(self):
        turn = self.dispute.turn
        move = MOVES[self.generator.integers(len(MOVES))]
        if turn == self.role and self.numbers[turn] == 1:
            move = "silent"
        if move == "silent":
            self.tick = self.dispute.clocks.due + 1
            self.dispute.tick(self.tick)
            return
        self.tick += int(self.generator.integers(4))
        party = self.parties[turn]
        if move in ADVERSARIES:
            party = ADVERSARIES[move][0](self.key(self.numbers[turn]), party)
        again = move == "again" and self.sent
        self.try_to_send(self.sent[self.generator.integers(len(self.sent))] if again else party(self.dispute))

    def try_to_send(self, raw):
        if raw is not None:
            self.sent.append(raw)
            with suppress(Refusal):
                self.dispute.receive(raw, self.tick)

    def deputise(self):
        self.tick += int(self.generator.integers(50))
        if self.role == "challenger" and self.generator.random() < 0.5:
            self.dispute.forfeit()
            return
        if self.role == "challenger" or self.false_deputies:
            self.false_deputies -= 1
            self.numbers["asserter"] = 3
            trace = self.traces["asserter"]
            party = honest if self.generator.random() < 0.3 else lambda *of: false_steps(*of, self.generator)
        else:
            self.numbers["asserter"], party, trace = 4, honest, self.right
        deputy = self.key(self.numbers["asserter"])
        self.parties["asserter"] = party(deputy, trace)
        self.dispute.replace_asserter(public(deputy), self.tick)


def lost(seeds, *given):
    """The seeds of the games that who is right did not win."""
    games = [Game(seed, *given) for seed in seeds]
    return [seed for seed, game in zip(seeds, games, strict=True) if not (game.trivial or game.play())]


def test_who_is_right_and_in_time_never_loses(right, liar, begun, key):
    assert lost(range(500), right, liar, begun, key) == []


@pytest.mark.slow
def test_who_is_right_and_in_time_never_loses_in_ten_thousand_disputes(right, liar, begun, key):
    assert lost(range(1_000, 11_000), right, liar, begun, key) == []


def liars_that_won(seeds, right, liar, disputed):
    """The seeds of the liars, each of a trace that is consistent in itself, that won on either side."""
    winners = []
    for seed in seeds:
        generator = np.random.default_rng(seed)
        name = NAMES[seed % 4]
        wrong = liar(name, generator, ("wrong-node", "wrong-tile", "other-seed"))
        if wrong.tree.root == right(name).tree.root:
            continue
        if disputed(wrong, right(name)).dispute.verdict.winner != "challenger":
            winners.append((seed, "asserter"))
        if disputed(right(name), wrong).dispute.verdict.winner != "asserter":
            winners.append((seed, "challenger"))
    return winners


def test_a_liar_that_is_consistent_from_a_wrong_node_on_loses_on_either_side(right, liar, disputed):
    assert liars_that_won(range(100), right, liar, disputed) == []


@pytest.mark.slow
def test_five_thousand_consistent_liars_lose_on_either_side(right, liar, disputed):
    assert liars_that_won(range(100, 5_100), right, liar, disputed) == []
