"""Processes of a market that are killed (kill -9), and what its ledger's file says meanwhile."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, ClassVar

SERVER = "forkserver"
"""Processes begin with everything imported, so that many can be killed a minute."""


class Killed:
    """A process that is killed and begun again.

    Args:
        ledger: that it is part of.
    """

    def __init__(self, ledger: Path, target: Callable[..., None], *given: Any, **named: Any) -> None:
        self._ledger, self._target, self._given, self._named = ledger, target, given, named
        self.away: list[tuple[int, int]] = []
        """For each of its deaths, the ledger's last event before it and the last before it began again."""
        self.begin()

    seconds = 0.0
    """Of processors, that all of them have used."""
    ended: ClassVar[list[str]] = []
    """Those that had ended by themselves before they were killed."""

    def begin(self) -> None:
        if self.away:
            self.away[-1] = self.away[-1][0], last_event(self._ledger)
        context = get_context(SERVER)
        self.process: ForkServerProcess = context.Process(target=self._target, args=self._given, kwargs=self._named)
        self.process.start()

    async def kill(self) -> None:
        self.away.append((last_event(self._ledger), 2**53))
        if self.process.is_alive():
            Killed.seconds += used(self.process.pid)
        else:
            Killed.ended.append(f"{self._target.__name__} {self._given[2:]}")
        self.process.kill()
        await asyncio.to_thread(self.process.join)


def used(process: int | None) -> float:
    """Seconds of processors that a process has used so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def last_event(ledger: Path) -> int:
    """Its number; -1: there is none yet."""
    if not ledger.exists():
        return -1
    connection = sqlite3.connect(ledger, timeout=30)
    try:
        return int(connection.execute("SELECT max(number) FROM events").fetchone()[0])
    except (sqlite3.OperationalError, TypeError):  # its tables are not made yet
        return -1
    finally:
        connection.close()


def disputes_since(ledger: Path, seen: int) -> tuple[int, int]:
    """How many have begun after an event, and the last event's number."""
    if not ledger.exists():
        return 0, seen
    connection = sqlite3.connect(ledger, timeout=30)
    try:
        found = connection.execute("SELECT number, event FROM events WHERE number > ?", (seen,)).fetchall()
    except sqlite3.OperationalError:  # its tables are not made yet
        return 0, seen
    finally:
        connection.close()
    begun = sum(b'"kind":"begin"' in raw for _, raw in found)
    return begun, max([seen, *(number for number, _ in found)])
