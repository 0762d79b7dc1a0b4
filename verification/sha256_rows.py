"""SHA-256 of the parts of many rows: OpenSSL's, called from compiled code on all processors, with no Python a part."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

LIBRARIES = ("libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.3.dylib")
PROCESSORS = min(os.cpu_count() or 1, 8)
CONTEXT = 32  # words of 8 bytes: OpenSSL's state of a SHA-256 has 112 bytes


@cache
def _compiled() -> Any:
    """The function, or None where OpenSSL is not to be found: hashlib gives the same digests, one call a part."""
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
    pointer, status = types.voidptr, types.int32
    begin = types.ExternalFunction("SHA256_Init", status(pointer))
    update = types.ExternalFunction("SHA256_Update", status(pointer, pointer, types.uintp))
    finish = types.ExternalFunction("SHA256_Final", status(pointer, pointer))

    @njit(nogil=True)
    def digests(rows, part, prefixes, out):
        parts = -(-rows.shape[1] // part)
        context = np.empty(CONTEXT, np.uint64)
        for row in range(rows.shape[0]):
            for index in range(parts):
                words = rows[row, index * part : min(rows.shape[1], (index + 1) * part)]
                prefix = prefixes[words.size]
                begin(context.ctypes)
                update(context.ctypes, prefix.ctypes, prefix.size)
                update(context.ctypes, words.ctypes, 4 * words.size)
                finish(out[row * parts + index].ctypes, context.ctypes)

    return digests


def available() -> bool:
    """Whether OpenSSL's library is there."""
    return _compiled() is not None


def digests(rows: npt.NDArray[np.int32], part: int, prefixes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """(rows · parts, 32): SHA-256 of prefix and words of each part of each row, row by row.

    Args:
        rows: (n, width), contiguous.
        part: words of a part; the last of a row may be shorter.
        prefixes: (part + 1, bytes): what stands before a part of so many words.
    """
    parts = -(-rows.shape[1] // part)
    out = np.empty((len(rows) * parts, 32), np.uint8)
    shares = (
        np.linspace(0, len(rows), PROCESSORS + 1).astype(int).tolist() if len(rows) >= PROCESSORS else [0, len(rows)]
    )
    spans = list(pairwise(shares))
    # Threads of our own: a compiler's parallel loops spin between calls, which slows what else runs.
    others = [
        _threads().submit(_compiled(), rows[a:b], part, prefixes, out[a * parts : b * parts]) for a, b in spans[1:]
    ]
    _compiled()(rows[: spans[0][1]], part, prefixes, out[: spans[0][1] * parts])
    for other in others:
        other.result()
    return out


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(PROCESSORS)
