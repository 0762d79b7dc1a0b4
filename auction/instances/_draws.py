"""Draws that several families share: non-empty rows, costs, values, slots, and what options may be."""

from collections.abc import Callable

import numpy as np

from auction.errors import InputError
from auction.market import MICRO, Float, Int, Market


def no_empty_rows(draw: Callable[[int], Int], rows: int) -> Int:
    """``draw(count)`` gives rows; those of zeros only are drawn again, as often as it takes."""
    drawn = draw(rows)
    while (empty := np.flatnonzero(~drawn.any(axis=1))).size:
        drawn[empty] = draw(empty.size)
    return drawn


def scaled_demand(rng: np.random.Generator, tasks: int, types: int) -> Int:
    """(m, K) round(u * integers 0..11), u uniform on 0.2..3 a task, no empty rows."""

    def draw(count: int) -> Int:
        scale = rng.uniform(0.2, 3.0, (count, 1))
        return np.rint(scale * rng.integers(0, 12, (count, types))).astype(np.int64)

    return no_empty_rows(draw, tasks)


def uniform_rows(rng: np.random.Generator, rows: int, types: int, largest: int) -> Int:
    """(rows, K) integers uniform on 0..largest, no empty rows."""
    return no_empty_rows(lambda count: rng.integers(0, largest + 1, (count, types)), rows)


def micro(tokens: Float) -> Int:
    """Tokens to micro-tokens, rounded half to even."""
    return np.rint(MICRO * tokens).astype(np.int64)


def priced(rng: np.random.Generator, rows: Int, low: float, high: float, fixed: float = 0.0) -> Int:
    """units * uniform(low, high) + fixed tokens for each row, in micro-tokens; units are the row's sum."""
    return micro(rows.sum(axis=1) * rng.uniform(low, high, rows.shape[0]) + fixed)


def plain_market(rng: np.random.Generator, demand: Int, value: Int, resource: Int) -> Market:
    """One slot a provider at units * uniform 0.5..1.5 tokens; alpha 2, beta 1; unit_work 0.05..0.3, ability 0..1."""
    return Market(
        demand=demand,
        value=value,
        unit_work=rng.uniform(0.05, 0.3, demand.shape[1:]),
        alpha=2,
        beta=1,
        resource=resource,
        slots=np.ones(resource.shape[0], dtype=np.int64),
        cost=priced(rng, resource, 0.5, 1.5),
        ability=rng.random(resource.shape),
    )


def slots_for_supply(rng: np.random.Generator, demand: Int, resource: Int, supply: float) -> Int:
    """(n,) slots, each the floor or ceiling of one mean at random, so that supply is ``supply`` times demand.

    The mean is supply * sum(demand) / sum(resource): below 1, some providers are offline.
    """
    positive("supply", supply)
    mean = supply * demand.sum() / max(1, resource.sum())
    return (np.floor(mean) + (rng.random(resource.shape[0]) < mean % 1.0)).astype(np.int64)


def positive(name: str, value: float) -> None:
    """Refuse an option that is not above 0."""
    if not value > 0:
        raise InputError(f"option {name}: {value:g} is not allowed; a number above 0")


def at_least(least: int, **options: int) -> None:
    """Refuse options below ``least``."""
    for name, value in options.items():
        if value < least:
            raise InputError(f"option {name}: {value} is not allowed; an integer from {least} up")


def fraction(name: str, value: float) -> None:
    """Refuse an option outside [0, 1]."""
    if not 0 <= value <= 1:
        raise InputError(f"option {name}: {value:g} is not allowed; a number from 0 to 1")
