"""Merkle trees over SHA-256 digests, in RFC 6962's shape: a subtree of n leaves splits at the largest power of two < n.

    leaf = H(0 ‖ "i32" ‖ count ‖ words)       words and numbers little-endian, numbers u32
    inner = H(1 ‖ left ‖ right)
    node = H(2 ‖ rows ‖ words ‖ root of its leaves), H(3) where it is null

The first byte separates the domains: no digest of one kind can pass for another's.
"""

import struct
from collections.abc import Iterable, Sequence
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from verification import sha256_rows
from verification.computation import LEAF, Words

DIGEST = 32
"""Bytes of a digest."""
Span = tuple[int, int]
"""The leaves lo..hi - 1 of a tree, of which they are one subtree."""

NULL = sha256(b"\3").digest()
"""The digest of a null node."""
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


Committed = tuple[bytes | None, bytes]
"""The digests of a node's leaves, one after another, and the node's; None and NULL where it is null."""


def committed(outputs: Sequence[Words]) -> list[Committed]:
    """The digests of nodes' outputs (rows, words)."""
    if not outputs or not sha256_rows.available():
        return [_committed(output) for output in outputs]
    leaves, nodes = sha256_rows.digests([np.ascontiguousarray(output, "<i4") for output in outputs], LEAF, _PREFIX)
    digests, roots, found, at = leaves.tobytes(), nodes.tobytes(), list[Committed](), 0
    for index, output in enumerate(outputs):
        rows, words = output.shape
        end = at + DIGEST * rows * -(-words // LEAF)
        found.append((digests[at:end], roots[DIGEST * index : DIGEST * index + DIGEST]) if rows else (None, NULL))
        at = end
    return found


def _committed(output: Words) -> Committed:
    if not len(output):
        return None, NULL
    digests = leaf_digests(output)
    rows, words = output.shape
    return b"".join(digests), node_digest(rows, words, Tree(digests).root)


def node_digest(rows: int, words: int, root: bytes) -> bytes:
    """The digest of a node from the root of its leaves."""
    return sha256(_NODE(2, rows, words) + root).digest()


def join(left: bytes, right: bytes) -> bytes:
    """The digest of an inner node."""
    return sha256(b"\1" + left + right).digest()


class Tree:
    """A tree over at least one digest; every inner digest is kept."""

    def __init__(self, digests: Iterable[bytes]) -> None:
        self.levels = [list(digests)]
        while len(self.levels[-1]) > 1:
            below = self.levels[-1]
            pairs = [
                sha256(b"\1" + left + right).digest() for left, right in zip(below[::2], below[1::2], strict=False)
            ]
            self.levels.append(pairs + below[2 * len(pairs) :])

    @property
    def root(self) -> bytes:
        return self.levels[-1][0]

    def __len__(self) -> int:
        return len(self.levels[0])

    def subtree(self, span: Span) -> bytes:
        """The digest of a subtree."""
        level = (span[1] - span[0] - 1).bit_length()
        return self.levels[level][span[0] >> level]

    def path(self, index: int) -> list[bytes]:
        """The siblings from a leaf up to the root: an inclusion proof."""
        siblings = []
        for level in self.levels[:-1]:
            if index ^ 1 < len(level):
                siblings.append(level[index ^ 1])
            index >>= 1
        return siblings


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
