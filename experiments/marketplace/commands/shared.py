"""What commands of the market have in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from auction.errors import InputError
from inference.errors import InputError as InferenceError
from verification.errors import InputError as VerificationError
from verification.errors import Refusal

Json = Annotated[bool, typer.Option("--json", help="JSON on standard output")]
FAILED = 1


@contextmanager
def bad_input() -> Iterator[None]:
    """What the other packages refuse, as bad input here."""
    try:
        yield
    except (InferenceError, VerificationError, Refusal) as error:
        raise InputError(str(error)) from None
