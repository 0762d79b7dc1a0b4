"""SHA-256 of sixteen leaves at a time, a message a lane of the vectors of processors that have AVX-512.

One message's rounds wait for each other; rotations and exclusive ors of three are one AVX-512 instruction each. FIPS
180-4, sections 4.1.2 to 6.2.2, whose letters are used here. OpenSSL has such code, which it does not export.
"""

from collections.abc import Callable
from functools import reduce
from itertools import count, islice
from math import isqrt
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

LANES = 16
BLOCK = 16
"""Words of a message's block."""
FEWEST = 8
"""Leaves from which all lanes together cost less than OpenSSL leaf by leaf."""
_ROUNDS = 64
_WORD, _ADDRESS = ir.IntType(32), ir.IntType(64)
_VECTOR = ir.VectorType(_WORD, LANES)


def fast() -> bool:
    """Whether this processor has the instructions that make lanes worth it."""
    features = binding.get_host_cpu_features()
    return all(features.get(each, False) for each in ("avx512f", "avx512bw", "avx512vl"))


_PRIMES = list(islice((n for n in count(2) if all(n % p for p in range(2, isqrt(n) + 1))), _ROUNDS))


def _cube_root(number: int) -> int:
    root = round(number ** (1 / 3))
    while root**3 > number:
        root -= 1
    while (root + 1) ** 3 <= number:
        root += 1
    return root


# The first 32 bits of the fractional parts of the primes' cube roots, and of the square roots of the first eight.
_CONSTANTS = [_cube_root(prime << 96) % 2**32 for prime in _PRIMES]
_INITIAL = np.array([[isqrt(prime << 64) % 2**32] * LANES for prime in _PRIMES[:8]], np.uint32)


def _compression(typing: Any, state: Any, addresses: Any) -> tuple[Any, Callable[..., Any]]:
    """Take one block a lane into the ``state`` (8, LANES); ``addresses`` of LANES blocks of little-endian words."""

    def generate(_: Any, builder: ir.IRBuilder, signature: Any, given: tuple[ir.Value, ir.Value]) -> ir.Value:
        rows = builder.inttoptr(given[0], _VECTOR.as_pointer())
        held = [builder.gep(rows, [_WORD(index)]) for index in range(8)]
        before = [builder.load(each, align=4) for each in held]
        after = _rounds(builder, before, _words(builder, given[1]))
        for place, old, new in zip(held, before, after, strict=True):
            builder.store(builder.add(old, new), place, align=4)
        return ir.Constant(_ADDRESS, 0)

    return types.intp(types.uintp, types.uintp), generate


_compress: Any = intrinsic(_compression)


def _words(builder: ir.IRBuilder, addresses: ir.Value) -> list[ir.Value]:
    """Word by word, the lanes' vectors: their blocks transposed, bytes swapped."""
    table = builder.inttoptr(addresses, _ADDRESS.as_pointer())
    rows = []
    for lane in range(LANES):
        address = builder.load(builder.gep(table, [_WORD(lane)]))
        rows.append(builder.load(builder.inttoptr(address, _VECTOR.as_pointer()), align=4))
    half = LANES // 2
    low, high = (
        ir.Constant(_VECTOR, [place for at in range(start, start + half) for place in (at, LANES + at)])
        for start in (0, half)
    )
    for _ in range(LANES.bit_length() - 1):  # each interleaves the first half of the rows with the second
        pairs = list(zip(rows[:half], rows[half:], strict=True))
        rows = [builder.shuffle_vector(*pair, order) for pair in pairs for order in (low, high)]
    swap = _vector_function(builder, "llvm.bswap.v16i32", 1)
    return [builder.call(swap, [row]) for row in rows]


def _rounds(builder: ir.IRBuilder, state: list[ir.Value], w: list[ir.Value]) -> list[ir.Value]:
    a, b, c, d, e, f, g, h = state
    add = builder.add
    for t in range(_ROUNDS):
        if t >= BLOCK:  # words of the schedule as they are wanted: 16 of them, not 64, wait in registers
            sigma0 = _xor(builder, [*_rotated(builder, w[t - 15], 7, 18), builder.lshr(w[t - 15], _all(3))])
            sigma1 = _xor(builder, [*_rotated(builder, w[t - 2], 17, 19), builder.lshr(w[t - 2], _all(10))])
            w.append(add(add(w[t - 16], sigma0), add(w[t - 7], sigma1)))
        choice = builder.xor(g, builder.and_(e, builder.xor(f, g)))
        majority = builder.or_(builder.and_(a, b), builder.and_(c, builder.or_(a, b)))
        sum0, sum1 = (_xor(builder, _rotated(builder, *each)) for each in ((a, 2, 13, 22), (e, 6, 11, 25)))
        t1 = add(add(add(h, add(w[t], _all(_CONSTANTS[t]))), choice), sum1)
        a, b, c, d, e, f, g, h = add(t1, add(sum0, majority)), a, b, c, add(d, t1), e, f, g
    return [a, b, c, d, e, f, g, h]


def _all(number: int) -> ir.Constant:
    return ir.Constant(_VECTOR, [number] * LANES)


def _rotated(builder: ir.IRBuilder, x: ir.Value, *distances: int) -> list[ir.Value]:
    shift = _vector_function(builder, "llvm.fshr.v16i32", 3)
    return [builder.call(shift, [x, x, _all(distance)]) for distance in distances]


def _xor(builder: ir.IRBuilder, vectors: list[ir.Value]) -> ir.Value:
    return reduce(builder.xor, vectors)


def _vector_function(builder: ir.IRBuilder, name: str, arguments: int) -> ir.Function:
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(_VECTOR, [_VECTOR] * arguments), name)


def _loading(typing: Any, address: Any) -> tuple[Any, Callable[..., Any]]:
    """The word at an address."""

    def generate(_: Any, builder: ir.IRBuilder, signature: Any, given: tuple[ir.Value]) -> ir.Value:
        return builder.load(builder.inttoptr(given[0], _WORD.as_pointer()))

    return types.uint32(types.intp), generate


_word: Any = intrinsic(_loading)


@register_jitable
def hash_leaves(leaves, words, prefix, places, digests):
    """Put the digests of LANES leaves of ``words`` each, at addresses ``leaves`` (LANES,), in their ``places`` (LANES,)
    of ``digests`` (any, 32); ``prefix`` is the words before each."""
    state, edge = _INITIAL.copy(), np.empty((LANES, BLOCK), np.uint32)
    blocks, begin, end, used = np.empty(LANES, np.int64), len(prefix), len(prefix) + words, 0
    length = BLOCK * ((end + 2) // BLOCK + 1)  # after the words a bit, the last two words are how many bits those are
    for first in range(0, length, BLOCK):
        if begin <= first and first + BLOCK <= end:
            for lane in range(LANES):
                blocks[lane] = leaves[lane] + 4 * (first - begin)
        else:
            edge[:] = 0
            for lane in range(LANES):
                for index in range(max(0, begin - first)):
                    edge[lane, index] = prefix[first + index]
                for index in range(max(0, begin - first), min(BLOCK, end - first)):
                    edge[lane, index] = _word(leaves[lane] + 4 * (first + index - begin))
                if first <= end < first + BLOCK:
                    edge[lane, end - first] = 0x80
                if first == length - BLOCK:
                    edge[lane, BLOCK - 1] = _swapped(32 * end)
                blocks[lane] = edge.ctypes.data + 4 * BLOCK * lane
        used += _compress(state.ctypes.data, blocks.ctypes.data)
    for lane in range(LANES):
        for index in range(8):
            for byte in range(4):
                digests[places[lane], 4 * index + byte] = state[index, lane] >> (24 - 8 * byte) & 255
    return used + edge[0, 0]


@register_jitable
def _swapped(number):
    return number << 24 & 0xFF000000 | number << 8 & 0xFF0000 | number >> 8 & 0xFF00 | number >> 24
