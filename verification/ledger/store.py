"""The ledger: events chained by their digests, and beside them the bytes they name, in one SQLite file (section 5).

A request is performed once: its name is its digest. Event and blobs are one transaction, durable when ``perform``
returns. The state is the fold of the events, made on opening, where the chain is checked; whether each event is what
its request does is for ``inspect`` to say. A file that was cut short or written anew looks right: only a head known
from outside tells.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.encoding.request import Request, opened, request
from verification.errors import Refusal
from verification.ledger.chain import check_blobs, follow, stored_blob, take
from verification.ledger.database import check_damage, check_layout, connect, is_empty, lay_out, log_ahead, refusing
from verification.ledger.event import Event, read_event
from verification.ledger.operations import GENESIS, event_of
from verification.ledger.state import FORGOTTEN, Operations, State

CACHE = 2**16
"""KiB of the file in memory, at most: requests are looked up by name, which is at random."""


class Ledger:
    """A ledger's file, opened; several processes may have it open at once.

    Args:
        operations: by kind; the ledger's own, genesis and advance, apart.
        first: the genesis, if the file may hold nothing yet; see ``create``.
        durable: whether an operation that returned outlives a machine that stops; a simulation's need not.

    Raises:
        Refusal: not-a-ledger, other-version, broken-chain, not-conserved, other-market (than that of ``first``), what
            the genesis refuses, or see ``refusing``.
    """

    def __init__(
        self, path: Path | str, operations: Operations, first: Request | None = None, *, durable: bool = True
    ) -> None:
        self._path, self._operations, self._state = path, operations, State()
        self.watch: Callable[[Event], None] = _nobody
        """Told of each event, when the state has it, whichever process performed it."""
        self._together, self._failed, self._forgot = False, False, False
        begun = None if first is None else event_of(self._state, first, operations, {}, lambda digest: None)
        with refusing(path):
            self._connection = connect(path, "rw" if first is None else "rwc")
        try:
            with refusing(path):
                if begun is None or not is_empty(self._connection):
                    check_layout(self._connection, path)
                log_ahead(self._connection)
                self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
                self._connection.execute("PRAGMA secure_delete = ON")
                self._connection.execute(f"PRAGMA cache_size = -{CACHE}")
            with self._transaction():
                if begun is not None and is_empty(self._connection):
                    lay_out(self._connection)
                    self._write(begun, {})
                named = self._follow()
                check_blobs(self._connection, named, self._state.facts.get(FORGOTTEN, {}))
                check_damage(self._connection, "events")
            self._state.check()
            if first is not None and next(self.events()).request != first:
                raise Refusal("other-market", f"{path} holds another market")
        except BaseException:
            self._connection.close()
            raise

    @classmethod
    def create(
        cls,
        path: Path | str,
        key: Ed25519PrivateKey,
        content: dict[str, Any],
        operations: Operations,
        *,
        durable: bool = True,
    ) -> "Ledger":
        """Begin a market, in a new file or in memory (":memory:"); begun twice it is one, opened.

        Args:
            key: the coordinator's.
            content: coordinator, rules, protocol.

        Raises:
            Refusal: see ``Ledger``.
        """
        return cls(path, operations, request(key, GENESIS, "", content), durable=durable)

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
        with refusing(self._path):
            rows = self._connection.execute("SELECT event FROM events WHERE number >= ? ORDER BY number", (first,))
            for (raw,) in rows:
                yield read_event(raw, self._state.market)

    def blob(self, digest: str) -> bytes | None:
        """Bytes by their SHA-256 in hex; None where they are not beside the events.

        Raises:
            Refusal: wrong-blob (they have changed).
        """
        with refusing(self._path):
            return stored_blob(self._connection, digest)

    def performed(self, asked: Request) -> bool:
        """Whether a request was."""
        with refusing(self._path):
            name = bytes.fromhex(asked.name)
            return self._connection.execute("SELECT 1 FROM events WHERE name = ?", (name,)).fetchone() is not None

    def perform(self, asked: Request | bytes, blobs: Mapping[str, bytes] | None = None) -> bool:
        """Perform a request once: what it does is durable when this returns, or has not happened when it raises.

        Args:
            asked: an envelope, or its bytes.
            blobs: what it names by SHA-256, in hex.

        Returns:
            Whether it was performed now; False: it had been already.

        Raises:
            Refusal: oversized, malformed, wrong-signature (another market's too), or see ``event_of`` and ``refusing``.
        """
        asked = self._opened(asked)
        blobs = blobs or {}
        with self._transaction():
            if self.performed(asked):
                return False
            event = event_of(self._state, asked, self._operations, blobs, self.blob)
            event.raw  # noqa: B018 what cannot be written is refused here, and has not happened
            self._failed = True
            self._write(event, blobs)
            self._failed = False
        take(self._state, event)
        self._forgot = self._forgot or bool(_forgotten(event))
        if not self._together:
            self._clean_log()
        self.watch(event)
        return True

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is performed inside is durable when this ends, at the cost of one transaction; others wait meanwhile.

        Where that fails none of it has happened, and this ledger, which knows of it, is closed: it is opened anew.

        Raises:
            Refusal: see ``refusing``.
        """
        try:
            with self._transaction(), refusing(self._path):
                self._together, self._failed = True, False
                yield
                if self._failed:
                    raise Refusal("unavailable", f"{self._path}: what was performed together could not be written")
        except BaseException:
            self._connection.close()
            raise
        finally:
            self._together = False
        self._clean_log()

    def _opened(self, asked: Request | bytes) -> Request:
        if isinstance(asked, Request) and asked.sound and asked.market == self._state.market:
            return asked
        return opened(asked.raw if isinstance(asked, Request) else asked, self._state.market)

    def _clean_log(self) -> None:
        if self._forgot:
            with refusing(self._path):  # or the log would hold what was deleted
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._forgot = False

    def _write(self, event: Event, blobs: Mapping[str, bytes]) -> None:
        execute = self._connection.execute
        for digest, content in blobs.items():
            execute("INSERT OR IGNORE INTO blobs VALUES (?, ?)", (bytes.fromhex(digest), content))
        for digest in _forgotten(event):
            execute("DELETE FROM blobs WHERE digest = ?", (bytes.fromhex(digest),))
        execute("INSERT INTO events VALUES (?, ?, ?)", (event.number, bytes.fromhex(event.request.name), event.raw))
        execute("UPDATE head SET number = ?, digest = ?", (event.number, bytes.fromhex(event.digest)))

    def _follow(self) -> set[str]:
        """Take in what is written and not yet known, and tell of it; digests of the blobs beside it."""
        named, taken = set[str](), None
        for event in follow(self._connection, self._state):
            if taken is not None:
                self.watch(taken)
            named.update(event.blobs)
            taken = event
        if taken is not None:
            self.watch(taken)
        return named

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """In which this process knows all that is written."""
        if self._together:
            yield
            return
        with refusing(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                if self._state.market:
                    self._follow()
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise


def _nobody(event: Event) -> None:
    return None


def _forgotten(event: Event) -> list[str]:
    """Digests of the bytes that are deleted with an event."""
    return [digest for kind, digest, value in event.facts if kind == FORGOTTEN and value is not None]
