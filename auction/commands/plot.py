"""The command ``plot``: gap against time, out of outcome files."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from auction.commands.terminal import printable, stderr, working
from auction.errors import InputError
from auction.files import ensure_writable, read_outcome, replacing
from auction.outcome import Outcome
from auction.plot import gap_against_time, gap_over_time, write

SUFFIXES = (".svg", ".png", ".pdf")


def plot(
    outcomes: Annotated[list[Path], typer.Argument(help="outcome files of `solve --out`", show_default=False)],
    out: Annotated[Path, typer.Option(help="gap.svg, .png or .pdf", show_default=False)],
) -> None:
    """Draw gap against time: a panel for each market that the outcomes are of, a line a solver.

    The gap is that between a solver's own welfare and bound by then; of one without a bound, dashed, to the least bound
    that another has on the market. A ring ends a line where the optimum was proved. Solvers of one name on one market
    are told apart by their files.

    Example: python -m auction plot cpsat.json highs.json price_guided.json --out gap.svg
    """
    ensure_drawable(out)
    markets: dict[str, list[tuple[Path, Outcome]]] = {}
    for path in outcomes:
        outcome = read_outcome(path)
        markets.setdefault(outcome.market_digest, []).append((path, outcome))
    with working(f"drawing {len(outcomes)} outcomes"):
        _say_what_is_left_out(markets)
        draw(out, [(f"market {digest[:8]}", _named(found)) for digest, found in markets.items()])


def ensure_drawable(out: Path) -> None:
    """Refuse a picture that cannot be made, before anything is read or solved for it.

    Raises:
        InputError: no picture's suffix, a place that cannot be written, no matplotlib.
    """
    if out.suffix not in SUFFIXES:
        raise InputError(f"{out}: a picture ends in {', '.join(SUFFIXES)}")
    ensure_writable(out)
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError:
        raise InputError("plots are drawn with matplotlib, which is not installed; the extra plot has it") from None


def draw(out: Path, markets: Sequence[tuple[str, Sequence[tuple[str, Outcome]]]]) -> None:
    """Gap against time of outcomes by name, of each market under its title."""
    with replacing(out) as temporary:
        write(gap_against_time(markets), temporary, out.suffix[1:])


def _named(found: list[tuple[Path, Outcome]]) -> list[tuple[str, Outcome]]:
    times = Counter(outcome.solver for _, outcome in found)
    return [
        (printable(outcome.solver if times[outcome.solver] == 1 else f"{outcome.solver} ({path.stem})"), outcome)
        for path, outcome in found
    ]


def _say_what_is_left_out(markets: dict[str, list[tuple[Path, Outcome]]]) -> None:
    drawn = False
    for found in markets.values():
        least = min((one.bound for _, one in found if one.bound is not None), default=None)
        for path, outcome in found:
            if gap_over_time(outcome, least):
                drawn = True
            else:
                why = "no allocation" if least is not None else "no solver has a bound on its market"
                stderr.print(printable(f"{path}: left out: {why}"), soft_wrap=True)
    if not drawn:
        raise InputError("nothing to draw: a gap needs a welfare and a bound of one market")
