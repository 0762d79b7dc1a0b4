"""One of the others, chosen by reading, size and types: says which and why."""

import time
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from auction import solvers
from auction.market import READINGS, Market, Reading
from auction.search import Found, Stop
from auction.solvers._vectors import distinct_rows
from auction.solvers.assignment import VECTOR_LIMIT

__all__ = ["READINGS", "choose", "solve"]

PAIRS = 50_000  # tasks x providers up to which an integer programme is built and searched in seconds
LOADED = 1.5  # types that a provider serves on average, at most, where integer programmes are strong


class Choice(NamedTuple):
    """A solver, its options, and why in a sentence."""

    solver: str
    options: dict[str, Any]
    reason: str


def solve(market: Market, reading: Reading, stop: Stop, seed: int) -> Found:
    """Runs ``choose``'s solver; the outcome's remark says which and why."""
    choice = choose(market, reading)
    begun = time.perf_counter()
    module = solvers.load(choice.solver)
    stop.postpone(time.perf_counter() - begun)  # to import is not to solve
    found: Found = module.solve(market, reading, stop, seed, **choice.options)
    asked = "".join(f", {name}={str(value).lower()}" for name, value in choice.options.items())
    return replace(found, remark=f"{choice.solver}{asked}: {choice.reason}")


def choose(market: Market, reading: Reading) -> Choice:
    """The solver that proves most in seconds on markets like this.

    Processor seconds until the optimum of 80 x 160 (bundles: 200 bids for 48 goods) was proved, of one or two markets;
    a dash where it was not within 30 to 45 seconds of a busy machine, blank where not tried. ``types`` is how many
    a provider serves on average:

    ================  =====  ============  ===========
    family            types  CP-SAT, warm  HiGHS, warm
    ================  =====  ============  ===========
    marketplace K=6   1.2    1.4 to 1.5    1.0
    marketplace K=4   1.2    1.8 to 2.3    –
    marketplace K=3   1.1    1.1 to 4.4
    matching, paths   1.0    0.1 to 0.3    0.5 to 0.9
    regions           1.0    0.3 to 0.4
    scheduling        1.0    0.1 to 0.2    0.5
    arbitrary         1.0    0.8 to 1.0
    sparse K=16       2.6    4.1           3.0
    uniform K=8       7.3    –, gap 34 %   –
    uniform K=3       2.7    –, gap 12 %   –
    classes           2.5    –, gap 7 %    –
    heavy_tailed      2.2    –, gap 3 %    –
    correlated        2.7    –, gap 13 %   –
    ================  =====  ============  ===========

    Beyond PAIRS, which was not measured, programmes of a variable and a row a pair are left to column generation.
    """
    if reading == "whole":
        if len(distinct_rows(market.resource)[0]) <= VECTOR_LIMIT:
            return Choice("assignment", {}, "a provider for each task is a matching, solved exactly at any size")
        return Choice("column_generation", {}, f"more than {VECTOR_LIMIT} slot vectors are too many for a matching")
    pairs = market.tasks * market.providers
    offering = market.slots > 0
    loaded = np.count_nonzero(market.resource[offering], axis=1)
    served = float(loaded[loaded > 0].mean()) if loaded.any() else 0.0
    if pairs > PAIRS:
        return Choice(
            "column_generation", {}, f"{pairs:,} pairs of tasks and providers are too many for an integer programme"
        )
    if served <= LOADED:
        return Choice(
            "ilp_cpsat",
            {"warm_start": True},
            f"providers serve {served:.1f} of {market.types} types on average, which an integer programme decides fast",
        )
    return Choice(
        "column_generation",
        {},
        f"providers serve {served:.1f} of {market.types} types on average, so that prices bound far better than an "
        "integer programme's relaxation",
    )
