"""Where numba keeps what it compiled, a folder of this process alone where it finds no place that lasts; and for how
long it has been compiling.

Beside the sources or in the user's cache is where it looks; an installation may be read-only and its user without a
home. Imported before anything that is compiled.
"""

import atexit
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

try:
    from numba import config, njit
    from numba.core import event
except ModuleNotFoundError as missing:
    if sys.argv[:1] != ["-m"]:  # imported, not run
        raise
    way = "pip install distribute-lab, or activate the environment that has it"
    print(f"error: {missing.name} is not installed: {way}", file=sys.stderr)
    sys.exit(2)


def _ensure_cache() -> None:
    try:
        njit(_ensure_cache, cache=True)  # compiles nothing, but looks for the place
    except RuntimeError:
        folder = tempfile.mkdtemp(prefix="distribute-lab-")  # readable by nobody else: what lies there is executed
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["NUMBA_CACHE_DIR"] = folder  # for child processes too
        config.reload_config()


class _Clock(event.Listener):
    """Sums the seconds of compiling: numba lets one thread do so at a time, and what a function calls is within."""

    def __init__(self) -> None:
        self.depth = 0
        self.spent: tuple[float, float | None] = (0.0, None)  # seconds until now, and since when there are more
        self.tell: list[Callable[[bool], object]] = []

    def on_start(self, event: Any) -> None:
        self.depth += 1
        if self.depth == 1:
            self.spent = self.spent[0], time.perf_counter()
            self._say(True)

    def on_end(self, event: Any) -> None:
        self.depth -= 1
        if self.depth == 0:
            self.spent = self.seconds(), None
            self._say(False)

    def seconds(self) -> float:
        spent, since = self.spent
        return spent if since is None else spent + time.perf_counter() - since

    def _say(self, compiling: bool) -> None:
        for tell in self.tell:
            tell(compiling)


_ensure_cache()
_clock = _Clock()
event.register("numba:compile", _clock)


def seconds_compiling() -> float:
    """Seconds that this process has compiled so far: of the first use of an installation, not of solving."""
    return _clock.seconds()


def when_compiling(tell: Callable[[bool], object]) -> None:
    """Have it told, with True, that compiling begins, and with False that it ends."""
    _clock.tell.append(tell)
