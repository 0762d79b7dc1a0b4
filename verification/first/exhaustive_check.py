"""The protocol checked exhaustively on small computations: every trace, every order of messages, every silence.

A computation of N nodes of one word each, of which each repeats the one before or masks it; one asserter, two
challengers. Every trace either of them can commit to (each word right or wrong, the delivered token right or wrong) is
played; a party whose trace is not the right one may be silent at every turn. The messages of both disputes, time-outs,
the end of the window and attempts to finalise interleave in every order, over the real ``Dispute``, ``challenge`` and
accounts. Orders in which an honest party would exceed its delay bound to wait for another dispute's time-out are
explored too: more than can happen.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.computation import Observer, Words, side_by_side
from verification.errors import Refusal
from verification.first import audit, challenge
from verification.first.accounts import Draft, State, bond_of, deposit, free, register, stake_of
from verification.first.bisection import Dispute
from verification.first.commitment import header, public
from verification.first.party import honest
from verification.first.rules import Rules, adopt
from verification.first.tasks import seal, task_of
from verification.trace import Trace, record

ASSERTER, USER, AUDITOR, *CHALLENGERS = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in range(1, 6))
TASK, ROUND = "task", "round"
RULES = Rules(delta=10, work=10, window=100, audit=Fraction(0))
Choice = tuple[int, ...]
"""Bit i: whether word i is wrong; the last: whether the delivered token is."""


@dataclass(frozen=True, slots=True)
class Link:
    """A node, and the only step of its only leaf."""

    name: str
    sources: tuple[tuple[int, int], ...]
    op: str = "link"
    rows: int = 1
    words: int = 1
    guard: None = None
    macs: int = 1
    kind: str = "link"
    numbers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Chain:
    """Node i repeats node i - 1, or gives 0 where ``masks[i]``; node 0 gives 0; the token is the last word."""

    masks: tuple[bool, ...]
    digests: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(("model", "graph", "input"), "0" * 64))
    terms: Mapping[str, str] = field(default_factory=dict)
    macs: int = 1
    constants: Mapping[str, Any] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        return {}

    @property
    def nodes(self) -> Sequence[Link]:
        return [Link(str(i), ((i - 1, 0),) if i else ()) for i in range(len(self.masks))]

    def run(self, observe: Observer) -> list[int]:
        # 0 repeated or masked is 0: what is wrong is written into the trace afterwards.
        observe(0, side_by_side([np.zeros((1, 1), np.int32)] * len(self.masks)))
        return [0]

    @property
    def kept(self) -> Sequence[int]:
        return range(len(self.masks))

    def regenerate(self, node: int, kept: object) -> dict[int, Words]:
        raise AssertionError("every node is kept")

    def ended(self, guard: Words) -> bool:
        return False

    def delivered(self, token: int) -> tuple[int, int] | None:
        return (len(self.masks) - 1, 0) if token == 0 else None

    def steps(self, node: int, leaf: int) -> Sequence[Link]:
        return [self.nodes[node]]

    def recompute(self, node: int, leaf: int, step: int, inputs: Sequence[Words]) -> Words:
        return np.zeros(1, np.int32) if not node or self.masks[node] else inputs[0]


def traced(chain: Chain, choice: Choice) -> Trace:
    """The trace with those words wrong."""
    trace = record(chain)
    for node, wrong in enumerate(choice[:-1]):
        if wrong:
            trace.change(node, 0, np.ones(1, np.int32))
    trace.tokens = [int(trace.leaf(len(choice) - 2, 0)[0]) ^ choice[-1]]
    return trace


@dataclass(frozen=True, slots=True)
class Played:
    """A dispute between two traces: whose turn it is before each message, and who wins after the last."""

    turns: tuple[str, ...]
    winner: str


def played(chain: Chain, mine: Trace, theirs: Trace) -> Played:
    """Both parties answer by their traces to the end; a time-out at any turn goes against whose turn it is."""
    parties = {
        "asserter": honest("asserter", ASSERTER, mine),
        "challenger": honest("challenger", CHALLENGERS[0], theirs),
    }
    claimed, turns = header(TASK, mine, public(ASSERTER)), list[str]()
    dispute = Dispute(chain, claimed, public(CHALLENGERS[0]))
    while dispute.verdict is None:
        turns.append(dispute.turn)
        silent = copy(dispute)
        silent.tick(dispute.deadline + 1)
        assert silent.verdict is not None and silent.verdict.loser == dispute.turn
        dispute.receive(parties[dispute.turn](dispute) or b"", 1)
    return Played(tuple(turns), dispute.verdict.winner)


@dataclass(frozen=True, slots=True)
class Scene:
    """What is explored at once: all choices that play alike."""

    wrong: bool
    """Whether the asserter's result is."""
    disputes: tuple[Played | None, Played | None]
    """Of each challenger; None: it does not challenge."""
    honest: tuple[bool, bool]
    """Whether each challenger's trace is the right one."""


@dataclass(slots=True)
class Explored:
    """How much was looked at."""

    choices: int = 0
    """Of masks, traces and challengers, those that play alike for one asserter counted once."""
    scenes: int = 0
    """Those of them that differ in what can happen."""
    states: int = 0
    transitions: int = 0


def scenes(nodes: int) -> Iterator[Scene]:
    """Every choice of masks, traces and challengers."""
    choices = list(itertools.product((0, 1), repeat=nodes + 1))
    for masks in itertools.product((False, True), repeat=nodes - 1):
        chain = Chain((True, *masks))
        traces = {choice: traced(chain, choice) for choice in choices}
        claims = {choice: (trace.tree.root, trace.tokens) for choice, trace in traces.items()}
        for mine in choices:
            against = {
                (not any(theirs), played(chain, traces[mine], traces[theirs]))
                for theirs in choices
                if claims[theirs] != claims[mine]
            } | {(False, None)}
            for (one, first), (two, second) in itertools.product(sorted(against, key=repr), repeat=2):
                yield Scene(any(mine), (first, second), (one, two))


def explore(nodes: int) -> Explored:
    """Look at every order of every scene of N nodes.

    Raises:
        AssertionError: an honest party loses, a wrong result is finalised although an honest challenger acted in the
            window, a right one cannot be finalised, or money is not conserved.
    """
    explored, seen = Explored(), set[Scene]()
    for scene in scenes(nodes):
        explored.choices += 1
        if scene not in seen:
            seen.add(scene)
            _orders(scene, explored)
    explored.scenes = len(seen)
    return explored


@cache
def _published() -> State:
    """A result published, its window open, the audit drawn without challenging it."""
    draft = Draft(State())
    adopt(draft, RULES)
    for key in (ASSERTER, USER, AUDITOR, *CHALLENGERS):
        register(draft, public(key))
        deposit(draft, public(key), 10_000_000)
    challenge.post(draft, TASK, public(USER), 0)
    challenge.assign(draft, ROUND, [(TASK, public(ASSERTER), 1000)], 0)
    audit.pledge(draft, ROUND, public(AUDITOR), seal(public(AUDITOR), ROUND, "", "n"), 0)
    challenge.commit(draft, TASK, public(ASSERTER), seal(public(ASSERTER), TASK, "c", "n"), 0)
    challenge.publish(draft, TASK, public(ASSERTER), "c", "n", 0)
    audit.reveal(draft, ROUND, public(AUDITOR), "n", 0)
    audit.draw(draft, ROUND, 0)
    return draft.state


@dataclass(frozen=True, slots=True)
class Position:
    """Where both disputes are, and whether the window is closed."""

    sent: tuple[int, int]
    """Messages of each; -1: not opened."""
    done: tuple[bool, bool]
    """Whether each has its verdict, or was voided with the result."""
    closed: bool = False


def _orders(scene: Scene, explored: Explored) -> None:
    start = Position((-1, -1), tuple(played is None for played in scene.disputes))  # type: ignore[arg-type]
    seen = set[tuple[Position, str]]()
    waiting = [(start, _published())]
    while waiting:
        position, state = waiting.pop()
        task = task_of(Draft(state), TASK)
        key = (position, repr((task, sorted(state.balances.items()))))
        if key in seen:
            continue
        seen.add(key)
        explored.states += 1
        following = list(_moves(scene, position, state))
        explored.transitions += len(following)
        if not following:
            _check_end(scene, state)
        waiting += following


def _moves(scene: Scene, position: Position, state: State) -> Iterator[tuple[Position, State]]:
    """All that can happen next; a refused attempt to finalise is no move."""
    now = RULES.window + 1 if position.closed else 1
    task = task_of(Draft(state), TASK)
    if task.state in ("opened", "challenged"):
        draft = Draft(state)
        with suppress(Refusal):
            challenge.finalise(draft, TASK, now)
            assert not (scene.wrong and any(scene.honest)), "a wrong result was finalised"
            yield replace(position, done=(True, True)), draft.state
        late = [scene.honest[i] and not position.done[i] and position.sent[i] < 0 for i in (0, 1)]
        if not position.closed and not any(late):  # who is honest acts in the window
            yield replace(position, closed=True), state
    for number in (0, 1):
        if not position.done[number]:
            yield from _dispute_moves(scene, position, state, number, now)


def _dispute_moves(
    scene: Scene, position: Position, state: State, number: int, now: int
) -> Iterator[tuple[Position, State]]:
    play, sent, party = scene.disputes[number], position.sent[number], public(CHALLENGERS[number])
    assert play is not None
    draft = Draft(state)
    if sent < 0:
        if position.closed or task_of(draft, TASK).state not in ("opened", "challenged"):
            yield _with(position, number, sent, True), state  # too late, or there is nothing left to challenge
            return
        challenge.challenge(draft, TASK, party, now)
        yield _with(position, number, 0, False), draft.state
        return
    if task_of(draft, TASK).state != "challenged":
        yield _with(position, number, sent, True), state  # voided: another challenger has won
        return
    turn = play.turns[sent]
    is_honest = scene.honest[number] if turn == "challenger" else not scene.wrong
    if not is_honest:
        yield _verdict(scene, position, state, number, "challenger" if turn == "asserter" else "asserter", now)
    if sent + 1 < len(play.turns):
        yield _with(position, number, sent + 1, False), state
    else:
        yield _verdict(scene, position, state, number, play.winner, now)


def _with(position: Position, number: int, sent: int, done: bool) -> Position:
    if number == 0:
        return replace(position, sent=(sent, position.sent[1]), done=(done, position.done[1]))
    return replace(position, sent=(position.sent[0], sent), done=(position.done[0], done))


def _verdict(
    scene: Scene, position: Position, state: State, number: int, winner: str, now: int
) -> tuple[Position, State]:
    draft = Draft(state)
    assert scene.wrong or winner == "asserter", "an honest asserter lost"
    assert not scene.honest[number] or winner == "challenger", "an honest challenger lost"
    challenge.verdict(draft, TASK, public(CHALLENGERS[number]), winner, "played", now)
    draft.state.check()
    return _with(position, number, position.sent[number], True), draft.state


def _check_end(scene: Scene, state: State) -> None:
    """Nothing can happen any more."""
    draft = Draft(state)
    task = task_of(draft, TASK)
    if not scene.wrong:
        assert task.state == "finalised", "a right result was not finalised"
        assert draft.balance(free(public(ASSERTER))) >= 10_000_000 + 1000, "an honest asserter lost money"
    if scene.wrong and any(scene.honest):
        assert task.state == "reversed" and draft.fact(f"party:{public(ASSERTER)}") == "removed"
        assert not draft.balance(stake_of(public(ASSERTER), TASK))
    for right, key in zip(scene.honest, CHALLENGERS, strict=True):
        assert not draft.balance(bond_of(public(key), TASK)), "a bond is stuck"
        assert not right or draft.balance(free(public(key))) >= 10_000_000, "an honest challenger lost money"
