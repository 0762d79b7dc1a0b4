"""Prices that support an integral allocation as nearly as prices of slot vectors can."""

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from auction.market import MICRO, Allocation, Int, Market
from auction.welfare import winners

SPREAD = 1.0  # prices may move by this share of what they were


def supporting(market: Market, allocation: Allocation, vector_of: Int, price: Int) -> Int:
    """(V,) prices p >= 0 at which the trades of an allocation leave the least regret in sum, micro-tokens.

    min sum_i max(0, sum_j A_ij p_v(j) - b_i) + sum_ij A_ij max(0, c_j - p_v(j)): at 0 every trade is accepted by both
    sides. A dual optimum does that for a fractional allocation; after rounding its marginal trades fail by a little.

    Args:
        market: the market.
        allocation: feasible.
        vector_of: (n,) the slot vector of each provider.
        price: (V,) where to look: within SPREAD of it, relative.
    """
    task, provider = allocation.task, allocation.provider
    won, pairs = winners(allocation), task.size
    users = sparse.coo_array(
        (np.ones(pairs), (np.searchsorted(won, task), vector_of[provider])), (won.size, price.size)
    )
    sellers = sparse.coo_array((-np.ones(pairs), (np.arange(pairs), vector_of[provider])), (pairs, price.size))
    constraints = sparse.hstack((sparse.vstack((users, sellers)), -sparse.eye_array(won.size + pairs)), format="csc")
    limits = np.concatenate((market.net_bid[won], -market.cost[provider])) / MICRO
    slack = np.zeros(won.size + pairs)
    low = np.concatenate((price * (1 - SPREAD) / MICRO, slack))
    high = np.concatenate((price * (1 + SPREAD) / MICRO, slack + np.inf))
    value = np.concatenate((np.zeros(price.size), slack + 1))
    solved = linprog(value, A_ub=constraints, b_ub=limits, bounds=np.column_stack((low, high)), method="highs")
    return price if solved.x is None else np.rint(solved.x[: price.size] * MICRO).astype(np.int64)
