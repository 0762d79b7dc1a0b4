"""What ``sha256_rows`` has compiled: SHA-256 over leaves, OpenSSL's or in lanes, and OpenSSL's over trees of digests.

It loads OpenSSL's library, without which it cannot be imported. What numba compiled it keeps beside this file or in the
user's cache, and where there is no such place compiles it in every process.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import binding
from numba import njit, types

from verification._sha256_lanes import FEWEST, LANES, fast, hash_leaves

LIBRARIES = ("libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.3.dylib")


def _load() -> None:
    """Before anything here is compiled: what was kept ends the process where its symbols are missing."""
    for library in LIBRARIES:
        try:
            binding.load_library_permanently(library)
            return
        except RuntimeError:
            continue
    raise ImportError(f"none of OpenSSL's libraries is there: {', '.join(LIBRARIES)}")


_load()
SIDE_BY_SIDE = fast()
CONTEXT = 32  # words of 8 bytes: OpenSSL's state of a SHA-256 has 112 bytes


def _kept(arguments: str) -> Callable[[Callable[..., Any]], Any]:
    """Compiled for these types of arguments as soon as it is defined."""

    def compiled(function: Callable[..., Any]) -> Any:
        try:
            return njit(arguments, nogil=True, cache=True)(function)
        except RuntimeError:  # nowhere to keep it
            return njit(arguments, nogil=True)(function)

    return compiled


# Addresses are numbers here, which keep no array alive: what a call reads or writes must be used after it.
size = types.uintp
begin: Any = types.ExternalFunction("SHA256_Init", types.int32(size))
update: Any = types.ExternalFunction("SHA256_Update", types.int32(size, size, size))
finish: Any = types.ExternalFunction("SHA256_Final", types.int32(size, size))


@_kept("(u1[:, ::1], u1[:, ::1], u8[::1])")
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


@_kept("(u1[:, ::1], i8)")
def levels(digests, count):
    """``digests`` starts with ``count`` and has room for all inner ones."""
    state, start, used = np.empty(CONTEXT, np.uint64), 0, 0
    while count > 1:
        end = start + count
        used += inner(digests[start:end], digests[end : end + (count + 1) // 2], state)
        start, count = end, (count + 1) // 2
    return used + state[0]


@_kept("(i8, i8, i8, i8, u1[:, ::1], u1[:, ::1], u8[::1])")
def leaves(address, rows, words, part, prefixes, digests, state):
    """The digests of a node's leaves, those of as many words together: full ones, then the last of each row."""
    addresses, places, used = np.empty(LANES, np.int64), np.empty(LANES, np.int64), 0
    full, each = words // part, -(-words // part)
    for column, end in ((0, full), (full, each)):
        count, number = min(part, words - part * column), rows * (end - column)
        for begun in range(0, number, LANES):
            for lane in range(LANES):
                leaf = min(begun + lane, number - 1)  # lanes too many do the last one again
                row, index = leaf // (end - column), column + leaf % (end - column)
                addresses[lane], places[lane] = address + 4 * (words * row + part * index), each * row + index
            if SIDE_BY_SIDE and number - begun >= FEWEST:
                used += hash_leaves(addresses, count, prefixes[count].view(np.uint32), places, digests)
                continue
            for lane in range(min(LANES, number - begun)):
                begin(state.ctypes.data)
                update(state.ctypes.data, prefixes[count].ctypes.data, prefixes.shape[1])
                update(state.ctypes.data, addresses[lane], 4 * count)
                finish(digests[places[lane]].ctypes.data, state.ctypes.data)
    return used + state[0]


@_kept("(i8, i8[::1], i8[:, ::1], i8, u1[:, ::1], u1[:, ::1], u1[:, ::1])")
def nodes(memory, starts, shapes, part, prefixes, digests, out):
    state, head, first = np.empty(CONTEXT, np.uint64), np.empty(41, np.uint8), 0
    level, used = np.empty_like(digests), 0
    head[0] = 2
    for index in range(len(shapes)):
        rows, words = shapes[index]
        count = rows * -(-words // part)
        if count:
            own = digests[first : first + count]
            used += leaves(memory + 4 * starts[index], rows, words, part, prefixes, own, state)
            level[:count] = own
            first += count
            while count > 1:
                used += inner(level[:count], level, state)
                count = (count + 1) // 2
            head[1:9] = np.array([rows, words], np.uint32).view(np.uint8)
            head[9:] = level[0]
            begin(state.ctypes.data)
            update(state.ctypes.data, head.ctypes.data, 41)
            finish(out[index].ctypes.data, state.ctypes.data)
    return used + state[0] + head[0]
