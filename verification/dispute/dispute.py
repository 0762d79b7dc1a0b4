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

All that an asserter answers follows from its root but ``steps``. So who takes the place of one whose budget is spent
goes on where it stood, from steps of its own; and wrong steps convict nobody but who gave them: the clocks stop, and
whoever is left with the same root plays on.
"""

import json
from dataclasses import asdict, replace
from hashlib import sha256
from typing import Any

from verification.computation import Computation
from verification.dispute.clocks import Clocks, Role, other, passed, spent, started, stopped, taken_up
from verification.dispute.messages import BEGIN, KINDS
from verification.dispute.stages import Terms, settled, taken
from verification.dispute.state import Pair, State, Verdict, decided
from verification.encoding.canonical import digest
from verification.encoding.request import Request, opened
from verification.encoding.schema import read
from verification.errors import InputError, Refusal


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
        levels, root = content["rules"]["levels"], bytes.fromhex(roots["asserter"] or "")
        self.terms = Terms(computation, levels, root)
        clocks = started(content["budgets"], "asserter", content["tick"])
        span = (0, len(computation.nodes))
        first = State("descend-nodes", clocks, content["asserter"], 1, begin.name, span, roots)
        self.state = settled(self.terms, first)

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
        return self.state.expects

    @property
    def verdict(self) -> Verdict | None:
        return self.state.verdict

    @property
    def levels(self) -> int:
        """That one round descends."""
        return self.terms.levels

    def key(self, role: Role) -> str:
        """Who plays a role now."""
        return self.state.asserter if role == "asserter" else self.content["challenger"]

    def tick(self, tick: int) -> None:
        """Let time pass: a challenger whose budget is spent has lost, an asserter is replaced."""
        state = self.state
        if state.verdict is None and spent(state.clocks, tick):
            if state.clocks.turn == "challenger":
                self.state = decided(state, "asserter", state.refused or "silent")
            else:
                self.state = replace(state, clocks=stopped(state.clocks, tick))

    def replace_asserter(self, key: str, tick: int) -> None:
        """Let another one that has the asserter's root play on, with a budget like the asserter's.

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
        """End a dispute for whose asserter nobody is left to play.

        Raises:
            Refusal: over; not-your-turn: no asserter is awaited.
        """
        self._undecided()
        if not self.absent:
            raise Refusal("not-your-turn", "no asserter is awaited")
        self.state = decided(self.state, "challenger", self.state.refused or "silent")

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
                self.state = taken(self.terms, state, turn, said)
            except (Refusal, InputError):  # InputError: the model's store lacks a tile, which is no fault of the code
                raise
            except Exception:  # noqa: BLE001 - the referee's own fault is nobody else's
                self.state = decided(state, None, "void")
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
