"""What the commands that solve share: a market read, with a word on its amounts, and a solver run under a clock."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from auction import solvers
from auction.commands.terminal import clean_stdout, printable, stderr, working
from auction.files import read_market
from auction.market import MICRO, Market
from auction.outcome import Outcome
from auction.progress import Progress


def read(path: Path) -> Market:
    """The market; a word on standard error where its amounts look like tokens."""
    with working(f"reading {path}"):
        market = read_market(path)
    if market.tasks and not (market.net_bid > 0).any():
        stderr.print(
            printable(f"{path}: no task bids more than its extra cost; amounts are micro-tokens"), soft_wrap=True
        )
    return market


def solved(
    market: Market,
    solver: str,
    reading: Any,
    time_limit: float | None,
    seed: int,
    options: Mapping[str, Any],
) -> Outcome:
    """The outcome; while it runs, a line says what runs on what, for how long at most, and what is known by then."""
    limit = "" if time_limit is None else f", at most {time_limit:g} s"
    what = f"{solver} on {market.tasks} x {market.providers}{limit}"
    with working(what) as say, clean_stdout():
        return solvers.solve(
            market,
            solver,
            reading=reading,
            time_limit=time_limit,
            seed=seed,
            options=options,
            callback=(lambda known: say(f"{what}: {in_words(known)}")) if stderr.is_terminal else None,
        )


def in_words(known: Progress) -> str:
    """Welfare and bound by then, tokens, and the gap between them."""
    parts = [
        f"{name} {getattr(known, name) / MICRO:,.2f}"
        for name in ("welfare", "bound")
        if getattr(known, name) is not None
    ]
    return ", ".join(parts + ([] if known.gap is None else [f"gap {known.gap:.2%}"]))
