"""A dispute over a result: asserter and challenger descend their two trees to the leftmost difference (section 5).

    challenge   challenger   its own root and tokens
    descend     both         digests of the subtrees below the current one, first over the nodes of the trace
    node        both         whether the node is null, and the root of its leaves
    descend     both         over the leaves of the node
    steps       both         the root of the leaf's steps, the last of which is the leaf
    descend     both         over the steps
    open        asserter     the inputs of the step; the referee recomputes it

Each asserter's digest is followed by the challenger's, and both must go on from the leftmost that differ: all inputs of
the step that they end at lie to the left, so that both agree on them. Where only one has the node, the node that
decides whether the run had ended is opened (guard); where only the tokens differ, the leaf they come from (deliver).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from verification.computation import Computation
from verification.errors import Refusal
from verification.first.commitment import Header, canonical, signed
from verification.first.messages import ROLES, Message, Opening, Role, decode, digest
from verification.first.referee import committed, derived, right
from verification.merkle import NULL, Span, folded, node_digest, parts, root_of
from verification.trace import leaves

TYPES = {"nodes": "descend", "leaves": "descend", "tiles": "descend"}
"""The type of message of a stage, where it is not the stage's own name."""


@dataclass(frozen=True, slots=True)
class DisputeRules:
    """What all parties agreed to beforehand."""

    delay: int = 60
    """Delta: a party whose next message takes longer loses; time in units of the referee's clock."""
    node_levels: int = 1
    """Levels of the trace's tree that one round descends: 2^levels digests a message."""
    tile_levels: int = 2
    """The same over leaves and steps; 2 keeps all rounds over tiles within ceil(log2 tiles)."""


RULES = DisputeRules()


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a dispute ended."""

    winner: Role
    reason: str
    node: int | None
    leaf: int | None
    step: int | None
    macs: int
    """What the referee recomputed."""

    @property
    def loser(self) -> Role:
        return other(self.winner)


def other(role: Role) -> Role:
    """The other party."""
    return "challenger" if role == "asserter" else "asserter"


@dataclass(frozen=True, slots=True)
class Descent:
    """A subtree on which the parties differ."""

    levels: int
    span: Span
    digests: dict[Role, bytes]
    """Of the subtree, each party's."""


class Dispute:
    """The state of one dispute: a function of the messages and their times, the same for everybody who has them."""

    def __init__(
        self, computation: Computation, header: Header, challenger: str, rules: DisputeRules = RULES, now: int = 0
    ) -> None:
        self.computation, self.header, self.rules = computation, header, rules
        self.keys: dict[Role, str] = {"asserter": header.provider, "challenger": challenger}
        self.root = bytes.fromhex(header.root)
        self.stage, self.turn = "challenge", ROLES[1]
        self.index, self.deadline = 0, now + rules.delay
        self.previous = digest(canonical([challenger, header.encoded().decode()]))
        self.descent = Descent(0, (0, 0), {})
        self.answers: dict[Role, Any] = {}
        """Of the exchange that is under way, the asserter's part; then what both said last."""
        self.tokens: tuple[int, ...] = ()
        self.node: int | None = None
        self.leaf: int | None = None
        self.step: int | None = None
        self.step_roots: dict[Role, bytes] = {}
        self.rounds = {"nodes": 0, "leaves": 0, "tiles": 0}
        self.bytes = 0
        self.refused = ""
        """Why the last message was refused that came, or may have come, from the party whose turn it is: the reason
        that it loses for if it sends no other in time."""
        self.verdict: Verdict | None = None

    @property
    def expects(self) -> str:
        """The type of the next message."""
        return TYPES.get(self.stage, self.stage)

    def tick(self, now: int) -> None:
        """Let time pass: who is silent beyond the delay loses."""
        if self.verdict is None and now > self.deadline:
            self._decide(other(self.turn), self.refused or "silent")

    def receive(self, raw: bytes, now: int) -> None:
        """Take a message.

        Raises:
            Refusal: over, late, oversized, malformed, replayed, reordered, not-your-turn, other-dispute,
                wrong-signature, unexpected-type, or what is wrong with its content; nothing has changed then.
        """
        self.tick(now)
        if self.verdict is not None:
            raise Refusal("over", f"the dispute is decided: {self.verdict.reason}")
        message = None
        try:
            message = decode(raw)
            self._check(message)
            self._accept(message)
        except Refusal as refusal:
            if message is None or message.sender == self.turn:
                self.refused = refusal.reason
            raise
        self.refused = ""
        self.index, self.previous, self.bytes = self.index + 1, digest(raw), self.bytes + len(raw)
        self.deadline = now + self.rules.delay

    def _check(self, message: Message) -> None:
        if message.index != self.index:
            reason = "replayed" if message.index < self.index else "reordered"
            raise Refusal(reason, f"message {message.index} where message {self.index} is due")
        if message.sender != self.turn:
            raise Refusal("not-your-turn", f"it is the {self.turn}'s turn")
        if message.previous != self.previous:
            raise Refusal("other-dispute", "the message does not follow the last one of this dispute")
        if not signed(self.keys[message.sender], "message", message.content, message.signature):
            raise Refusal("wrong-signature", f"the message is not signed by the {message.sender}")
        if message.type != self.expects:
            raise Refusal("unexpected-type", f"a message of type {self.expects} is due, not {message.type}")

    def _accept(self, message: Message) -> None:
        {
            "challenge": self._challenge,
            "descend": self._descend,
            "node": self._open_node,
            "steps": self._open_steps,
            "open": self._open,
            "guard": self._guard,
            "deliver": self._deliver,
        }[message.type](message.body)

    def _decide(self, winner: Role, reason: str, macs: int = 0) -> None:
        self.verdict = Verdict(winner, reason, self.node, self.leaf, self.step, macs)

    def _both(self, answer: Any) -> bool:
        """Note one party's part of an exchange; whether both are there now."""
        if self.turn == "asserter":
            self.answers = {}
        self.answers[self.turn] = answer
        complete = self.turn == "challenger"
        self.turn = other(self.turn)
        return complete

    def _challenge(self, body: Any) -> None:
        if (body["root"], body["tokens"]) == (self.root, self.header.tokens):
            raise Refusal("no-difference", "the challenger claims what the asserter claims")
        self.tokens, self.turn = body["tokens"], "asserter"
        if body["root"] != self.root:
            roots: dict[Role, bytes] = {"asserter": self.root, "challenger": body["root"]}
            self._start("nodes", self.rules.node_levels, len(self.computation.nodes), roots)
        elif self.computation.delivered(self.differing_token) is None:
            claimed = len(self.header.tokens) > self.differing_token
            self._decide("challenger" if claimed else "asserter", "tokens-wrong" if claimed else "tokens-right")
        else:
            self.stage = "deliver"

    @property
    def differing_token(self) -> int:
        """The first output token on which the parties differ."""
        mine, theirs = self.header.tokens, self.tokens
        same = (i for i, (a, b) in enumerate(zip(mine, theirs, strict=False)) if a != b)
        return next(same, min(len(mine), len(theirs)))

    def _start(self, stage: str, levels: int, count: int, digests: dict[Role, bytes]) -> None:
        self.stage, self.descent = stage, Descent(levels, (0, count), digests)
        self._settle()

    def _settle(self) -> None:
        """Go on where the descent has ended."""
        lo, hi = self.descent.span
        if hi - lo > 1:
            return
        if self.stage == "nodes":
            self.node, self.stage = lo, "node"
        elif self.stage == "leaves":
            self.leaf = lo
            if len(self.steps) == 1:
                self.step, self.stage = 0, "open"
            else:
                self.stage = "steps"
        else:
            self.step, self.stage = lo, "open"

    @property
    def steps(self) -> Any:
        """Of the disputed leaf."""
        assert self.node is not None and self.leaf is not None
        return self.computation.steps(self.node, self.leaf)

    def _descend(self, body: Any) -> None:
        descent = self.descent
        below = parts(descent.span, descent.levels)
        if len(body["digests"]) != len(below):
            raise Refusal("wrong-length", f"{len(body['digests'])} digests where {len(below)} are due")
        if folded(descent.span, descent.levels, body["digests"]) != descent.digests[self.turn]:
            raise Refusal("wrong-digest", f"the digests are not those below the {self.turn}'s subtree")
        if not self._both(body["digests"]):
            return
        self.rounds[self.stage] += 1
        pairs = zip(below, self.answers["asserter"], self.answers["challenger"], strict=True)
        span, mine, theirs = next(pair for pair in pairs if pair[1] != pair[2])
        self.descent = Descent(descent.levels, span, {"asserter": mine, "challenger": theirs})
        self._settle()

    def _open_node(self, body: Any) -> None:
        assert self.node is not None
        shape, root = self.computation.nodes[self.node], body["root"]
        made = NULL if root is None else node_digest(shape.rows, shape.words, root)
        if made != self.descent.digests[self.turn]:
            raise Refusal("wrong-digest", f"the {self.turn}'s digest of {shape.name} is another")
        if not self._both(root):
            return
        if None not in self.answers.values():
            self._start("leaves", self.rules.tile_levels, leaves(shape), dict(self.answers))
        elif shape.guard is None:
            self._decide_null(False)
        else:
            self.stage = "guard"

    def _decide_null(self, null: bool) -> None:
        holds = null == (self.answers["asserter"] is None)
        self._decide("asserter" if holds else "challenger", "null-right" if holds else "null-wrong")

    def _guard(self, body: Any) -> None:
        guard = self.computation.nodes[self.node].guard  # type: ignore[index]
        assert guard is not None
        last = leaves(self.computation.nodes[guard]) - 1
        words = committed(self.computation, self.root, guard, last, body["opening"])
        self._decide_null(words is None or self.computation.ended(words[None]))

    def _open_steps(self, body: Any) -> None:
        count = len(self.steps)
        if root_of(self.descent.digests[self.turn], count - 1, count, body["path"]) != body["root"]:
            raise Refusal("wrong-proof", "the last step is not the disputed leaf")
        if not self._both(body["root"]):
            return
        self.step_roots = dict(self.answers)
        self._start("tiles", self.rules.tile_levels, count, self.step_roots)

    def _open(self, body: Any) -> None:
        assert self.node is not None and self.leaf is not None and self.step is not None
        step, opened = self.steps[self.step], body["inputs"]
        if len(opened) != len(step.sources):
            raise Refusal("wrong-length", f"{len(opened)} inputs are opened where the step has {len(step.sources)}")
        inputs = [self._input(source, opening) for source, opening in zip(step.sources, opened, strict=True)]
        holds = right(self.computation, self.node, self.leaf, self.step, inputs, self.descent.digests["asserter"])
        self._decide("asserter" if holds else "challenger", "step-right" if holds else "step-wrong", step.macs)

    def _input(self, source: Any, opening: Opening) -> Any:
        if isinstance(source, int):
            steps = self.steps
            return derived(self.step_roots["asserter"], source, len(steps), steps[source].words, opening)
        words = committed(self.computation, self.root, source[0], source[1], opening)
        return np.empty(0, np.int32) if words is None else words

    def _deliver(self, body: Any) -> None:
        token = self.differing_token
        at = self.computation.delivered(token)
        assert at is not None
        words = committed(self.computation, self.root, *at, body["opening"])
        claimed = self.header.tokens[token : token + 1]
        holds = claimed == (() if words is None else (int(words[0]),))
        self._decide("asserter" if holds else "challenger", "tokens-right" if holds else "tokens-wrong")
