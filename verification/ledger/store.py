"""The ledger's file: events, chained by their digests, and the bytes they name, in SQLite (section 5).

A request is performed once: its name is its digest. Event and blobs are one transaction, durable when ``perform``
returns. The state is the fold of the events, made on opening, where the chain is checked; whether each event is what
its request does is for ``inspect`` to say. A file that was cut short or written anew looks right: only a head known
from outside tells.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.encoding.request import Request, opened, request
from verification.errors import Refusal
from verification.ledger.event import Event, read_event
from verification.ledger.operations import event_of
from verification.ledger.state import Operations, State

APPLICATION, VERSION = 0x646C6231, 1
"""In the file's header: what it is, and which layout it has."""
LAYOUT = (
    "CREATE TABLE events (number INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, event BLOB NOT NULL) STRICT",
    "CREATE TABLE blobs (digest BLOB NOT NULL UNIQUE, content BLOB NOT NULL) STRICT",
    "CREATE TABLE head (number INTEGER PRIMARY KEY, digest BLOB NOT NULL) STRICT",
)


class Ledger:
    """A ledger's file, opened; several processes may have it open at once.

    Raises:
        Refusal: not-a-ledger, other-version, broken-chain, not-conserved, read-only, locked, unreadable.
    """

    def __init__(self, path: Path | str, operations: Operations) -> None:
        self._open(path, operations, "rw")
        with self._closed_on_error(), self._transaction():
            self._follow()

    @classmethod
    def create(
        cls, path: Path | str, key: Ed25519PrivateKey, content: dict[str, Any], operations: Operations
    ) -> "Ledger":
        """Begin a market, in a new file or in memory (":memory:"); made twice it is one, opened.

        Args:
            key: the coordinator's.
            content: coordinator, rules, protocol.

        Raises:
            Refusal: other-market (the file holds another one), or see ``Ledger`` and ``genesis``.
        """
        ledger = cls.__new__(cls)
        ledger._open(path, operations, "rwc")
        with ledger._closed_on_error(), ledger._transaction():
            first = request(key, "genesis", "", content)
            if not ledger._connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                for statement in LAYOUT:
                    ledger._connection.execute(statement)
                ledger._connection.execute(f"PRAGMA application_id = {APPLICATION}")
                ledger._connection.execute(f"PRAGMA user_version = {VERSION}")
                ledger._write(event_of(ledger._state, first, operations, {}, ledger.blob), {})
            ledger._follow()
            if next(ledger.events()).request != first:
                raise Refusal("other-market", f"{path} holds another market")
        return ledger

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @property
    def state(self) -> State:
        """As of this process's last operation; to be read only."""
        return self._state

    @property
    def market(self) -> str:
        """Digest of the genesis, in hex."""
        return self._state.market

    @property
    def head(self) -> tuple[int, str]:
        """Number and digest of the last event."""
        return self._state.number, self._state.head

    def events(self, first: int = 0) -> Iterator[Event]:
        """All there are from a number on, in order."""
        for (raw,) in self._connection.execute("SELECT event FROM events WHERE number >= ? ORDER BY number", (first,)):
            yield read_event(raw, self._state.market)

    def blob(self, digest: str) -> bytes | None:
        """Bytes by their SHA-256 in hex; None where they are not beside the events."""
        found = self._connection.execute("SELECT content FROM blobs WHERE digest = ?", (bytes.fromhex(digest),))
        row = found.fetchone()
        return None if row is None else row[0]

    def perform(self, asked: Request | bytes, blobs: Mapping[str, bytes] | None = None) -> bool:
        """Perform a request once: what it does is durable when this returns, or has not happened when it raises.

        Args:
            asked: an envelope, or its bytes.
            blobs: what it names by SHA-256, in hex.

        Returns:
            Whether it was performed now; False: it had been already.

        Raises:
            Refusal: wrong-signature (another market's too), unknown-kind, wrong-blob, unasked-blob, what the operation
                refuses, locked.
        """
        if isinstance(asked, Request):
            asked = asked.raw
        asked = opened(asked, self._state.market)
        blobs = blobs or {}
        with self._transaction():
            self._follow()
            name = bytes.fromhex(asked.name)
            if self._connection.execute("SELECT 1 FROM events WHERE name = ?", (name,)).fetchone():
                return False
            event = event_of(self._state, asked, self._operations, blobs, self.blob)
            self._write(event, blobs)
        self._take(event)
        return True

    def _write(self, event: Event, blobs: Mapping[str, bytes]) -> None:
        execute = self._connection.execute
        for digest, content in blobs.items():
            execute("INSERT OR IGNORE INTO blobs VALUES (?, ?)", (bytes.fromhex(digest), content))
        row = (event.number, bytes.fromhex(event.request.name), event.raw)
        execute("INSERT INTO events VALUES (?, ?, ?)", row)
        execute("DELETE FROM head")
        execute("INSERT INTO head VALUES (?, ?)", (event.number, bytes.fromhex(event.digest)))

    def _follow(self) -> None:
        """Take in what other processes have written."""
        head = self._connection.execute("SELECT number, digest FROM head").fetchall()
        if head == [(self._state.number, bytes.fromhex(self._state.head))]:
            return
        first = self._state.number + 1
        rows = self._connection.execute(
            "SELECT number, name, event FROM events WHERE number >= ? ORDER BY number", (first,)
        )
        for number, name, raw in rows:
            event = read_event(raw, self._state.market)
            if (number, event.number, event.previous) != (self._state.number + 1, number, self._state.head):
                raise Refusal("broken-chain", f"event {number} does not follow event {self._state.number}")
            if number and name != bytes.fromhex(event.request.name):
                raise Refusal("broken-chain", f"event {number} stands under another name")
            self._take(event)
        if head != [(self._state.number, bytes.fromhex(self._state.head))]:
            raise Refusal("broken-chain", f"event {self._state.number} is not the last one that was written")
        self._state.check()

    def _take(self, event: Event) -> None:
        self._state.apply(event.moves, event.facts, event.tick)
        self._state.head = event.digest
        self._state.market = self._state.market or event.digest

    def _open(self, path: Path | str, operations: Operations, mode: str) -> None:
        self._state = State()
        self._operations = operations
        place = "file::memory:" if path == ":memory:" else f"{Path(path).absolute().as_uri()}?mode={mode}"
        self._connection = sqlite3.connect(place, isolation_level=None, uri=True)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")

    @contextmanager
    def _closed_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._connection.close()
            raise

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
