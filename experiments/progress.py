"""Progress of an experiment on standard error, and its independent pieces in several processes."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeVar

from rich.progress import track as rich_track

from auction.commands.terminal import announced, stderr

T = TypeVar("T")
R = TypeVar("R")
WORKERS = "DISTRIBUTE_LAB_WORKERS"


def track(items: Sequence[T], what: str) -> Iterable[T]:
    """The items, with a progress bar while they are worked through; the work of a pool shows none."""
    return _shown(items, len(items), what)


def parallel(function: Callable[[T], R], items: Iterable[T], what: str) -> list[R]:
    """``function`` of every item, in order, on all processors: for pieces that are independent and measure no time.

    Function and items are pickled: a function of a module (or a ``partial`` of one), and data. Within a piece, and
    where ``DISTRIBUTE_LAB_WORKERS`` is 1, it is a plain loop.
    """
    items = list(items)
    if workers() == 1 or len(items) < 2:
        return [function(item) for item in track(items, what)]
    with _pool(min(workers(), len(items))) as processes:
        return list(_shown(processes.map(function, items), len(items), what))


def completed(function: Callable[[T], R], items: Iterable[T], processes: int) -> Iterator[tuple[T, R | None]]:
    """Each item with ``function`` of it as soon as that is there; None where its process was killed.

    With one of ``workers()`` it is a plain loop. Who is killed takes the others' processes along: they begin again, one
    at a time.
    """
    items = list(items)
    if workers() == 1:
        yield from ((item, function(item)) for item in items)
        return
    broken = []
    if items:
        with _pool(processes) as executor:
            futures = {executor.submit(function, item): item for item in items}
            for future in as_completed(futures):
                try:
                    yield futures[future], future.result()
                except BrokenProcessPool:
                    broken.append(futures[future])
    for item in broken:
        with _pool(1) as executor:
            try:
                yield item, executor.submit(function, item).result()
            except BrokenProcessPool:
                yield item, None


def workers() -> int:
    """How many processes work side by side: one within a pool, else ``DISTRIBUTE_LAB_WORKERS`` or the processors."""
    if multiprocessing.parent_process() is not None:
        return 1
    return int(os.environ.get(WORKERS) or len(os.sched_getaffinity(0)))


@contextmanager
def _pool(processes: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that begin anew, so that no thread or device is copied into them, and end with this one."""
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), _end_with_parent) as executor:
        try:
            yield executor
        except BaseException:  # an interrupt does not wait for what is running
            for child in multiprocessing.active_children():
                child.terminate()
            executor.shutdown(cancel_futures=True)
            raise


def _end_with_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a traceback
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()


def _shown(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    if multiprocessing.parent_process() is not None:
        yield from items
        return
    with announced(f"{what}: {total}"):
        yield from rich_track(items, what, total, console=stderr, transient=True, disable=not stderr.is_terminal)
