"""Vickrey, Clarke and Groves: everyone pays what its presence costs the others; needs proven optima."""

from dataclasses import replace
from typing import Literal

import numpy as np

from auction.allocation import Allocation
from auction.errors import InputError
from auction.market import READINGS, Int, Market, Reading
from auction.mechanisms import Settlement
from auction.prices import transfers
from auction.search import Stop
from auction.solvers import assignment, column_generation
from auction.welfare import welfare, winners

__all__ = ["READINGS", "run", "sampled"]


def run(
    market: Market,
    reading: Reading,
    stop: Stop,
    seed: int,
    *,
    sides: Literal["users", "both"] = "users",
    time_limit: float = 60.0,
) -> Settlement:
    """The welfare-maximal allocation with Clarke's payments (Vickrey 1961, Clarke 1971, Groves 1973).

    With W the optimal welfare and ``W_-i`` that without task i, a winner pays ``b_i - (W - W_-i)``. To report b_i and
    C_i as they are is then a dominant strategy, and nobody loses.
    ``users``: costs are the platform's to set, as the whitepaper has it, so only users report; providers receive their
    costs. A payment is at least the cost of the task's own slots, since the others could keep theirs without it: never
    a deficit. ``both``: provider j receives its costs and ``W - W_-j``, without any of its slots; a deficit is to be
    expected (Myerson and Satterthwaite 1983). False names are not resisted.

    Args:
        sides: whose reports the payments make truthful.
        time_limit: seconds for each optimum; positive.

    Raises:
        InputError: an optimum that is not proven in time, or a limit that is not positive.
    """
    if not time_limit > 0:
        raise InputError(f"option time_limit of vcg: {time_limit} is not allowed; a positive number of seconds")
    allocation, total = _optimum(market, reading, stop, time_limit)
    payment = _payments(market, reading, stop, time_limit, winners(allocation), total)
    _, receipt = transfers(market, allocation, market.cost[allocation.provider])
    if sides == "both":
        for j in np.unique(allocation.provider):
            _, others = _optimum(replace(market, slots=_without(market.slots, j)), reading, stop, time_limit)
            receipt[j] += total - others
    return Settlement(allocation, payment, receipt)


def sampled(market: Market, reading: Reading, tasks: Int, time_limit: float) -> Settlement:
    """As ``run`` with the users' side, but only these tasks' payments: an optimum each, where all would take too long.

    Raises:
        InputError: an optimum that is not proven in time.
    """
    stop = Stop(None)
    allocation, total = _optimum(market, reading, stop, time_limit)
    payment = _payments(market, reading, stop, time_limit, np.intersect1d(tasks, allocation.task), total)
    return Settlement(allocation, payment, transfers(market, allocation, market.cost[allocation.provider])[1])


def _payments(market: Market, reading: Reading, stop: Stop, time_limit: float, won: Int, total: int) -> Int:
    """(m,) b_i - (W - W_-i) of these winners, 0 elsewhere."""
    payment = np.zeros(market.tasks, dtype=np.int64)
    for i in won:
        _, others = _optimum(replace(market, value=_without(market.value, i)), reading, stop, time_limit)
        payment[i] = market.net_bid[i] - (total - others)
    return payment


def _without(amounts: Int, index: int) -> Int:
    """0 at ``index``: a task of no value never wins, since e_i > 0; a provider without slots never serves."""
    left = amounts.copy()
    left[index] = 0
    return left


def _optimum(market: Market, reading: Reading, stop: Stop, time_limit: float) -> tuple[Allocation, int]:
    limit = Stop(min(time_limit, stop.remaining() or time_limit))
    stop.on_interrupt(limit.interrupt)
    found = (
        assignment.solve(market, "whole", limit, 0)
        if reading == "whole"
        else column_generation.solve(market, reading, limit, 0)
    )
    achieved = welfare(market, found.allocation)
    if found.bound != achieved:
        raise InputError(
            f"vcg needs proven optima: after {time_limit:g} s {achieved} micro-tokens are found and "
            f"{found.bound} not excluded; a smaller market or a larger option time_limit is needed"
        )
    return found.allocation, achieved
