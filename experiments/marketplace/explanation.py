"""Why an order waits, the bid with which it would have won, and how far a round was from the optimum: shown aside."""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from auction import solvers
from auction.allocation import Allocation
from auction.errors import InputError
from auction.market import Market
from auction.tables.notes import unservable
from auction.welfare import welfare
from experiments.marketplace.auctioneer import answer
from experiments.marketplace.effects import Explain, Solve

MOST = 32
"""Orders of a round whose winning bid is looked for; others are told the reason alone."""
ATTEMPTS = 16
"""Bids that are tried for one order: doubled until it wins, then halved towards the least."""
SECONDS = 2.0
"""For the optimum, where a round has no limit of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """What is shown of a round."""

    round: int
    welfare: int
    """Micro-tokens."""
    bound: int
    """On the optimal welfare, proven."""
    waits: dict[str, tuple[str, int | None]]
    """Of each order that was not matched: why, and the bid, fee included, that would have won; None: not known."""


def explain(asked: Explain) -> Explained:
    """Compare a round with the optimum, and say of who was not matched why."""
    market, solve = asked.solve.market, asked.solve
    outcome = solvers.solve(market, asked.solver, time_limit=solve.limit or SECONDS)
    assert outcome.bound is not None, f"{asked.solver} proves no bound"
    lost = np.setdiff1d(np.arange(market.tasks), asked.allocation.task).tolist()
    beyond = unservable(market)
    waits = dict[str, tuple[str, int | None]]()
    for place, i in enumerate(lost):
        bid = None if beyond[i] or place >= MOST else winning_bid(solve, i)
        waits[asked.orders[i]] = reason(market, i), None if bid is None else with_fee(bid, asked.fee)
    return Explained(solve.round, welfare(market, asked.allocation), outcome.bound, waits)


def reason(market: Market, task: int) -> str:
    """Why a task was not matched."""
    free = market.resource[market.slots > 0]
    useful = market.slots > 0
    if not useful.any():
        return "every device is busy"
    if (market.demand[task] > free.sum(axis=0)).any():
        return "the devices that are free cannot take it, all together"
    wanted = market.demand[task] > 0
    cost = market.cost[useful & (market.resource[:, wanted] > 0).any(axis=1)]
    if cost.size and cost.min() > market.net_bid[task]:
        return "it bids less than the cheapest device costs"
    return "others bid more for the same devices"


def winning_bid(solve: Solve, task: int) -> int | None:
    """A bid with which a task would have won by the round's own rules, near the least such; None: none was found."""
    bid = max(1, int(solve.market.net_bid[task]))
    wins = None
    for _ in range(ATTEMPTS):
        bid *= 2
        if _wins(solve, task, bid):
            wins = bid
            break
    if wins is None:
        return None
    low, high = wins // 2, wins
    while high - low > max(1, high // 64):
        middle = (low + high) // 2
        low, high = (low, middle) if _wins(solve, task, middle) else (middle, high)
    return high


def _wins(solve: Solve, task: int, bid: int) -> bool:
    return task in allocated(solve, task, bid).task


def allocated(solve: Solve, task: int, bid: int) -> Allocation:
    """Who would serve whom, had a task another bid."""
    value, ranked = solve.market.value.copy(), solve.ranked_by.copy()
    ranked[task] += bid - value[task]
    value[task] = bid
    try:
        return answer(replace(solve, market=replace(solve.market, value=value), ranked_by=ranked)).allocation
    except InputError:  # no market holds a bid so high
        return Allocation.empty()


def with_fee(bid: int, fee: Fraction) -> int:
    """What an order bids so that it bids this in the auction."""
    return -(-bid * (fee.denominator + fee.numerator) // fee.denominator)
