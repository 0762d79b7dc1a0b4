"""The clocks of a dispute (section 5): each party has a budget of ticks, of which its own turns take.

Exactly one clock runs at any tick, so that a dispute ends without a limit of its own; none does while deputies work
for an asserter whose budget is spent, since their leases have limits. Ticks are of the referee's up-time.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from verification.errors import Refusal

Role = Literal["asserter", "challenger"]
ROLES: tuple[Role, ...] = ("asserter", "challenger")


def other(role: Role) -> Role:
    """The other party."""
    return "challenger" if role == "asserter" else "asserter"


@dataclass(frozen=True, slots=True)
class Clocks:
    """Ticks that each party had left when the running clock was started."""

    asserter: int
    challenger: int
    turn: Role | None
    """Whose clock runs; None: nobody's, an asserter is awaited."""
    since: int
    """The tick at which it was started, or at which all were stopped."""

    @property
    def due(self) -> int | None:
        """The last tick at which an answer is in time; None where none is awaited."""
        return None if self.turn is None else self.since + getattr(self, self.turn)

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def budgets(delta: int, work: int) -> dict[Role, int]:
    """Ticks that a dispute gives each party: 4 delta and the lease's work limit, once to a challenger, which has its
    trace when it claims, twice to an asserter, which may have to make its own again."""
    return {"asserter": 4 * delta + 2 * work, "challenger": 4 * delta + work}


def started(given: Mapping[Role, int], turn: Role, tick: int) -> Clocks:
    """The clocks at the beginning of a dispute."""
    return Clocks(given["asserter"], given["challenger"], turn, tick)


def spent(clocks: Clocks, tick: int) -> bool:
    """Whether the clock that runs has passed its budget."""
    return clocks.due is not None and tick > clocks.due


def passed(clocks: Clocks, turn: Role, tick: int) -> Clocks:
    """The clocks after an answer, which hands the turn on, or back to who gave it.

    Raises:
        Refusal: too-early, late, not-your-turn: no clock runs.
    """
    if clocks.turn is None:
        raise Refusal("not-your-turn", "an asserter is awaited")
    if tick < clocks.since:
        raise Refusal("too-early", f"tick {tick} is before tick {clocks.since}, at which the clock was started")
    if spent(clocks, tick):
        raise Refusal("late", f"the {clocks.turn}'s budget was spent at tick {clocks.due}")
    taken = tick - clocks.since
    if clocks.turn == "asserter":
        return replace(clocks, asserter=clocks.asserter - taken, turn=turn, since=tick)
    return replace(clocks, challenger=clocks.challenger - taken, turn=turn, since=tick)


def stopped(clocks: Clocks, tick: int) -> Clocks:
    """The clocks while an asserter is awaited: what the last one had is gone, the challenger's stands.

    Raises:
        Refusal: too-early.
    """
    if tick < clocks.since:
        raise Refusal("too-early", f"tick {tick} is before tick {clocks.since}, at which the clock was started")
    return replace(clocks, asserter=0, turn=None, since=tick)


def taken_up(clocks: Clocks, budget: int, tick: int) -> Clocks:
    """The clocks when a deputy takes the asserter's place, with a budget of its own.

    Raises:
        Refusal: not-your-turn: a clock runs; too-early.
    """
    if clocks.turn is not None:
        raise Refusal("not-your-turn", f"the {clocks.turn}'s clock runs")
    if tick < clocks.since:
        raise Refusal("too-early", f"tick {tick} is before tick {clocks.since}, at which the clocks were stopped")
    return replace(clocks, asserter=budget, turn="asserter", since=tick)
