"""One thing that happens: a request that is not refused, or a deadline that passes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from verification.encoding.request import Request
from verification.errors import Refusal
from verification.model_check.setting import HEADS, TICK, Setting, folded
from verification.model_check.world import World

PASSED = TICK - 1
NOTHING: dict[str, bytes] = {}


@dataclass(frozen=True, slots=True)
class Move:
    """Something that happened."""

    what: str
    after: World
    """Money and counts as the operation left them."""
    timer: bool
    """Whether it takes no party: the coordinator did it by its timers, or a deadline passed."""


def coordinated(setting: Setting, kind: str, content: Any) -> Request:
    return setting.ask("coordinator", kind, content)


def done(
    setting: Setting,
    world: World,
    asked: Request,
    given: dict[str, bytes] = NOTHING,
    *,
    timer: bool = False,
    head: str = HEADS[0],
    **changed: Any,
) -> Iterator[Move]:
    """What follows a request, if it is not refused."""
    try:
        state = folded(world.state, asked, given, head)
    except Refusal:
        return
    yield Move(f"{asked.kind} by {_who(setting, asked)}", replace(world, state=state, **changed), timer)


def _who(setting: Setting, asked: Request) -> str:
    return setting.players.get(asked.party, "user")


def passes(world: World, kind: str, name: str, part: str, value: Any = PASSED, **changed: Any) -> Move:
    """A deadline passes."""
    after = replace(world.with_fact(kind, name, **{part: value}), **changed)
    return Move(f"{kind}'s {part} passes", after, True)
