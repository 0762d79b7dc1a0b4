"""The ledger's file as SQLite sees it: its layout, how it is opened, and what goes wrong, in one line."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from verification.errors import Refusal

APPLICATION, VERSION = 0x6469_7374, 1
"""In the file's header: what it is ("dist"), and which layout it has."""
LAYOUT = [
    "CREATE TABLE events (number INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, event BLOB NOT NULL) STRICT",
    "CREATE TABLE blobs (digest BLOB NOT NULL UNIQUE, content BLOB NOT NULL) STRICT",
    "CREATE TABLE head (number INTEGER NOT NULL, digest BLOB NOT NULL) STRICT",
]
"""Events under their requests' names; bytes by SHA-256; number and digest of the last event."""
TIMEOUT = 5.0
"""Seconds to wait for another process that writes."""
REASONS = {
    "SQLITE_BUSY": "locked",
    "SQLITE_READONLY": "read-only",
    "SQLITE_FULL": "disk-full",
    "SQLITE_NOTADB": "not-a-ledger",
    "SQLITE_CORRUPT": "damaged",
}


def connect(path: Path | str, mode: Literal["ro", "rw", "rwc"]) -> sqlite3.Connection:
    """A connection to a file, or to ":memory:", on which transactions are begun by hand.

    A file that is only read is left as it is, and may lie where nothing can be written: without a log beside it, nobody
    is writing it.
    """
    place = "file::memory:" if path == ":memory:" else f"{Path(path).absolute().as_uri()}?mode={mode}"
    if mode == "ro" and not Path(f"{path}-wal").exists():
        place += "&immutable=1"
    connection = sqlite3.connect(place, TIMEOUT, isolation_level=None, uri=True)
    connection.text_factory = lambda raw: raw.decode(errors="backslashreplace")  # a damaged file's is no UTF-8
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def log_ahead(connection: sqlite3.Connection) -> None:
    """Keep changes in a log beside the file (WAL). Of processes that turn to one at once SQLite refuses all but one
    without waiting, whatever its timeout: it is tried again until then.
    """
    end = time.monotonic() + TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() >= end:
                raise
        time.sleep(0.01)


def is_empty(connection: sqlite3.Connection) -> bool:
    """Whether nothing was ever made in this file."""
    return _header(connection) == (0, 0, [])


def lay_out(connection: sqlite3.Connection) -> None:
    """Make the tables, inside the transaction of the first event."""
    for statement in LAYOUT:
        connection.execute(statement)
    connection.execute("INSERT INTO head VALUES (-1, x'')")
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def check_layout(connection: sqlite3.Connection, path: Path | str) -> None:
    """That a file is a ledger of this version.

    Raises:
        Refusal: not-a-ledger, other-version.
    """
    application, version, layout = _header(connection)
    if application != APPLICATION:
        raise Refusal("not-a-ledger", f"{path}: it is no ledger, but another database, or empty")
    if version != VERSION:
        raise Refusal("other-version", f"{path}: a ledger of version {version}; this program reads version {VERSION}")
    if layout != LAYOUT:
        raise Refusal("not-a-ledger", f"{path}: its tables are not those of a ledger")


def check_damage(connection: sqlite3.Connection, part: Literal["events", "1"]) -> None:
    """That SQLite finds nothing wrong: with the events and their index by name, by which no request is performed twice,
    or with the whole file, up to the first fault.

    Raises:
        Refusal: damaged.
    """
    (damage,) = connection.execute(f"PRAGMA integrity_check({part})").fetchone()
    if damage != "ok":
        raise Refusal("damaged", f"the file is damaged: {' '.join(damage.split())}")


def _header(connection: sqlite3.Connection) -> tuple[int, int, list[str]]:
    (application,), (version,) = (
        connection.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")
    )
    layout = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")
    return application, version, [sql for (sql,) in layout]


@contextmanager
def refusing(path: Path | str) -> Iterator[None]:
    """What SQLite finds wrong, as a refusal.

    Raises:
        Refusal: locked, read-only, disk-full, not-a-ledger, damaged, unavailable.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", None)
        if name is None:  # not the file's fault, but its caller's
            raise
        reason = next((reason for prefix, reason in REASONS.items() if name.startswith(prefix)), "unavailable")
        what = "it is no ledger, nor any other database" if reason == "not-a-ledger" else error
        raise Refusal(reason, f"{path}: {what}") from None
    except UnicodeDecodeError as error:  # SQLite's own message, in which a damaged file is quoted
        raise Refusal("damaged", f"{path}: {error.object.decode(errors='backslashreplace')}") from None
