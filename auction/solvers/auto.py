"""One of the others, chosen by reading, size and types: says which and why."""

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
    found: Found = solvers.load(choice.solver).solve(market, reading, stop, seed, **choice.options)
    asked = "".join(f", {name}={str(value).lower()}" for name, value in choice.options.items())
    return replace(found, remark=f"{choice.solver}{asked}: {choice.reason}")


def choose(market: Market, reading: Reading) -> Choice:
    """The solver that proves most in seconds on markets like this.

    MEASURED
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
