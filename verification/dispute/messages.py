"""What the messages of a dispute hold (section 5); each is a ``Request`` whose content has one strict schema.

``index`` counts them from 1 on, the referee's ``begin`` being message 0; ``previous`` is the name of the one before.
"""

from dataclasses import dataclass
from typing import Any

from verification.computation import Words
from verification.encoding.canonical import LARGEST_NUMBER
from verification.encoding.schema import (
    Reader,
    Schema,
    digest_text,
    each,
    key_text,
    mapping,
    number,
    optional,
    proof,
    proof_text,
    words,
    words_text,
)

MOST_DIGESTS = 16
"""Digests of a ``descend``, at most: four levels a round."""
MOST_SOURCES = 8
"""Of a step."""

LARGEST_OPEN = 89_000
"""Bytes of the largest message that may be due, at most."""

RULES: Schema = {
    "delta": number(1, 2**31),
    "levels": number(1, 4),
    "message_limit": number(LARGEST_OPEN, 2**24),
}
"""What a dispute takes from its market's rules."""
TICKS = number(0, LARGEST_NUMBER)
BEGIN: Schema = {
    "claim": digest_text,
    "header": digest_text,
    "computation": digest_text,
    "asserter": key_text,
    "challenger": key_text,
    "roots": mapping({"asserter": digest_text, "challenger": digest_text}),
    "rules": mapping(RULES),
    "budgets": mapping({"asserter": TICKS, "challenger": TICKS}),
    "tick": TICKS,
    "head": mapping({"number": TICKS, "digest": digest_text}),
}
"""The referee's: names of the claim and of the result it is against, what both are about, both keys and roots."""


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """Words with what proves that they were committed to."""

    words: Words | None
    """None: the node is null."""
    path: tuple[bytes, ...]
    """From the leaf to its node's root, or from a step to the root of the leaf's steps."""
    node: tuple[bytes, ...] = ()
    """From the node to the trace's root."""

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "node": proof_text(self.node),
            "path": proof_text(self.path),
            "words": None if self.words is None else words_text(self.words),
        }


def opening(value: Any) -> Opening:
    """Words and their proofs."""
    return Opening(**mapping({"node": proof, "path": proof, "words": optional(words)})(value))


CHAIN: dict[str, Reader] = {"index": number(0, LARGEST_NUMBER), "previous": digest_text}
KINDS: dict[str, Schema] = {
    "descend": CHAIN | {"digests": each(digest_text, MOST_DIGESTS)},
    "node": CHAIN | {"root": optional(digest_text)},
    "guard": CHAIN | {"opening": opening},
    "steps": CHAIN | {"root": digest_text, "path": proof},
    "open": CHAIN | {"inputs": each(opening, MOST_SOURCES)},
}
"""Of each kind, what its content holds."""
