"""The ledger: an append-only log of operations in SQLite, and the accounts it amounts to (section 5).

An operation (accounts.py, challenge.py, audit.py) is performed under an identifier of the caller's and becomes one
event; balances and facts are the fold of the events, rebuilt on opening, and nothing else is stored. What is performed
again under the same identifier does nothing: after a crash, whoever does not know whether an operation was made makes
it again. Conservation is checked inside each transaction, over all accounts.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVarTuple

from verification.errors import Refusal
from verification.first.accounts import Draft, Move, State

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS events (number INTEGER PRIMARY KEY, operation TEXT NOT NULL UNIQUE,
       request TEXT NOT NULL, moves TEXT NOT NULL, facts TEXT NOT NULL) STRICT""",
    """CREATE TRIGGER IF NOT EXISTS no_update BEFORE UPDATE ON events
       BEGIN SELECT RAISE(ABORT, 'events are append-only'); END""",
    """CREATE TRIGGER IF NOT EXISTS no_delete BEFORE DELETE ON events
       BEGIN SELECT RAISE(ABORT, 'events are append-only'); END""",
)

Arguments = TypeVarTuple("Arguments")


class Ledger:
    """A ledger's file, opened; several processes may have it open at once.

    Raises:
        Refusal: not-a-ledger, not-conserved.
    """

    def __init__(self, path: Path | str) -> None:
        self._state = State()
        self._connection = sqlite3.connect(path, isolation_level=None)
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            with self._transaction():
                for statement in SCHEMA:
                    self._connection.execute(statement)
                self._state = self._current()
            self._state.check()
        except (sqlite3.DatabaseError, ValueError, TypeError) as error:
            self._connection.close()
            if isinstance(error, sqlite3.OperationalError | Refusal):
                raise
            raise Refusal("not-a-ledger", f"{path}: {error}") from None

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @property
    def state(self) -> State:
        """As of this process's last operation; to be read only."""
        return self._state

    def balance(self, account: str) -> int:
        """Micro-tokens."""
        return self._state.balances.get(account, 0)

    def events(self) -> Iterator[tuple[str, str, list[Any], list[Move]]]:
        """Operation, its name, its arguments, its moves: all there are, in order."""
        for operation, request, moves in self._connection.execute(
            "SELECT operation, request, moves FROM events ORDER BY number"
        ):
            name, *arguments = json.loads(request)
            yield operation, name, arguments, [(source, target, amount) for source, target, amount in json.loads(moves)]

    def perform(self, operation: str, change: Callable[[Draft, *Arguments], None], *arguments: *Arguments) -> bool:
        """Make an operation once: what it does is durable when this returns, or has not happened when it raises.

        Args:
            operation: the caller's identifier of it.
            change: the operation.
            arguments: its arguments, without the draft: text, integers, fractions, lists and frozen dataclasses.

        Returns:
            Whether it was made now; False: it had been already.

        Raises:
            Refusal: operation-reused (the identifier stands for something else), what the operation refuses, or
                not-conserved.
        """
        request = _plain([change.__name__, *arguments])
        with self._transaction():
            self._state = self._current()
            known = self._connection.execute("SELECT request FROM events WHERE operation = ?", (operation,)).fetchone()
            if known:
                if known[0] != request:
                    raise Refusal("operation-reused", f"{operation} was {known[0]}")
                return False
            draft = Draft(self._state)
            change(draft, *arguments)
            draft.state.events += 1
            draft.state.check()
            row = (draft.state.events, operation, request, _plain(draft.moves), _plain(draft.stated))
            self._connection.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", row)
        self._state = draft.state
        return True

    def _current(self) -> State:
        """The state with what other processes have added."""
        state = self._state
        rows = self._connection.execute(
            "SELECT number, moves, facts FROM events WHERE number > ? ORDER BY number", (state.events,)
        )
        for number, moves, facts in rows:
            for move in json.loads(moves):
                state.move(*move)
            state.facts.update(json.loads(facts))
            state.events = number
        return state

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


def _plain(value: Any) -> str:
    """JSON in one spelling; fractions as text."""

    def default(value: Any) -> Any:
        if isinstance(value, Fraction):
            return str(value)
        if is_dataclass(value) and not isinstance(value, type):
            return asdict(value)
        raise TypeError(f"{type(value).__name__} cannot be written down")

    return json.dumps(value, default=default, separators=(",", ":"))
