"""What the chain of events alone can tell: that each follows the one before, and that none lacks up to the head."""

import sqlite3
from collections.abc import Collection, Iterator
from hashlib import sha256

from verification.errors import Refusal
from verification.ledger.event import Event, read_event
from verification.ledger.state import State


def follow(connection: sqlite3.Connection, state: State) -> Iterator[Event]:
    """The events that a state does not know yet; each is taken into it when the next is asked for.

    Raises:
        Refusal: broken-chain, not-conserved.
    """
    heads = connection.execute("SELECT number, digest FROM head").fetchall()
    if state.market and heads == [_head(state)]:
        return
    first = state.number + 1 if state.market else -(2**63)
    rows = connection.execute("SELECT number, name, event FROM events WHERE number >= ? ORDER BY number", (first,))
    for number, name, raw in rows:
        event = _next(state, number, name, raw)
        yield event
        take(state, event)
    if not state.market:
        raise Refusal("broken-chain", "event 0, the genesis, is missing")
    if heads != [_head(state)]:
        raise Refusal("broken-chain", f"event {state.number} is not the last that was written: the file was changed")


def take(state: State, event: Event) -> None:
    """Take the next event into a state.

    Raises:
        Refusal: not-conserved.
    """
    state.apply(event.moves, event.facts, event.tick)
    state.head = event.digest
    state.market = state.market or event.digest


def check_blobs(connection: sqlite3.Connection, named: set[str], forgotten: Collection[str]) -> None:
    """That those blobs are there that events name, and no others; forgotten ones may lack.

    Raises:
        Refusal: broken-chain.
    """
    there = {digest for (digest,) in connection.execute("SELECT lower(hex(digest)) FROM blobs")}
    for digest in sorted((named ^ there) - (named & set(forgotten))):
        lacks = "is named by an event and is missing" if digest in named else "is there and no event names it"
        raise Refusal("broken-chain", f"blob {digest} {lacks}")


def stored_blob(connection: sqlite3.Connection, digest: str) -> bytes | None:
    """Bytes by their SHA-256 in hex, or None.

    Raises:
        Refusal: wrong-blob (they have changed).
    """
    row = connection.execute("SELECT content FROM blobs WHERE digest = ?", (bytes.fromhex(digest),)).fetchone()
    if row is not None and (type(row[0]) is not bytes or sha256(row[0]).hexdigest() != digest):
        raise Refusal("wrong-blob", f"blob {digest} is not what its digest says: the file was changed")
    return None if row is None else row[0]


def _head(state: State) -> tuple[int, bytes]:
    return state.number, bytes.fromhex(state.head)


def _next(state: State, number: int, name: bytes, raw: bytes) -> Event:
    if type(name) is not bytes or type(raw) is not bytes:
        raise Refusal("broken-chain", f"event {number} is no bytes: the file was changed")
    try:
        event = read_event(raw, state.market)
    except Refusal as refusal:
        raise Refusal("broken-chain", f"event {number} cannot be read: {refusal}") from None
    if (number, event.number, event.previous) != (state.number + 1, number, state.head):
        raise Refusal("broken-chain", f"event {number} does not follow event {state.number}: the file was changed")
    if name.hex() != event.request.name:
        raise Refusal("broken-chain", f"event {number} does not stand under its request's name: the file was changed")
    if event.tick < state.tick:
        raise Refusal("broken-chain", f"event {number} is of tick {event.tick}, after tick {state.tick}")
    return event
