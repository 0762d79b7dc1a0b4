"""What a defect of the whitepaper is here: where it stands, what is wrong, and numbers that show it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from auction.allocation import Allocation
from auction.market import Market
from auction.search import Stop
from auction.solvers import bid_density

Measure = Callable[[Market], tuple[float, float]]
NOT_SHOWN = (np.nan, np.nan)  # by this market, which has no trade, bundle or second slot to show it on


@dataclass(frozen=True)
class Defect:
    """One row of docs/errata.md."""

    number: int
    where: str  # section, line of PRICES
    printed: str
    trouble: str
    measures: Mapping[str, Measure] = field(default_factory=dict)  # (as printed, corrected); none: it is in the text


def share(part: float, whole: float) -> float:
    """part / whole; NaN where the whole is nothing."""
    return float(part) / float(whole) if whole else np.nan


def best_order(market: Market) -> Allocation:
    """The auction's allocation with backfill and both lists by ratio: many trades, on which prices can be seen."""
    ratio = {"task_order": "ratio", "provider_order": "ratio"}
    return bid_density.solve(market, "bundle", Stop(None), 0, backfill=True, **ratio).allocation  # type: ignore[arg-type]
