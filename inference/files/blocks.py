"""Weights in blocks of 32, and how the kernels want them laid out.

A row of a weight matrix is cut into blocks of 32; a weight is w = d·q + m with q in 0..15 (4 bits, d and m a block:
GGUF's Q4_1), w = d·q with q in -128..127 (8 bits, d a block: Q8_0) or w = d·q + m with q in -128..127, m a block and d
of each half (which holds Q5_K, Q6_K and all before). The layouts keep 8 rows together, one row a lane, so that
neighbouring lanes read neighbouring 16 bytes: [tile of 8 rows][block][lane].
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

BLOCK = 32
TILE = 8

Words = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """A matrix as y = W x wants it, in blocks."""

    q: npt.NDArray[Any]
    """(N, K): uint8 in 0..15, or int8."""
    d: npt.NDArray[np.float32]
    """(N, K / 32): the step of a block; or (N, K / 16): of each half of one."""
    m: npt.NDArray[np.float32] | None = None
    """(N, K / 32): what q = 0 stands for; None for 8 bits with one step a block."""

    def matrix(self) -> npt.NDArray[np.float32]:
        """(N, K): the weights themselves."""
        weights = self.q.reshape(*self.d.shape, -1) * self.d[..., None]
        if self.m is not None:
            weights.reshape(*self.m.shape, BLOCK)[:] += self.m[..., None]
        return weights.reshape(self.q.shape).astype(np.float32, copy=False)

    def blocks(self) -> npt.NDArray[np.float32]:
        """(N, K / 32): d; or with a last axis: d and m, or the d of either half and m."""
        return self.d if self.m is None else side_by_side(self.d, self.m)

    def rows(self, order: npt.NDArray[np.integer] | slice) -> "Weights":
        """Some rows, or all in another order."""
        return Weights(self.q[order], self.d[order], None if self.m is None else self.m[order])

    @property
    def op(self) -> str:
        """The op that multiplies by it."""
        if BLOCK * self.d.shape[1] > self.q.shape[1]:
            return "matmul_k"
        return "matmul_q8" if self.m is None else "matmul_q4"


def side_by_side(d: npt.NDArray[Any], m: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The steps of a block, one or two, and its m: (N, K / 32, 2 or 3)."""
    return np.concatenate((d.reshape(*m.shape, -1), m[..., None]), axis=2)


def halved(weights: Weights) -> Weights:
    """The same weights with a step of each half of a block."""
    if weights.op == "matmul_k":
        return weights
    m = np.zeros_like(weights.d) if weights.m is None else weights.m
    return Weights(weights.q.astype(np.int8), weights.d.repeat(2, axis=1), m)


def concatenate(parts: list[Weights]) -> Weights:
    """Several matrices as one, rows below one another; of different formats, in the one that holds them all."""
    if len({part.op for part in parts}) > 1:
        parts = [halved(part) for part in parts]
    m = None if parts[0].m is None else np.concatenate([part.m for part in parts if part.m is not None])
    return Weights(np.concatenate([part.q for part in parts]), np.concatenate([part.d for part in parts]), m)


def eight_bits(matrix: npt.NDArray[np.float32]) -> Weights:
    """Q8_0: d = max|w| / 127 of each block, rounded to float16 as in a file, q = w / d to the nearest."""
    blocks = matrix.reshape(len(matrix), -1, BLOCK).astype(np.float32)
    d = (np.abs(blocks).max(2) / np.float32(127)).astype(np.float16).astype(np.float32)
    # A step rounded down can leave the largest weight at 128: clipped.
    q = np.rint(np.divide(blocks, d[..., None], out=np.zeros_like(blocks), where=d[..., None] > 0))
    return Weights(np.clip(q, -127, 127).astype(np.int8).reshape(matrix.shape), d)


def four_bits(matrix: npt.NDArray[np.float32]) -> Weights:
    """Q4_1: m the smallest weight of a block, d a fifteenth of its range, both rounded to float16 as in a file."""
    blocks = matrix.reshape(len(matrix), -1, BLOCK)
    m = blocks.min(2).astype(np.float16).astype(np.float32)
    d = ((blocks.max(2) - m) / 15).astype(np.float16).astype(np.float32)
    steps = np.divide(blocks - m[..., None], d[..., None], out=np.zeros_like(blocks), where=d[..., None] > 0)
    return Weights(np.clip(np.rint(steps), 0, 15).astype(np.uint8).reshape(matrix.shape), d, m)


def padded(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Rows of zeros below, up to a whole number of tiles."""
    rows = -len(array) % TILE
    return np.pad(array, [(0, rows)] + [(0, 0)] * (array.ndim - 1)) if rows else array


def pack_q4(q: npt.NDArray[np.integer]) -> Words:
    """[tile][block][lane][4 words]: nibble i of word w is weight 8 w + i of the block."""
    digits = padded(q).astype(np.uint32).reshape(-1, TILE, q.shape[1] // BLOCK, 4, 8)
    words = np.bitwise_or.reduce(digits << (4 * np.arange(8, dtype=np.uint32)), axis=4)
    return np.ascontiguousarray(words.transpose(0, 2, 1, 3)).ravel()


def pack_q8(q: npt.NDArray[np.integer]) -> Words:
    """[tile][block][half][lane][4 words]: byte i of word w in half h is weight 16 h + 4 w + i of the block."""
    halves = padded(q).astype(np.int8).reshape(-1, TILE, q.shape[1] // BLOCK, 2, 16).view(np.uint32)
    return np.ascontiguousarray(halves.transpose(0, 2, 3, 1, 4)).ravel()


def pack_blocks(blocks: npt.NDArray[Any]) -> Words:
    """[tile][block][lane]: what belongs to a block; two int16 share a word (the first low), float32 keep their bits.

    Three numbers have the room of four.
    """
    if blocks.shape[2:] == (3,):
        blocks = np.pad(blocks, ((0, 0), (0, 0), (0, 1)))
    tiles = padded(blocks).reshape(-1, TILE, *blocks.shape[1:]).swapaxes(1, 2)
    if blocks.dtype == np.int16 and blocks.ndim == 2:
        tiles = tiles.astype(np.int32)
    return np.ascontiguousarray(tiles).view(np.uint32).ravel()


def pack_rows(rows: npt.NDArray[Any]) -> Words:
    """Rows below one another, padded to whole tiles."""
    return np.ascontiguousarray(padded(rows)).view(np.uint32).ravel()


def pack_plain(array: npt.NDArray[Any]) -> Words:
    """As it is."""
    return np.ascontiguousarray(array).view(np.uint32).ravel()
