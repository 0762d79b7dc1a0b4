"""What a task may report instead of the truth, and what that gains it: the auction is run again each time.

The task's extra cost e_i follows the demand it reports, since that is what is run for it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from auction.errors import InputError
from auction.market import AMOUNT_LIMIT, Int, Market
from auction.mechanisms import Settlement
from auction.welfare import user_utility

Kind = Literal["value", "demand", "split"]
KINDS: tuple[Kind, ...] = ("value", "demand", "split")


def lies(market: Market, task: int, factors: Sequence[float]) -> Iterator[tuple[Kind, Market, list[int]]]:
    """Each misreport of one task: its kind, the market as reported, and the rows that are the task's.

    ``value``: v_i times each factor. ``demand``: C_i times each factor above 1, rounded up, v_i as it is. ``split``:
    two false names with parts of the demand (by types, or half of the requests of a single type) and values in
    proportion to their work, which is the only one that adds a row. What no market can hold is left out.
    """
    for kind, demand, value in _reports(market, task, factors):
        try:
            reported = replace(market, demand=demand, value=value, arrival=None, names=None)
        except InputError:
            continue
        yield kind, reported, [task, *range(market.tasks, value.size)]


def _reports(market: Market, task: int, factors: Sequence[float]) -> Iterator[tuple[Kind, Int, Int]]:
    """Demand and value, (m or m + 1) rows, of each misreport; amounts beyond AMOUNT_LIMIT are cut to it."""
    for factor in factors:
        value = market.value.copy()
        value[task] = min(round(int(value[task]) * factor), AMOUNT_LIMIT)
        yield "value", market.demand, value
    for factor in factors:
        if factor > 1:
            demand = market.demand.copy()
            demand[task] = np.minimum(np.ceil(demand[task] * factor), AMOUNT_LIMIT).astype(np.int64)
            yield "demand", demand, market.value
    own = market.demand[task]
    first = np.where(np.cumsum(own > 0) <= np.count_nonzero(own) // 2, own, 0) if (own > 0).sum() > 1 else own // 2
    if first.any():
        demand = np.append(market.demand, [own - first], axis=0)
        demand[task] = first
        work = np.maximum(np.array([first, own - first]) @ market.unit_work, 1e-9)
        part = round(int(market.value[task]) * float(work[0] / work.sum()))
        value = np.append(market.value, market.value[task] - part)
        value[task] = part
        yield "split", demand, value


def gain(truth: int, market: Market, task: int, reported: Market, rows: list[int], settled: Settlement) -> int:
    """What the task's true utility is above ``truth`` after a misreport, micro-tokens.

    It has v_i once all its rows win, and pays for the rows that do.
    """
    won = [row for row in rows if row in settled.allocation.task]
    paid = sum(int(settled.payment[row]) + int(reported.extra_cost[row]) for row in won)
    return (int(market.value[task]) if len(won) == len(rows) else 0) - paid - truth


def regrets(
    market: Market,
    settle: Callable[[Market], Settlement],
    tasks: Int,
    factors: Sequence[float],
    kinds: Sequence[Kind] = KINDS,
) -> dict[Kind, Int]:
    """(tasks,) the most that each of the tasks gains by each kind of misreport, at least 0, micro-tokens.

    Args:
        market: the truth.
        settle: the mechanism.
        tasks: which tasks misreport, one at a time.
        factors: of values and demands.
        kinds: which misreports.

    A misreport that the mechanism or the market refuses is none.
    """
    utility = user_utility(market, (honest := settle(market)).allocation, honest.payment)
    most: dict[Kind, Int] = {kind: np.zeros(len(tasks), dtype=np.int64) for kind in kinds}
    for number, task in enumerate(tasks):
        for kind, reported, rows in lies(market, int(task), factors):
            if kind not in most:
                continue
            try:
                settled = settle(reported)
            except InputError:
                continue
            gained = gain(int(utility[task]), market, int(task), reported, rows, settled)
            most[kind][number] = max(most[kind][number], gained)
    return most
