"""What all parties of a market do the same way; its digest stands in the genesis (section 5)."""

from verification.computation import LEAF, SOURCES, WORK
from verification.encoding.canonical import digest

VERSION = 1


def protocol(prompt_chunk: int, levels: int, message_limit: int) -> str:
    """Digest of version, leaves and steps, and of what is given.

    Args:
        prompt_chunk: positions of a prompt in one pass, at most.
        levels: of a tree, that one message of a dispute descends.
        message_limit: bytes of a message, at most.
    """
    return digest(
        {
            "version": VERSION,
            "leaf": LEAF,
            "step": {"sources": SOURCES, "words": LEAF, "macs": WORK},
            "prompt_chunk": prompt_chunk,
            "levels": levels,
            "message_limit": message_limit,
        }
    )
