"""The disputes that a ledger holds, played again from its events and the messages beside them (section 5).

The ledger checks turns, clocks and signatures of messages; who was right takes the model. With it each message is taken
as the referee took it, and the verdict that follows is held against the one that was entered.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verification.computation import Computation
from verification.dispute.dispute import Dispute
from verification.errors import Refusal
from verification.ledger.event import Event
from verification.ledger.inspect import stored

Computed = Callable[[list[dict[str, Any]], Mapping[str, bytes | None]], Computation]
"""What the requests of a lease run, given the inputs' bytes by digest, None where they are kept no longer; raises
``Refusal`` where it cannot be had."""


@dataclass(frozen=True, slots=True)
class Rederived:
    """A dispute that is over."""

    claim: str
    number: int
    """Of the event that ended it."""
    winner: str
    """As the ledger says; "" where it was void."""
    reason: str
    wrong: str = ""
    """What does not follow, in one sentence."""
    lacks: str = ""
    """Why it could not be derived again: a model or an input is not at hand, or the referee's own code had failed."""


def rederived(path: Path | str, computed: Computed) -> Iterator[Rederived]:
    """Every dispute of a ledger's file that is over, derived again, in the order in which they ended.

    Where a budget ended it, that so many ticks passed and which message was refused last is the referee's word.

    Raises:
        Refusal: see ``stored``.
    """
    with stored(path) as (events, blob):
        known: dict[tuple[str, str], Any] = {}
        open_disputes: dict[str, Dispute | Refusal] = {}
        for event in events:
            asked = event.request
            claim = str(asked.content.get("claim")) if isinstance(asked.content, dict) else ""
            if asked.kind == "begin":
                open_disputes[claim] = _begun(event, known, computed, blob)
            elif claim in open_disputes:
                try:
                    ended = _followed(open_disputes[claim], event, known, blob)
                except Refusal as refusal:
                    open_disputes[claim] = refusal
                    ended = asked.kind in ("verdict", "void")
                if ended:
                    yield _outcome(open_disputes.pop(claim), event)
            for kind, subject, value in event.facts:
                if kind in ("order", "lease", "claim") and value is not None:
                    known[kind, subject] = value


class _Lacks(Refusal):
    """That a dispute cannot be played again, which says nothing against it."""


def _begun(
    event: Event, known: Mapping[tuple[str, str], Any], computed: Computed, blob: Callable[[str], bytes | None]
) -> Dispute | Refusal:
    lease = known["lease", known["claim", event.request.content["claim"]]["lease"]]
    order = known["order", lease["order"]]
    requests = [order["requests"][index] for index in lease["part"]]
    try:
        computation = computed(requests, {asked["input"]: blob(asked["input"]) for asked in requests})
    except Refusal as refusal:
        return _Lacks(refusal.reason, str(refusal))
    try:
        return Dispute(computation, event.request)
    except Refusal as refusal:
        return refusal


def _followed(
    dispute: Dispute | Refusal, event: Event, known: Mapping[tuple[str, str], Any], blob: Callable[[str], bytes | None]
) -> bool:
    """Take an event of a dispute; whether it ends it.

    Raises:
        Refusal: it does not follow.
    """
    if isinstance(dispute, Refusal):
        raise dispute
    content, tick = event.request.content, event.tick
    match event.request.kind:
        case "play":
            raw = blob(content["message"])
            if raw is None:
                raise _Lacks("missing-message", f"the message {content['message']} is kept no longer")
            dispute.receive(raw, tick)
        case "timeout":
            dispute.tick(tick)
        case "take_up":
            dispute.replace_asserter(known["lease", content["lease"]]["device"], tick)
        case "verdict":
            if dispute.verdict is None and content["winner"] == "challenger":
                dispute.forfeit()
            dispute.tick(tick)
            return True
        case "void":
            return True
        case _:
            return False
    if content["clocks"] != dispute.clocks.plain():
        raise Refusal("wrong-clocks", f"the clocks are {dispute.clocks.plain()}, not {content['clocks']}")
    return False


def _outcome(dispute: Dispute | Refusal, event: Event) -> Rederived:
    content = event.request.content
    winner, reason = content.get("winner", ""), content.get("reason", "void")
    wrong = lacks = ""
    if isinstance(dispute, _Lacks):
        lacks = str(dispute)
    elif isinstance(dispute, Refusal):
        wrong = str(dispute)
    elif event.request.kind == "void":
        if dispute.verdict is None or dispute.verdict.winner is not None:
            lacks = "the referee's code failed, and does not here"
    elif dispute.verdict is None:
        wrong = "its messages lead to no verdict"
    else:
        found = dispute.verdict
        if (found.winner or "") != winner or (found.reason != reason and found.reason != "silent"):
            wrong = f"it leads to {found.winner or 'nobody'} ({found.reason}), not {winner} ({reason})"
    return Rederived(content["claim"], event.number, winner, reason, wrong, lacks)
