"""The command line of the market: check."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from auction.commands.terminal import print_json, printable
from auction.errors import InputError
from inference.errors import InputError as InferenceError
from verification.errors import InputError as VerificationError
from verification.errors import Refusal

app = typer.Typer(help="The market, simulated and live.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="JSON on standard output")]
FAILED = 1


@contextmanager
def bad_input() -> Iterator[None]:
    """What the other packages refuse, as bad input here."""
    try:
        yield
    except (InferenceError, VerificationError, Refusal) as error:
        raise InputError(str(error)) from None


@app.command("check")
def check_ledger(
    ledger: Annotated[Path, typer.Argument(help="of `market serve` or `market simulate --out`", show_default=False)],
    head: Annotated[
        str | None,
        typer.Option(
            metavar="N:DIGEST", help="an event you know from elsewhere: it must be in the ledger", show_default=False
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a market's ledger; exit code 1 where it does not hold.

    Every signature and event, every sum of money, and every dispute, played again where its model and input are kept.

    Example: python -m experiments market check market.ledger --head 812:9c1f...
    """
    from experiments.marketplace.check import check
    from verification.commands.ledger import head_of, summary, told
    from verification.commands.progress import progress
    from verification.files import check_readable

    with bad_input():
        known = None if head is None else head_of(head)
        check_readable(ledger, "a market's ledger")
        with progress("performing every request again") as observe:
            found = check(ledger, known, observe)
    lacking = [each for each in found.disputes if each.lacks]
    if as_json:
        disputes = {
            "disputes": len(found.disputes),
            "not_rederived": {str(each.number): each.lacks for each in lacking},
        }
        print_json(summary(found.ledger) | disputes | {"holds": not found.reasons, "reasons": found.reasons})
    else:
        print(told(found.ledger, head))
        derived = len(found.disputes) - len(lacking)
        print(f"disputes that are over: {len(found.disputes)}, of which {derived} were played again here")
        for each in lacking:
            print(printable(f"  not re-derived: the end by event {each.number}: {each.lacks}"))
        for reason in found.reasons:
            print(printable(f"wrong: {reason}"))
    if found.reasons:
        raise typer.Exit(FAILED)
