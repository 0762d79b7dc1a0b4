"""Social welfare of an allocation (section 4, corrected: the print's objective is a difference of utilities)."""

import numpy as np

from auction.market import Allocation, Market


def welfare(market: Market, allocation: Allocation) -> int:
    """sum_i b_i y_i - sum_ij c_j A_ij in micro-tokens, y_i = 1 for every task that occurs in the allocation."""
    task = allocation.task
    winners = task[np.diff(task, prepend=-1) > 0]  # sorted by task: a comparison of neighbours tells them apart
    return int(market.net_bid[winners].sum() - market.cost[allocation.provider].sum())
