"""What ``sha256_rows`` has compiled: OpenSSL's SHA-256 over leaves, and over trees of digests.

Imported when OpenSSL's library is loaded. What numba compiled it keeps beside this file or in the user's cache, and
where there is no such place compiles it in every process.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, types

CONTEXT = 32  # words of 8 bytes: OpenSSL's state of a SHA-256 has 112 bytes


def _kept(function: Callable[..., Any]) -> Any:
    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError:  # nowhere to keep it
        return njit(nogil=True)(function)


# Addresses are numbers here, which keep no array alive: what a call reads or writes must be used after it.
size = types.uintp
begin: Any = types.ExternalFunction("SHA256_Init", types.int32(size))
update: Any = types.ExternalFunction("SHA256_Update", types.int32(size, size, size))
finish: Any = types.ExternalFunction("SHA256_Final", types.int32(size, size))


@_kept
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


@_kept
def levels(digests, count):
    """``digests`` starts with ``count`` and has room for all inner ones."""
    state, start, used = np.empty(CONTEXT, np.uint64), 0, 0
    while count > 1:
        end = start + count
        used += inner(digests[start:end], digests[end : end + (count + 1) // 2], state)
        start, count = end, (count + 1) // 2
    return used + state[0]


@_kept
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
