"""Social welfare, utilities and the printed objective of an allocation and its prices (section 4)."""

import numpy as np

from auction.allocation import Allocation
from auction.market import MICRO, Int, Market


def winners(allocation: Allocation) -> Int:
    """The tasks that occur, ascending. Pairs are sorted by task: a comparison of neighbours tells them apart."""
    return allocation.task[np.diff(allocation.task, prepend=-1) > 0]


def welfare(market: Market, allocation: Allocation) -> int:
    """sum_i b_i y_i - sum_ij c_j A_ij in micro-tokens, y_i = 1 for every task that occurs in the allocation."""
    return int(market.net_bid[winners(allocation)].sum() - market.cost[allocation.provider].sum())


def user_utility(market: Market, allocation: Allocation, payment: Int) -> Int:
    """(m,) v_i - (trade price_i + e_i) where the task wins, 0 elsewhere (section 4), micro-tokens."""
    utility = np.zeros(market.tasks, dtype=np.int64)
    won = winners(allocation)
    utility[won] = market.net_bid[won] - payment[won]
    return utility


def provider_utility(market: Market, allocation: Allocation, receipt: Int) -> Int:
    """(n,) trade price_j - sum_i A_ij c_j (section 4, corrected: the print leaves c_j out), micro-tokens."""
    return receipt - market.cost * np.bincount(allocation.provider, minlength=market.providers)


def printed_provider_utility(market: Market, allocation: Allocation, receipt: Int) -> Int:
    """(n,) trade price_j - sum_i A_ij as printed in section 4, each task served counting as a token, micro-tokens."""
    return receipt - MICRO * np.bincount(allocation.provider, minlength=market.providers)


def printed_objective(market: Market, allocation: Allocation, payment: Int, receipt: Int) -> int:
    """sum_i utility_i^u - sum_j utility_j^p as printed in section 4, micro-tokens.

    Not welfare: with payments equal to receipts it is sum_i b_i y_i - 2 sum_i payment_i + what was served, so that the
    same allocation scores better the less providers are paid.
    """
    users = user_utility(market, allocation, payment).sum()
    return int(users - printed_provider_utility(market, allocation, receipt).sum())
