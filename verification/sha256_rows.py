"""SHA-256 of leaves and of the trees over them, node by node: OpenSSL's, called from compiled code without the GIL.

Formulas in ``merkle``, which gives the same digests one call a leaf where OpenSSL's library is not to be found.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

LIBRARIES = ("libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.3.dylib")
CONTEXT = 32  # words of 8 bytes: OpenSSL's state of a SHA-256 has 112 bytes
PROCESSORS = min(os.cpu_count() or 1, 8)
Bytes = npt.NDArray[np.uint8]


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
    def root(digests, state):
        level, pair, count = digests.copy(), np.empty(65, np.uint8), len(digests)
        pair[0] = 1
        while count > 1:
            for index in range(count // 2):
                pair[1:33] = level[2 * index]
                pair[33:] = level[2 * index + 1]
                begin(state.ctypes.data)
                update(state.ctypes.data, pair.ctypes.data, 65)
                finish(level[index].ctypes.data, state.ctypes.data)
            if count % 2:
                level[count // 2] = level[count - 1]
            count = (count + 1) // 2
        return level[0], pair[0]

    @njit(nogil=True)
    def nodes(addresses, shapes, part, prefixes, digests, out):
        state, head, first = np.empty(CONTEXT, np.uint64), np.empty(41, np.uint8), 0
        width = prefixes.shape[1]
        head[0] = 2
        for index in range(len(shapes)):
            rows, words = shapes[index]
            address, begun = addresses[index], first
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
                head[1:9] = np.array([rows, words], np.uint32).view(np.uint8)
                head[9:] = root(digests[begun:first], state)[0]
                begin(state.ctypes.data)
                update(state.ctypes.data, head.ctypes.data, 41)
                finish(out[index].ctypes.data, state.ctypes.data)
        return state[0] + head[0]

    return nodes


def available() -> bool:
    """Whether OpenSSL's library is there."""
    return _compiled() is not None


def digests(outputs: Sequence[npt.NDArray[np.int32]], part: int, prefixes: Bytes) -> tuple[Bytes, Bytes]:
    """(leaves of all, 32) and (outputs, 32): the digests of leaves and of nodes, on all processors.

    Args:
        outputs: (rows, words) each, contiguous; of one without rows the node's digest is left out.
        part: words of a leaf; the last of a row may be shorter.
        prefixes: (part + 1, bytes): what stands before a leaf of so many words.
    """
    shapes = np.array([output.shape for output in outputs], np.int64)
    addresses = np.array([output.__array_interface__["data"][0] for output in outputs], np.uint64)
    ends = np.cumsum(shapes[:, 0] * -(-shapes[:, 1] // part))
    leaves, nodes = np.empty((int(ends[-1]), 32), np.uint8), np.empty((len(outputs), 32), np.uint8)
    compiled = _compiled()
    # Threads of our own: a compiler's parallel loops spin between calls, which slows what else runs.
    work = np.cumsum(shapes.prod(1))
    cuts = np.searchsorted(work, work[-1] * np.arange(1, PROCESSORS) / PROCESSORS).tolist()
    running, start = [], 0
    for end in [*cuts, len(outputs)]:
        if end > start:
            first, last = int(ends[start - 1]) if start else 0, int(ends[end - 1])
            share: Any = (addresses[start:end], shapes[start:end], part, prefixes, leaves[first:last], nodes[start:end])
            running.append(_threads().submit(compiled, *share))
            start = end
    for each in running:
        each.result()
    return leaves, nodes


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(PROCESSORS)
