"""Independent pieces of work in several processes: of this machine, or the workers of a Dask scheduler."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
WORKERS = "DISTRIBUTE_LAB_WORKERS"
_scheduler: ContextVar[str | None] = ContextVar("scheduler", default=None)


@contextmanager
def on(scheduler: str | None) -> Iterator[None]:
    """Within the block, pieces go to this scheduler's workers; None leaves all as it is.

    Args:
        scheduler: its address, ``tcp://host:port``, or ``local`` for one that is started on this machine, reached from
            nowhere else, with a worker a processor.

    Raises:
        InputError: it cannot be reached, or its workers do not run this release.
    """
    if scheduler is None:
        yield
        return
    from auction import _dask

    with _dask.connected(scheduler, workers()):
        before = _scheduler.set(scheduler)
        try:
            yield
        finally:
            _scheduler.reset(before)


def workers() -> int:
    """How many processes work side by side: one within a pool, else ``DISTRIBUTE_LAB_WORKERS`` or the processors."""
    if multiprocessing.parent_process() is not None:
        return 1
    return int(os.environ.get(WORKERS) or len(os.sched_getaffinity(0)))


def remote() -> bool:
    """Whether pieces go to the workers of a scheduler, which may see other files than this process does."""
    return _scheduler.get() is not None


def completed(
    function: Callable[[T], R], items: Iterable[T], *, alone: bool = False, processes: int | None = None
) -> Iterator[tuple[T, R | None]]:
    """Each item with ``function`` of it as soon as that is there; None where its process was killed, again and again.

    Function and items are pickled: a function of a module (or a ``partial`` of one), and data. With one of
    ``processes``, by default ``workers()``, it is a plain loop, as it is within a piece. Who is killed on this machine
    takes the others' processes along: they begin again, one at a time. A scheduler gives another worker what a killed
    one had.

    Args:
        alone: one after another, for pieces that measure time.
    """
    items = list(items)
    if remote():
        from auction import _dask

        yield from _dask.completed(partial(_piece, function), items, alone=alone)
        return
    if (processes or workers()) == 1:
        yield from ((item, function(item)) for item in items)
        return
    broken = []
    if items:
        with _pool(1 if alone else min(processes or workers(), len(items))) as executor:
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


def _piece(function: Callable[[T], R], item: T) -> R:
    """Run by a scheduler's worker: the processors are the scheduler's to hand out, so within it all is a plain loop."""
    os.environ[WORKERS] = "1"
    return function(item)


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
    os.dup2(2, 1)  # what libraries print is no result
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()
