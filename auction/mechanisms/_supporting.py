"""Prices that support an integral allocation as nearly as prices of slot vectors can."""

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from auction.allocation import Allocation
from auction.market import MICRO, Int, Market
from auction.search import Stop
from auction.solvers._exact import SAFE
from auction.welfare import winners

PASSES = 2  # the second weighs a trade's loss by the surplus at stake over the loss that the first left it
NEARNESS = 1e-6  # tokens of loss that a token of distance weighs: losses first, distance between prices that lose alike
EDGE = 0.01  # tokens: a loss that counts as none


def fit_prices(market: Market, allocation: Allocation, vector_of: Int, price: Int, stop: Stop) -> Int:
    """(V,) of the prices at which an allocation's trades leave the least loss in sum, those nearest to ``price``.

    min sum_i u_i (max(0, sum_j A_ij p_v(j) - b_i) + sum_j A_ij max(0, c_j - p_v(j))) + NEARNESS sum_ij A_ij d_v(j) over
    p >= 0, d_v being |p_v - price_v|: where the losses are 0 every trade is accepted by both sides. A dual optimum does
    that for a fractional allocation; after rounding its marginal trades fail by a little. Without a distance prices
    could fall to costs, at which everybody who lost would want to trade. Weights u_i are 1, then what is lost with the
    trade over its loss (reweighting, Candes, Wakin and Boyd 2008): few trades fail rather than many by a little.

    Args:
        market: the market.
        allocation: feasible.
        vector_of: (n,) the slot vector of each provider.
        price: (V,) of a dual optimum, micro-tokens. Vectors that do not trade keep it.
        stop: once it is time, prices stay as they are.
    """
    task, provider = allocation.task, allocation.provider
    won, pairs, vectors = winners(allocation), task.size, price.size
    row, vector = np.searchsorted(won, task), vector_of[provider]
    users = sparse.coo_array((np.ones(pairs), (row, vector)), (won.size, vectors))
    sellers = sparse.coo_array((-np.ones(pairs), (np.arange(pairs), vector)), (pairs, vectors))
    each = sparse.eye_array(vectors)
    losses, none = -sparse.eye_array(won.size + pairs), None
    constraints = sparse.block_array(
        [[sparse.vstack((users, sellers)), losses, none], [each, none, -each], [-each, none, -each]], format="csc"
    )
    limits = np.concatenate((market.net_bid[won], -market.cost[provider], price, -price)) / MICRO
    traded = np.bincount(vector, minlength=vectors)
    spent = np.zeros(won.size)
    np.add.at(spent, row, market.cost[provider] / MICRO)
    surplus = market.net_bid[won] / MICRO - spent
    at_stake = np.concatenate((surplus, surplus[row]))
    weight = np.ones(won.size + pairs)
    for _ in range(PASSES):
        value = np.concatenate((np.zeros(vectors), weight, NEARNESS * np.maximum(traded, 1)))
        options = {} if (remaining := stop.remaining()) is None else {"time_limit": remaining}
        solved = linprog(value, A_ub=constraints, b_ub=limits, method="highs", options=options)
        if solved.status != 0 or stop.now:
            return price
        loss = solved.x[vectors : vectors + weight.size]
        weight = at_stake / (loss + EDGE)
        weight /= weight.mean()
    # Down, so that a bundle at its bid does not pass it; the solver's own error is below a fifth of a micro-token.
    return np.floor(np.minimum(solved.x[:vectors] * MICRO + 0.2, SAFE)).astype(np.int64)
