"""A ledger's file checked by a stranger: every event is what its request, as it was signed, does (section 5)."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from verification.encoding.request import opened
from verification.errors import Refusal
from verification.ledger.chain import check_blobs, follow, stored_blob
from verification.ledger.database import check_damage, check_layout, connect, refusing
from verification.ledger.event import Event
from verification.ledger.operations import event_of
from verification.ledger.state import FORGOTTEN, OUTSIDE, Operations, State


@dataclass
class Inspection:
    """What was found; where ``wrong`` is not empty, as far as the event that does not hold."""

    state: State = field(default_factory=State)
    """As the requests make it."""
    wrong: str = ""
    """One sentence: the first thing that does not hold, and of which event."""
    kinds: Counter[str] = field(default_factory=Counter)
    """Events by kind."""
    blobs: set[str] = field(default_factory=set)
    """Digests of what lies beside the events."""
    lost: dict[str, Event] = field(default_factory=dict)
    """By digest of what lies there no more: the first event that names it."""
    flows: Counter[str] = field(default_factory=Counter)
    """Micro-tokens by account, summed from the moves."""


def inspect(
    path: Path | str,
    operations: Operations,
    head: tuple[int, str] | None = None,
    observe: Callable[[int, int], None] = lambda done, events: None,
) -> Inspection:
    """Check chain, signatures, blobs and conservation, and perform every request again: moves, facts, blobs and tick of
    its event must be those that it makes. What was forgotten cannot be shown; all else of its event is derived.

    Args:
        head: number and digest of an event, known from elsewhere: a receipt, a record.
        observe: is told how many of all events are done.

    Raises:
        Refusal: not-a-ledger, other-version, or see ``refusing``: it cannot be opened at all.
    """
    found = Inspection()
    with refusing(path):
        connection = connect(path, "ro")
    try:
        with refusing(path):
            connection.execute("BEGIN")
            check_layout(connection, path)
            (events,) = connection.execute("SELECT count(*) FROM events").fetchone()
        try:
            with refusing(path):
                for event in follow(connection, found.state):
                    _check(event, found, operations, lambda digest: stored_blob(connection, digest))
                    if head is not None and head[0] == event.number and head[1] != event.digest:
                        raise Refusal("other-head", f"event {head[0]} is {event.digest}, not {head[1]}")
                    observe(event.number + 1, events)
                _check_lost(found)
                check_blobs(connection, found.blobs, found.lost)
                check_damage(connection, "1")
            if head is not None and head[0] > found.state.number:
                raise Refusal(
                    "cut-short", f"event {head[0]} is not there: the ledger ends with event {found.state.number}"
                )
            _check_sums(found)
        except Refusal as refusal:
            found.wrong = str(refusal)
    finally:
        connection.close()
    return found


@contextmanager
def stored(path: Path | str) -> Iterator[tuple[Iterator[Event], Callable[[str], bytes | None]]]:
    """The events of a ledger's file that is only read, of which the chain is checked and nothing else, and its blobs by
    their digests.

    Raises:
        Refusal: not-a-ledger, other-version, broken-chain, not-conserved, wrong-blob, or see ``refusing``.
    """
    with refusing(path), closing(connect(path, "ro")) as connection:
        connection.execute("BEGIN")
        check_layout(connection, path)
        yield follow(connection, State()), lambda digest: stored_blob(connection, digest)


def stored_events(path: Path | str) -> Iterator[Event]:
    """The events alone, see ``stored``."""
    with stored(path) as (events, _):
        yield from events


def _check(event: Event, found: Inspection, operations: Operations, stored: Callable[[str], bytes | None]) -> None:
    """One event, in the state before it."""
    what = f"event {event.number} ({event.request.kind})"
    try:
        asked = opened(event.request.raw, event.request.market)
        given = {digest: stored(digest) for digest in event.blobs}
        for digest, content in given.items():
            if content is None:
                found.lost.setdefault(digest, event)

        def known(digest: str) -> bytes | None:
            return stored(digest) if digest in found.blobs else None

        again = event_of(found.state, asked, operations, given, known, found.lost)
    except Refusal as refusal:
        raise Refusal(refusal.reason, f"{what} does not hold: {refusal}") from None
    if again.raw != event.raw:
        other = [name for name in ("moves", "tick", "blobs") if getattr(again, name) != getattr(event, name)]
        raise Refusal(
            "not-derived",
            f"{what} does not hold: its {' and '.join(other or ['facts'])} are not what its request makes",
        )
    found.kinds[event.request.kind] += 1
    found.blobs.update(event.blobs)
    for source, target, amount in event.moves:
        found.flows[source] -= amount
        found.flows[target] += amount


def _check_lost(found: Inspection) -> None:
    """What lacks was forgotten since.

    Raises:
        Refusal: broken-chain.
    """
    for digest, event in found.lost.items():
        if digest not in found.state.facts.get(FORGOTTEN, {}):
            what = f"event {event.number} ({event.request.kind})"
            raise Refusal("broken-chain", f"{what} does not hold: its blob {digest} is missing")


def _check_sums(found: Inspection) -> None:
    """Conservation once more, from the moves alone."""
    found.state.check()
    flows = {account: amount for account, amount in found.flows.items() if amount and account != OUTSIDE}
    if flows != found.state.balances or sum(flows.values()) != -found.flows[OUTSIDE]:
        raise Refusal("not-conserved", "the accounts are not what the moves sum to")
