"""SHA-256 of leaves and of the trees over them: OpenSSL's or in lanes, from compiled code without the GIL, in threads.

Formulas in ``merkle``, which gives the same digests one call a digest where OpenSSL's library is not to be found.
"""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

PROCESSORS = min(os.cpu_count() or 1, 8)
INLINE, ALONE = 1 << 14, 1 << 20
"""Words up to which a thread costs more than it takes over, and up to which one is enough."""
LOWEST = 19
"""Of priorities."""
EACH = 8
"""Shares of a thread: what none has begun when it is waited for, who waits hashes."""
Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]


@cache
def _compiled() -> Any:
    """What is compiled, or None where OpenSSL's library is not there."""
    try:
        from verification import _sha256_compiled
    except ImportError:
        return None
    return _sha256_compiled


def available() -> bool:
    """Whether OpenSSL's library is there."""
    return _compiled() is not None


def start(
    memory: npt.NDArray[np.int32], starts: Numbers, shapes: Numbers, part: int, prefixes: Bytes, null: bytes
) -> Callable[[], tuple[bytes, bytes]]:
    """Start to hash the outputs of nodes; what this gives waits for the digests of all leaves and those of the nodes.

    Args:
        memory: the words of all outputs, contiguous.
        starts: (nodes,) first words.
        shapes: (nodes, 2) rows and words of a row.
        part: words of a leaf; the last of a row may be shorter.
        prefixes: (part + 1, bytes): what stands before a leaf of so many words.
        null: the digest of a node without rows.
    """
    starts, shapes = np.ascontiguousarray(starts), np.ascontiguousarray(shapes)
    words = int(shapes.prod(1).sum())
    shares, count = _shares(shapes.tobytes(), part, 1 if words <= ALONE else EACH * PROCESSORS)
    leaves, nodes = np.empty((count, 32), np.uint8), np.empty((len(starts), 32), np.uint8)
    nodes[:] = np.frombuffer(null, np.uint8)
    running, hash_nodes = list[Any](), _compiled().nodes
    for of_nodes, of_leaves in shares:
        own: Any = (starts[of_nodes], shapes[of_nodes], part, prefixes, leaves[of_leaves], nodes[of_nodes])
        if words <= INLINE:
            hash_nodes(memory.ctypes.data, *own)
        else:
            running.append((_threads().submit(hash_nodes, memory.ctypes.data, *own), own))

    def finish() -> tuple[bytes, bytes]:
        for each, own in reversed(running):
            if each.cancel():
                hash_nodes(memory.ctypes.data, *own)
        for each, _ in running:
            if not each.cancelled():
                each.result()
        return leaves.tobytes() if memory.size else b"", nodes.tobytes()

    return finish


@lru_cache(256)
def _shares(packed: bytes, part: int, threads: int) -> tuple[list[tuple[slice, slice]], int]:
    """Nodes of such shapes and their leaves, in shares of about as many words; how many leaves there are."""
    shapes = np.frombuffer(packed, np.int64).reshape(-1, 2)
    leaves = np.cumsum(shapes[:, 0] * -(-shapes[:, 1] // part)).tolist()
    work = np.cumsum(shapes.prod(1))
    cuts = np.searchsorted(work, work[-1] * np.arange(1, threads) / threads).tolist()
    bounds = sorted({0, *cuts, len(shapes)})
    shares = [
        (slice(begin, end), slice(leaves[begin - 1] if begin else 0, leaves[end - 1]))
        for begin, end in pairwise(bounds)
    ]
    return shares, leaves[-1]


def levels(digests: bytes) -> list[bytes]:
    """The levels of the tree over at least one digest, from these to the root."""
    counts = [len(digests) // 32]
    while counts[-1] > 1:
        counts.append((counts[-1] + 1) // 2)
    all_levels = np.empty((sum(counts), 32), np.uint8)
    all_levels[: counts[0]] = np.frombuffer(digests, np.uint8).reshape(-1, 32)
    _compiled().levels(all_levels, counts[0])
    packed, ends = all_levels.tobytes(), np.cumsum(counts).tolist()
    return [packed[32 * (end - count) : 32 * end] for count, end in zip(counts, ends, strict=True)]


@cache
def _threads() -> ThreadPoolExecutor:
    # Threads of our own: a compiler's parallel loops spin between calls, which slows what else runs.
    return ThreadPoolExecutor(PROCESSORS, initializer=_yield)


def _yield() -> None:
    """Let this thread run where others leave a processor idle, such as a device's that is none."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST)
