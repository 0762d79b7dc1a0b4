"""A dispute over a result: asserter and challenger descend their two trees to the leftmost difference (section 5).

    descend   both       digests of the subtrees below the current one, first over the nodes of the trace
    node      both       the root of the node's leaves, null where the node is
    guard     asserter   where only one has the node: the words that tell whether the run had ended before it
    descend   both       over the leaves of the node
    steps     both       the root of the leaf's steps, the last of which is the leaf
    descend   both       over the steps
    open      asserter   the sources of the step; the referee recomputes it

Each asserter's answer is followed by the challenger's, and both go on from the leftmost digests that differ: all that
the step reads lies to the left, so that both agree on it. Where neither's step is right the asserter loses.

All that an asserter answers follows from its root but ``steps``. So a deputy that takes the place of one whose budget
is spent goes on where it stood, from steps of its own, and no deputy's steps convict an asserter while another is left.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import Any, Literal

import numpy as np

from verification.computation import Computation, Source, Step, Words
from verification.dispute.clocks import Clocks, Role, other, passed, spent, started, stopped, taken_up
from verification.dispute.messages import BEGIN, KINDS, Opening
from verification.dispute.referee import committed, derived, right
from verification.encoding.canonical import digest
from verification.encoding.request import Request, opened
from verification.encoding.schema import read
from verification.errors import Refusal
from verification.merkle import NULL, Span, folded, node_digest, parts, root_of
from verification.trace import leaves

Stage = Literal["descend-nodes", "node", "guard", "descend-leaves", "steps", "descend-steps", "open"]
Pair = dict[Role, str | None]
"""What each party committed to, in hex."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a dispute ended."""

    winner: Role | None
    """None: the referee's own code failed, the dispute is void."""
    reason: str
    node: int | None
    leaf: int | None
    step: int | None
    macs: int
    """What the referee recomputed."""

    @property
    def loser(self) -> Role | None:
        return None if self.winner is None else other(self.winner)


@dataclass(frozen=True, slots=True)
class State:
    """All that a dispute's messages and their ticks lead to."""

    stage: Stage
    clocks: Clocks
    asserter: str
    """The key that asserts now: a deputy's, where one took the asserter's place."""
    index: int
    """Of the message that is due."""
    previous: str
    span: Span
    """The subtree on which the parties differ."""
    digests: Pair
    """Of it."""
    said: Any = None
    """The asserter's part of the exchange that is under way."""
    node: int | None = None
    leaf: int | None = None
    step: int | None = None
    leaf_digests: Pair | None = None
    """Of the disputed leaf."""
    step_roots: Pair | None = None
    rounds: dict[str, int] = field(default_factory=dict)
    """Of each descent."""
    bytes: int = 0
    refused: str = ""
    """Why the last message was refused that came, or may have come, from the party whose turn it is. What is oversized
    is kept by nobody: it counts as silence."""
    refused_message: str | None = None
    """SHA-256 of its bytes."""
    verdict: Verdict | None = None


class Dispute:
    """One dispute: a function of its messages and their ticks, the same for everybody who has them."""

    def __init__(self, computation: Computation, begin: Request) -> None:
        """A dispute as the referee began it.

        Raises:
            Refusal: malformed; no-difference; other-computation.
        """
        content = read(BEGIN, begin.content)
        roots: Pair = content["roots"]
        if roots["asserter"] == roots["challenger"]:
            raise Refusal("no-difference", "the challenger claims what the asserter claims")
        if content["computation"] != identity(computation):
            raise Refusal("other-computation", "the dispute is about another computation")
        self.computation, self.begin, self.content = computation, begin, content
        clocks = started(content["budgets"], "asserter", content["tick"])
        span = (0, len(computation.nodes))
        first = State("descend-nodes", clocks, content["asserter"], 1, begin.name, span, roots)
        self.state = self._settled(first)

    @property
    def clocks(self) -> Clocks:
        return self.state.clocks

    @property
    def turn(self) -> Role | None:
        """Whose answer is due; None: the dispute is decided, or an asserter is awaited."""
        return None if self.verdict else self.state.clocks.turn

    @property
    def absent(self) -> bool:
        """Whether an asserter is awaited: ``replace_asserter`` or ``forfeit`` comes next."""
        return self.verdict is None and self.state.clocks.turn is None

    @property
    def expects(self) -> str:
        """The kind of the message that is due."""
        return self.state.stage.partition("-")[0]

    @property
    def verdict(self) -> Verdict | None:
        return self.state.verdict

    @property
    def levels(self) -> int:
        """That one round descends."""
        return int(self.content["rules"]["levels"])

    def key(self, role: Role) -> str:
        """Who plays a role now."""
        return self.state.asserter if role == "asserter" else self.content["challenger"]

    def tick(self, tick: int) -> None:
        """Let time pass: a challenger whose budget is spent has lost, an asserter is replaced."""
        state = self.state
        if state.verdict is None and spent(state.clocks, tick):
            if state.clocks.turn == "challenger":
                self.state = _decided(state, "asserter", state.refused or "silent")
            else:
                self.state = replace(state, clocks=stopped(state.clocks, tick))

    def replace_asserter(self, key: str, tick: int) -> None:
        """Let a deputy that has the asserter's root play on, with a budget like the asserter's.

        Raises:
            Refusal: over; not-your-turn: no asserter is awaited; too-early.
        """
        self._undecided()
        state = self.state
        clocks = taken_up(state.clocks, self.content["budgets"]["asserter"], tick)
        state = replace(state, asserter=key, clocks=clocks, refused="", refused_message=None)
        if state.step_roots is not None and state.leaf_digests is not None:
            state = replace(state, stage="steps", digests=state.leaf_digests, step=None, step_roots=None)
        self.state = state

    def forfeit(self) -> None:
        """End a dispute for whose asserter no deputy is left.

        Raises:
            Refusal: over; not-your-turn: no asserter is awaited.
        """
        self._undecided()
        if not self.absent:
            raise Refusal("not-your-turn", "no asserter is awaited")
        self.state = _decided(self.state, "challenger", self.state.refused or "silent")

    def receive(self, raw: bytes, tick: int) -> None:
        """Take a message. Where the referee's own code fails over it, the dispute is void.

        Raises:
            Refusal: over, late, not-your-turn, oversized, malformed, wrong-signature, stranger, replayed, reordered,
                other-dispute, unexpected-kind, or what is wrong with its content. Nothing has changed then, but that
                a budget may be spent.
        """
        self.tick(tick)
        self._undecided()
        message = None
        try:
            message = opened(raw, self.begin.market, self.content["rules"]["message_limit"])
            turn, said = self._checked(message)
            state = replace(
                self.state,
                clocks=passed(self.clocks, other(turn), tick),
                index=self.state.index + 1,
                previous=message.name,
                bytes=self.state.bytes + len(raw),
                refused="",
                refused_message=None,
            )
            try:
                self.state = self._taken(state, turn, said)
            except Refusal:
                raise
            except Exception:  # noqa: BLE001 - the referee's own fault is nobody else's
                self.state = _decided(state, None, "void")
        except Refusal as refusal:
            theirs = message is None or message.party == (self.turn and self.key(self.turn))
            if self.turn and theirs and refusal.reason != "oversized":
                seen = sha256(raw).hexdigest()
                self.state = replace(self.state, refused=refusal.reason, refused_message=seen)
            raise

    def _undecided(self) -> None:
        if self.verdict is not None:
            raise Refusal("over", f"the dispute is decided: {self.verdict.reason}")

    def _checked(self, message: Request) -> tuple[Role, dict[str, Any]]:
        """Whose turn it is, and what its message holds."""
        turn = self.turn
        if message.party not in (self.state.asserter, self.content["challenger"]):
            raise Refusal("stranger", "the message is signed by neither party")
        if turn is None or message.party != self.key(turn):
            raise Refusal("not-your-turn", f"it is the {turn}'s turn" if turn else "an asserter is awaited")
        if message.kind not in KINDS:
            raise Refusal("unexpected-kind", f"a message of kind {self.expects} is due")
        said = read(KINDS[message.kind], message.content)
        index, due = said["index"], self.state.index
        if index != due:
            raise Refusal("replayed" if index < due else "reordered", f"message {index} where message {due} is due")
        if said["previous"] != self.state.previous:
            raise Refusal("other-dispute", "the message does not follow the last one of this dispute")
        if message.kind != self.expects:
            raise Refusal("unexpected-kind", f"a message of kind {self.expects} is due, not {message.kind}")
        return turn, said

    def _taken(self, state: State, turn: Role, said: dict[str, Any]) -> State:
        match self.expects:
            case "descend":
                return self._descended(state, turn, said["digests"])
            case "node":
                return self._node(state, turn, said["root"])
            case "guard":
                return self._guard(state, said["opening"])
            case "steps":
                return self._steps(state, turn, said["root"], said["path"])
            case _:
                return self._open(state, said["inputs"])

    def _settled(self, state: State) -> State:
        """Go on where the descent has ended."""
        lo, hi = state.span
        if hi - lo > 1:
            return state
        match state.stage:
            case "descend-nodes":
                return replace(state, stage="node", node=lo)
            case "descend-leaves":
                state = replace(state, leaf=lo, leaf_digests=state.digests)
                if len(self._derivation(state)) > 1:
                    return replace(state, stage="steps")
                return replace(state, stage="open", step=0)
            case _:
                return replace(state, stage="open", step=lo)

    def _derivation(self, state: State) -> Sequence[Step]:
        """The steps of the disputed leaf."""
        assert state.node is not None and state.leaf is not None
        return self.computation.steps(state.node, state.leaf)

    def _descended(self, state: State, turn: Role, digests: list[str]) -> State:
        below = parts(state.span, self.levels)
        if len(digests) != len(below):
            raise Refusal("wrong-length", f"{len(digests)} digests where {len(below)} are due")
        if folded(state.span, self.levels, [bytes.fromhex(each) for each in digests]).hex() != state.digests[turn]:
            raise Refusal("wrong-digest", f"the digests are not those below the {turn}'s subtree")
        if turn == "asserter":
            return replace(state, said=digests)
        span, mine, theirs = next(pair for pair in zip(below, state.said, digests, strict=True) if pair[1] != pair[2])
        rounds = state.rounds | {state.stage: state.rounds.get(state.stage, 0) + 1}
        pair: Pair = {"asserter": mine, "challenger": theirs}
        return self._settled(replace(state, said=None, span=span, digests=pair, rounds=rounds))

    def _node(self, state: State, turn: Role, root: str | None) -> State:
        assert state.node is not None
        shape = self.computation.nodes[state.node]
        made = NULL if root is None else node_digest(shape.rows, shape.words, bytes.fromhex(root))
        if made.hex() != state.digests[turn]:
            raise Refusal("wrong-digest", f"the {turn}'s digest of {shape.name} is another")
        if turn == "asserter":
            return replace(state, said=root)
        roots: Pair = {"asserter": state.said, "challenger": root}
        state = replace(state, said=None, digests=roots)
        if None not in roots.values():
            return self._settled(replace(state, stage="descend-leaves", span=(0, leaves(shape))))
        return _null(state, False) if shape.guard is None else replace(state, stage="guard")

    def _guard(self, state: State, opening: Opening) -> State:
        assert state.node is not None
        guard = self.computation.nodes[state.node].guard
        assert guard is not None
        words = self._committed(guard, leaves(self.computation.nodes[guard]) - 1, opening)
        return _null(state, words is None or self.computation.ended(words[None]))

    def _steps(self, state: State, turn: Role, root: str, path: tuple[bytes, ...]) -> State:
        count, leaf = len(self._derivation(state)), state.digests[turn]
        assert leaf is not None
        found = root_of(bytes.fromhex(leaf), count - 1, count, path)
        if found is None or found.hex() != root:
            raise Refusal("wrong-proof", "the last step is not the disputed leaf")
        if turn == "asserter":
            return replace(state, said=root)
        roots: Pair = {"asserter": state.said, "challenger": root}
        later = replace(state, stage="descend-steps", said=None, span=(0, count), digests=roots, step_roots=roots)
        return self._settled(later)

    def _open(self, state: State, openings: list[Opening]) -> State:
        node, leaf, index, claimed = state.node, state.leaf, state.step, state.digests["asserter"]
        assert node is not None and leaf is not None and index is not None and claimed is not None
        step = self._derivation(state)[index]
        if len(openings) != len(step.sources):
            raise Refusal("wrong-length", f"{len(openings)} inputs are opened where the step has {len(step.sources)}")
        inputs = [self._input(state, source, each) for source, each in zip(step.sources, openings, strict=True)]
        if right(self.computation, node, leaf, index, inputs, bytes.fromhex(claimed)):
            return _decided(state, "asserter", "step-right", step.macs)
        if state.step_roots is not None and state.asserter != self.content["asserter"]:
            clocks = stopped(state.clocks, state.clocks.since)
            return replace(state, clocks=clocks, refused="step-wrong")
        return _decided(state, "challenger", "step-wrong", step.macs)

    def _input(self, state: State, source: Source, opening: Opening) -> Words:
        if isinstance(source, int):
            roots, steps = state.step_roots, self._derivation(state)
            assert roots is not None and roots["asserter"] is not None
            return derived(bytes.fromhex(roots["asserter"]), source, len(steps), steps[source].words, opening)
        words = self._committed(*source, opening)
        return np.empty(0, np.int32) if words is None else words

    def _committed(self, node: int, leaf: int, opening: Opening) -> Words | None:
        return committed(self.computation, bytes.fromhex(self.content["roots"]["asserter"]), node, leaf, opening)

    def stored(self) -> dict[str, Any]:
        """The dispute as plain JSON, from which it is taken up again."""
        begin = {"market": self.begin.market, "raw": self.begin.raw.decode()}
        return {"begin": begin, "state": json.loads(json.dumps(asdict(self.state)))}

    @classmethod
    def restored(cls, computation: Computation, plain: dict[str, Any]) -> "Dispute":
        """The dispute that was stored."""
        dispute = cls(computation, opened(plain["begin"]["raw"].encode(), plain["begin"]["market"]))
        state = dict(plain["state"])
        verdict = None if state["verdict"] is None else Verdict(**state["verdict"])
        made = {"clocks": Clocks(**state["clocks"]), "span": tuple(state["span"]), "verdict": verdict}
        dispute.state = State(**state | made)
        return dispute


def identity(computation: Computation) -> str:
    """The digest of what says which computation a dispute is about."""
    return digest({"digests": dict(computation.digests), "terms": dict(computation.terms)})


def _decided(state: State, winner: Role | None, reason: str, macs: int = 0) -> State:
    return replace(state, verdict=Verdict(winner, reason, state.node, state.leaf, state.step, macs))


def _null(state: State, null: bool) -> State:
    holds = null == (state.digests["asserter"] is None)
    return _decided(state, "asserter" if holds else "challenger", "null-right" if holds else "null-wrong")
