"""The bid from which a task that loses would win, the cost below which an idle provider would trade, by solving again.

Let W be the optimal welfare and V_i the most that an allocation is worth in which task i is served, without i's bid.
With a bid b, i wins in every optimum if b > W - V_i and in none if b < W - V_i; at W - V_i itself there are optima of
both kinds. One optimum at any bid at which i wins tells V_i.

Let V_q be the most that an allocation is worth in which q >= 1 slots of provider j trade, without their costs. At a
cost c, j trades in every optimum if c < max_q (V_q - W) / q and in none if c is above. From c = 0 on, an optimum in
which q of its slots trade tells (V_q - W) / q, the next cost to try, until the optimum there is W (Dinkelbach 1967).
All costs are integers, so that a threshold between two of them is the upper one.

Where optima are not proven in time, bounds on welfare give bounds on the threshold: all is in exact integers.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from auction.errors import InputError
from auction.market import Market
from auction.outcome import Outcome
from auction.search import Stop

Solve = Callable[[Market], Outcome]
ATTEMPTS = 40  # bids, each twice the one before; costs of Dinkelbach's method


@dataclass(frozen=True)
class Threshold:
    """An amount between ``least`` and ``most``, micro-tokens; None where nothing is proven, or ``never`` one does."""

    least: int | None = None
    most: int | None = None
    never: bool = False

    @property
    def exact(self) -> bool:
        return self.least is not None and self.least == self.most


def winning_bid(
    market: Market, outcome: Outcome, task: int, first: int, solve: Solve, stop: Stop, least: int | None = None
) -> Threshold:
    """W - V_i of a task that does not win: with a bid above ``most`` it wins in every optimum, below ``least`` in none.

    Args:
        market: the market.
        outcome: the best allocation of it, and its bound.
        task: the task.
        first: a bid to begin with, micro-tokens; doubled until the task wins.
        solve: an outcome of a market that differs in this task's value.
        stop: when to be content with what is proven.
        least: what is known already not to be above the threshold.
    """
    if outcome.bound is None:
        return Threshold()
    if outcome.proven_optimal:
        least = max(least or 0, int(market.net_bid[task]))
    bid = max(1, first)
    for _ in range(ATTEMPTS):
        value = market.value.copy()
        try:
            value[task] = bid + int(market.extra_cost[task])
            found = solve(replace(market, value=value))
        except (InputError, OverflowError):  # no market holds a bid so high
            break
        if found.bound is not None:  # V_i + bid <= found.bound
            proven = outcome.welfare - found.bound + bid
            least = proven if least is None else max(least, proven)
        if task in found.allocation.task:  # V_i + bid >= found.welfare
            return Threshold(least, outcome.bound - found.welfare + bid)
        if stop.now:
            break
        bid *= 2
    return Threshold(least)


def trading_cost(market: Market, outcome: Outcome, provider: int, solve: Solve, stop: Stop) -> Threshold:
    """max_q (V_q - W) / q of an idle provider: it trades in every optimum below ``least``, in none above ``most``.

    With ``most`` 0 or less it would not trade for nothing. Arguments as for ``winning_bid``.
    """
    if outcome.bound is None:
        return Threshold()
    least = None
    most = int(market.cost[provider]) if outcome.proven_optimal else None
    cost = 0
    for _ in range(ATTEMPTS):
        costs = market.cost.copy()
        costs[provider] = cost
        found = solve(replace(market, cost=costs))
        if found.bound is not None:  # V_q - q cost <= found.bound for every q
            proven = cost + found.bound - outcome.welfare
            most = proven if most is None else min(most, proven)
        used = int(np.count_nonzero(found.allocation.provider == provider))
        gain = found.welfare - outcome.bound  # at least V_q - W - q cost of this q
        if not used or gain <= 0:
            break
        least = cost - (-gain // used)
        if least == most or used == 1 or stop.now:
            break
        cost = least
    return Threshold(least, most)
