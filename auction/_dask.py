"""Pieces of work on the workers of a Dask scheduler; nothing else here knows of Dask.

What travels is pickled: a worker runs what a client sends it, and a client believes what comes back. A scheduler is for
those who trust one another with their machines.
"""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from typing import Any, TypeVar

from auction.errors import InputError
from distribute_lab import __version__

T = TypeVar("T")
R = TypeVar("R")
LOCAL = "local"
TIMEOUT = 20  # seconds to reach a scheduler
AHEAD = 2  # pieces that wait at the scheduler, a thread of its workers: none is idle, few are lost with it
_client: ContextVar[Any] = ContextVar("client")


@contextmanager
def connected(address: str, processes: int) -> Iterator[None]:
    """A client of the scheduler for the length of the block; ``local``: with so many workers, on 127.0.0.1 alone.

    Raises:
        InputError: Dask is not installed, the scheduler cannot be reached, its workers do not run this release.
    """
    try:
        import distributed
    except ModuleNotFoundError:
        raise InputError("distributed is not installed: pip install 'distribute-lab[dask]'") from None
    if address == LOCAL:
        # Without a limit of memory a worker is killed by the system, as any other process would be.
        cluster = distributed.LocalCluster(
            n_workers=processes,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
            memory_limit=0,
            silence_logs=logging.ERROR,  # workers that take long to end are no news
        )
    else:
        cluster = None
    try:
        try:
            client = distributed.Client(cluster or address, timeout=TIMEOUT, set_as_default=False)
        except (OSError, ValueError) as error:
            why = " ".join(str(error).split())
            raise InputError(f"scheduler {address!r} cannot be reached: {why}; local, or tcp://host:port") from None
        with client:
            _ensure_release(client, address)
            if cluster is not None:
                client.run(os.dup2, 2, 1)  # what libraries print is no result
            before = _client.set(client)
            try:
                yield
            finally:
                _client.reset(before)
    finally:
        if cluster is not None:
            cluster.close()


def _ensure_release(client: Any, address: str) -> None:
    """Results are those of this code only where workers run it."""
    try:
        found = client.run(release)
    except Exception as error:  # noqa: BLE001 - whatever is raised there
        why = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"scheduler {address!r}: its workers cannot run distribute-lab: {why}") from None
    for worker, version in found.items():
        if version != __version__:
            raise InputError(f"scheduler {address!r}: worker {worker} runs distribute-lab {version}, not {__version__}")


def release() -> str:
    """The version of this distribution, where it is asked."""
    return __version__


def completed(function: Callable[[T], R], items: Sequence[T], *, alone: bool) -> Iterator[tuple[T, R | None]]:
    """As ``workers.completed``; the scheduler gives a killed worker's piece to another, three times at most."""
    import distributed

    client, waiting = _client.get(), iter(items)
    running: dict[Any, T] = {}
    pending = distributed.as_completed(loop=client.loop)
    try:
        while True:
            most = 1 if alone else max(1, AHEAD * sum(client.nthreads().values()))
            for item in islice(waiting, max(0, most - len(running))):
                future = client.submit(function, item, pure=False)
                running[future] = item
                pending.add(future)
            if not running:
                return
            future = next(pending)
            item = running.pop(future)
            try:
                found = future.result()
            except distributed.KilledWorker:
                found = None
            future.release()
            yield item, found
    except distributed.client.FutureCancelledError as error:
        raise InputError(f"the scheduler is gone: {' '.join(str(error).split())}") from None
    finally:
        client.cancel(list(running))
