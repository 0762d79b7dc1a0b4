"""Merkle trees over SHA-256 digests, in RFC 6962's shape: a subtree of n leaves splits at the largest power of two < n.

    leaf = H(0 ‖ "i32" ‖ count ‖ words)       words and numbers little-endian, numbers u32
    inner = H(1 ‖ left ‖ right)
    node = H(2 ‖ rows ‖ words ‖ root of its leaves), H(3) where it is null
    tile = H(4 ‖ type ‖ rows ‖ columns ‖ numbers)    of a constant; type one of ``TYPES``, numbers row by row

The first byte separates the domains: no digest of one kind can pass for another's.
"""

import struct
from collections.abc import Callable, Sequence
from hashlib import sha256
from itertools import chain

import numpy as np
import numpy.typing as npt

from verification import sha256_rows
from verification.computation import LEAF, Outputs, Words, output_of

DIGEST = 32
"""Bytes of a digest."""
FEW = 8
"""Digests up to which a call of compiled code costs more than it takes over."""
Span = tuple[int, int]
"""The leaves lo..hi - 1 of a tree, of which they are one subtree."""

NULL = sha256(b"\3").digest()
"""The digest of a null node."""
TYPES = {"i08": "<i1", "u08": "<u1", "i16": "<i2", "u16": "<u2", "i32": "<i4", "u32": "<u4"}
"""Of a constant's numbers: two's complement or without a sign, and bits of each; numpy's name of the same."""
_NODE = struct.Struct("<BII").pack
_PREFIX = np.array([[0, *b"i32", *struct.pack("<I", count)] for count in range(LEAF + 1)], np.uint8)


def leaf_digest(words: npt.NDArray[np.int32]) -> bytes:
    """The digest of one leaf's words."""
    return sha256(_PREFIX[len(words)].tobytes() + words.astype("<i4", copy=False).tobytes()).digest()


def leaf_digests(output: Words) -> list[bytes]:
    """The digests of all leaves of a node's output (rows, words), row by row."""
    raw = np.ascontiguousarray(output, "<i4")
    starts = range(0, output.shape[1], LEAF)
    return [leaf_digest(row[start : start + LEAF]) for row in raw for start in starts]


def committing(outputs: Outputs) -> Callable[[], tuple[bytes, bytes]]:
    """Start to hash the outputs of nodes, whose memory must last until what this gives is called: it waits for the
    digests of all leaves, one after another, and of the nodes."""
    if not sha256_rows.available():
        found = _committed(outputs)
        return lambda: found
    words = np.ascontiguousarray(outputs.words, "<i4")
    return sha256_rows.start(words, outputs.starts, outputs.shapes, LEAF, _PREFIX, NULL)


def _committed(outputs: Outputs) -> tuple[bytes, bytes]:
    each = [leaf_digests(output_of(outputs, index)) for index in range(len(outputs.starts))]
    nodes = [
        node_digest(rows, words, Tree(b"".join(digests)).root) if digests else NULL
        for digests, (rows, words) in zip(each, outputs.shapes.tolist(), strict=True)
    ]
    return b"".join(chain.from_iterable(each)), b"".join(nodes)


def node_digest(rows: int, words: int, root: bytes) -> bytes:
    """The digest of a node from the root of its leaves."""
    return sha256(_NODE(2, rows, words) + root).digest()


def tile_digest(kind: str, tile: npt.NDArray[np.integer]) -> bytes:
    """The digest of a tile (rows, columns) of a constant of a type."""
    hashed = sha256(b"\4" + kind.encode() + struct.pack("<II", *tile.shape))
    hashed.update(np.ascontiguousarray(tile, TYPES[kind]).data)
    return hashed.digest()


def join(left: bytes, right: bytes) -> bytes:
    """The digest of an inner node."""
    return sha256(b"\1" + left + right).digest()


class Tree:
    """A tree over at least one digest; every inner digest is kept."""

    def __init__(self, digests: bytes) -> None:
        """A tree over digests that stand one after another."""
        compiled = len(digests) > FEW * DIGEST and sha256_rows.available()
        self.levels = sha256_rows.levels(digests) if compiled else _levels(digests)
        """From them to the root."""

    @property
    def root(self) -> bytes:
        return self.levels[-1]

    @property
    def digests(self) -> list[bytes]:
        """What it is over."""
        return split(self.levels[0])

    def __len__(self) -> int:
        return len(self.levels[0]) // DIGEST

    def __getitem__(self, index: int) -> bytes:
        return _at(self.levels[0], index)

    def subtree(self, span: Span) -> bytes:
        """The digest of a subtree."""
        level = (span[1] - span[0] - 1).bit_length()
        return _at(self.levels[level], span[0] >> level)

    def path(self, index: int) -> list[bytes]:
        """The siblings from a leaf up to the root: an inclusion proof."""
        siblings = [_at(level, (index >> up) ^ 1) for up, level in enumerate(self.levels[:-1])]
        return [sibling for sibling in siblings if sibling]  # one without a sibling goes up as it is


def _at(level: bytes, index: int) -> bytes:
    return level[DIGEST * index : DIGEST * index + DIGEST]


def split(digests: bytes) -> list[bytes]:
    """Digests that stand one after another."""
    return [_at(digests, index) for index in range(len(digests) // DIGEST)]


def _levels(digests: bytes) -> list[bytes]:
    levels = [digests]
    while len(levels[-1]) > DIGEST:
        below = split(levels[-1])
        pairs = [join(left, right) for left, right in zip(below[::2], below[1::2], strict=False)]
        levels.append(b"".join(pairs + below[2 * len(pairs) :]))
    return levels


def root_of(digest: bytes, index: int, count: int, path: Sequence[bytes]) -> bytes | None:
    """The root that a leaf and its inclusion proof lead to; None where the proof has not the length it must have."""
    at = 0
    while count > 1:
        if index ^ 1 < count:
            if at == len(path):
                return None
            digest = join(path[at], digest) if index & 1 else join(digest, path[at])
            at += 1
        index, count = index >> 1, (count + 1) >> 1
    return digest if at == len(path) else None


def parts(span: Span, levels: int) -> list[Span]:
    """The subtrees ``levels`` below a subtree, from left to right."""
    lo, hi = span
    if levels == 0 or hi - lo == 1:
        return [span]
    middle = lo + (1 << ((hi - lo - 1).bit_length() - 1))
    return parts((lo, middle), levels - 1) + parts((middle, hi), levels - 1)


def folded(span: Span, levels: int, digests: Sequence[bytes]) -> bytes:
    """The digest of a subtree from those of its parts ``levels`` below."""
    lo, hi = span
    if levels == 0 or hi - lo == 1:
        return digests[0]
    middle = lo + (1 << ((hi - lo - 1).bit_length() - 1))
    left = len(parts((lo, middle), levels - 1))
    return join(folded((lo, middle), levels - 1, digests[:left]), folded((middle, hi), levels - 1, digests[left:]))
