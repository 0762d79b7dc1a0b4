"""What a dispute's messages lead to: where it stands, what each party committed to, how it ended (section 5)."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from verification.dispute.clocks import Clocks, Role, other
from verification.merkle import Span

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
    macs: int = 0
    """What the referee has recomputed."""
    verdict: Verdict | None = None

    @property
    def expects(self) -> str:
        """The kind of the message that is due."""
        return self.stage.partition("-")[0]


def decided(state: State, winner: Role | None, reason: str) -> State:
    """The state in which the dispute has ended."""
    return replace(state, verdict=Verdict(winner, reason, state.node, state.leaf, state.step, state.macs))
