"""SHA-256 of leaves and of the trees over them: OpenSSL's, called from compiled code without the GIL, in threads.

Formulas in ``merkle``, which gives the same digests one call a digest where OpenSSL's library is not to be found.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

LIBRARIES = ("libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.3.dylib")
CONTEXT = 32  # words of 8 bytes: OpenSSL's state of a SHA-256 has 112 bytes
PROCESSORS = min(os.cpu_count() or 1, 8)
INLINE, ALONE = 1 << 14, 1 << 20
"""Words up to which a thread costs more than it takes over, and up to which one is enough."""
Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]


@cache
def _compiled() -> Any:
    """The function, or None where OpenSSL's library is not there."""
    from llvmlite import binding
    from numba import njit, types

    for library in LIBRARIES:
        try:
            binding.load_library_permanently(library)
            break
        except RuntimeError:
            continue
    else:
        return None
    # Addresses are numbers here, which keep no array alive: what a call reads or writes must be used after it.
    size = types.uintp
    begin: Any = types.ExternalFunction("SHA256_Init", types.int32(size))
    update: Any = types.ExternalFunction("SHA256_Update", types.int32(size, size, size))
    finish: Any = types.ExternalFunction("SHA256_Final", types.int32(size, size))

    @njit(nogil=True)
    def inner(below, above, state):
        head, count = np.ones(1, np.uint8), len(below)
        for index in range(count // 2):
            begin(state.ctypes.data)
            update(state.ctypes.data, head.ctypes.data, 1)
            update(state.ctypes.data, below.ctypes.data + 64 * index, 64)
            finish(above.ctypes.data + 32 * index, state.ctypes.data)
        if count % 2:
            above[count // 2] = below[count - 1]
        return head[0]

    @njit(nogil=True)
    def levels(digests, count):
        """``digests`` starts with ``count`` and has room for all inner ones."""
        state, start, used = np.empty(CONTEXT, np.uint64), 0, 0
        while count > 1:
            end = start + count
            used += inner(digests[start:end], digests[end : end + (count + 1) // 2], state)
            start, count = end, (count + 1) // 2
        return used + state[0]

    @njit(nogil=True)
    def nodes(memory, starts, shapes, part, prefixes, digests, out):
        state, head, first = np.empty(CONTEXT, np.uint64), np.empty(41, np.uint8), 0
        level, width, used = np.empty_like(digests), prefixes.shape[1], 0
        head[0] = 2
        for index in range(len(shapes)):
            rows, words = shapes[index]
            address, begun = memory + 4 * starts[index], first
            for _ in range(rows):
                for start in range(0, words, part):
                    count = min(part, words - start)
                    begin(state.ctypes.data)
                    update(state.ctypes.data, prefixes[count].ctypes.data, width)
                    update(state.ctypes.data, address + 4 * start, 4 * count)
                    finish(digests[first].ctypes.data, state.ctypes.data)
                    first += 1
                address += 4 * words
            if rows:
                count = first - begun
                level[:count] = digests[begun:first]
                while count > 1:
                    used += inner(level[:count], level, state)
                    count = (count + 1) // 2
                head[1:9] = np.array([rows, words], np.uint32).view(np.uint8)
                head[9:] = level[0]
                begin(state.ctypes.data)
                update(state.ctypes.data, head.ctypes.data, 41)
                finish(out[index].ctypes.data, state.ctypes.data)
        return used + state[0] + head[0]

    return nodes, levels


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
    words = int(shapes.prod(1).sum())
    shares, count = _shares(shapes.tobytes(), part, 1 if words <= ALONE else PROCESSORS)
    leaves, nodes = np.empty((count, 32), np.uint8), np.empty((len(starts), 32), np.uint8)
    nodes[:] = np.frombuffer(null, np.uint8)
    running, hash_nodes = list[Any](), _compiled()[0]
    for of_nodes, of_leaves in shares:
        own: Any = (starts[of_nodes], shapes[of_nodes], part, prefixes, leaves[of_leaves], nodes[of_nodes])
        if words <= INLINE:
            hash_nodes(memory.ctypes.data, *own)
        else:
            running.append(_threads().submit(hash_nodes, memory.ctypes.data, *own))

    def finish() -> tuple[bytes, bytes]:
        for each in running:
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
    _compiled()[1](all_levels, counts[0])
    packed, ends = all_levels.tobytes(), np.cumsum(counts).tolist()
    return [packed[32 * (end - count) : 32 * end] for count, end in zip(counts, ends, strict=True)]


@cache
def _threads() -> ThreadPoolExecutor:
    # Threads of our own: a compiler's parallel loops spin between calls, which slows what else runs.
    return ThreadPoolExecutor(PROCESSORS)
