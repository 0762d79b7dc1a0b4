"""One thing that happens: a request that is not refused, or a deadline that passes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from verification.encoding.request import Request
from verification.errors import Refusal
from verification.ledger import state as ledger
from verification.ledger.state import Fact
from verification.model_check.setting import HEADS, TICK, Setting, event
from verification.model_check.world import View

PASSED = TICK - 1
NOTHING: dict[str, bytes] = {}
Moves = Iterator["Move"]


@dataclass(frozen=True, slots=True)
class Move:
    """Something that happens."""

    what: str
    facts: tuple[Fact, ...]
    money: tuple[ledger.Move, ...] = ()
    timer: bool = True
    """Whether it takes no party: the coordinator did it by its timers, or a deadline passed."""

    def fact(self, before: View, kind: str, subject: str) -> Any:
        """A fact after it."""
        known = {(kind, subject): value for kind, subject, value in self.facts}
        return known[kind, subject] if (kind, subject) in known else before.fact(kind, subject)

    def gained(self, *accounts: str) -> int:
        """What came into accounts, less what went out of them."""

        def among(account: str) -> bool:
            return account in accounts

        return sum(amount * (among(target) - among(source)) for source, target, amount in self.money)

    def owner_gained(self, owner: str) -> int:
        """What came to an owner, free and locked, less what went."""

        def its(account: str) -> bool:
            return ledger.owner_of(account) == owner

        return sum(amount * (its(target) - its(source)) for source, target, amount in self.money)


def coordinated(setting: Setting, kind: str, content: Any) -> Request:
    return setting.ask("coordinator", kind, content)


def done(
    setting: Setting,
    view: View,
    asked: Request,
    given: dict[str, bytes] = NOTHING,
    *,
    own: Iterable[Fact] = (),
    timer: bool = False,
    head: str = HEADS[0],
) -> Moves:
    """What follows a request, if it is not refused; ``own``: what a party has done by it."""
    try:
        made = event(view.state, asked, given, head)
    except Refusal:
        return
    yield Move(f"{asked.kind} by {_who(setting, asked)}", (*made.facts, *own), made.moves, timer)


def _who(setting: Setting, asked: Request) -> str:
    return setting.players.get(asked.party, "user")


def passes(view: View, kind: str, name: str, part: str, value: Any = PASSED, own: Iterable[Fact] = ()) -> Move:
    """A deadline passes."""
    return Move(f"{kind}'s {part} passes", ((kind, name, view.fact(kind, name) | {part: value}), *own))
