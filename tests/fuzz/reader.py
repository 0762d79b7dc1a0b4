"""A reader: good files to begin with, and what is done with one.

It may raise its package's ``InputError`` or ``Refusal``, one line; anything else is a finding.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from auction.errors import InputError as AuctionError
from inference.errors import InputError as InferenceError
from verification.errors import InputError as VerificationError
from verification.errors import Refusal


@dataclass(frozen=True)
class Reader:
    """``seeds`` writes good inputs into folders below one that is empty; ``read`` takes a folder like them."""

    seeds: Callable[[Path], None]
    read: Callable[[Path], object]
    errors: tuple[type[Exception], ...] = (AuctionError, InferenceError, VerificationError, Refusal)


def folder(root: Path, name: str) -> Path:
    (root / name).mkdir()
    return root / name
