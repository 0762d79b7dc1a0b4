"""What the commands that solve share: a market read, with a word on its amounts, and a solver run under a clock."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from auction import solvers
from auction.commands.terminal import clean_stdout, printable, stderr, working
from auction.files import read_market
from auction.market import Market
from auction.outcome import Outcome


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
    """The outcome; while it runs, what runs on what, and for how long at most."""
    limit = "" if time_limit is None else f", at most {time_limit:g} s"
    with working(f"{solver} on {market.tasks} x {market.providers}{limit}"), clean_stdout():
        return solvers.solve(market, solver, reading=reading, time_limit=time_limit, seed=seed, options=options)
