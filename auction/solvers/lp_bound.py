"""The linear relaxation: a bound on the optimum and no allocation."""

import highspy
import numpy as np
from scipy import sparse

from auction.allocation import Allocation
from auction.market import READINGS, Float, Int, Market, Reading
from auction.search import Found, Stop, trivial_bound
from auction.solvers._formulation import Candidates, candidates

__all__ = ["READINGS", "solve"]


def solve(market: Market, reading: Reading, stop: Stop, seed: int) -> Found:
    """The relaxation 0 <= A_ij <= y_i <= 1 by HiGHS, its bound re-derived in int64 from rounded dual prices.

    Whatever prices pi_j >= 0 of a slot and u_ik >= 0 of a request are put in, weak duality gives the upper bound

        sum_j w_j pi_j + sum_i max(0, b_i - sum_k u_ik C_ik + sum_j max(0, sum_k u_ik min(s_jk, C_ik) - c_j - pi_j)),

    so rounding the duals to integers costs a few micro-tokens and no safety, and a solve cut short still bounds.
    Under ``whole`` the bound is sum_j w_j pi_j + sum_i max(0, b_i - min_j (c_j + pi_j)), which is tight.
    """
    kept = candidates(market, reading)
    bound = trivial_bound(market)
    if not kept.tasks.size:
        return Found(Allocation.empty(), 0, "bound")
    slot_price, request_price, finished = _duals(market, kept, reading, stop)
    bound = min(bound, _dual_bound(market, kept, reading, slot_price, request_price))
    return Found(Allocation.empty(), bound, "bound" if finished else "time limit")


def _duals(market: Market, kept: Candidates, reading: Reading, stop: Stop) -> tuple[Int, Int, bool]:
    """Prices of slots (n,) and of requests (t, K), rounded to non-negative integers, and whether HiGHS finished."""
    place = np.searchsorted(kept.tasks, kept.task)
    t, p, n, types = kept.tasks.size, kept.task.size, market.providers, market.types
    pair, one = np.arange(p), np.ones(p, dtype=np.int64)
    # Rows: slots, then covering C y - sum min(s, C) A <= 0, then A <= y or, under whole, sum_j A_ij <= y_i.
    rows: list[tuple[Int, Int, Int]] = [(kept.provider, t + pair, one)]
    rows += [(n + np.arange(t) * types + k, np.arange(t), market.demand[kept.tasks, k]) for k in range(types)]
    rows += [(n + place * types + k, t + pair, -kept.useful[:, k]) for k in range(types)]
    link = n + t * types
    if reading == "whole":
        rows += [(link + place, t + pair, one), (link + np.arange(t), np.arange(t), -np.ones(t, dtype=np.int64))]
        height = link + t
    else:
        rows += [(link + pair, t + pair, one), (link + pair, place, -one)]
        height = link + p
    row, column, coefficient = (np.concatenate([part[a] for part in rows]) for a in range(3))
    matrix = sparse.csc_matrix((coefficient.astype(float), (row, column)), shape=(height, t + p))

    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = t + p, height
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_ = np.concatenate((market.net_bid[kept.tasks], -market.cost[kept.provider])).astype(float)
    lp.col_lower_, lp.col_upper_ = np.zeros(t + p), np.ones(t + p)
    lp.row_lower_ = np.full(height, -np.inf)
    lp.row_upper_ = np.concatenate((market.slots.astype(float), np.zeros(height - n)))
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data

    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    if (remaining := stop.remaining()) is not None:
        highs.setOptionValue("time_limit", remaining)
    highs.HandleUserInterrupt = True
    stop.on_interrupt(highs.cancelSolve)
    highs.passModel(lp)
    highs.run()
    dual = np.array(highs.getSolution().row_dual)
    if dual.size != height:
        dual = np.zeros(height)
    prices = _rounded(dual, int(market.net_bid.max()))
    finished = highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return prices[:n], prices[n:link].reshape(t, types), finished


def _rounded(dual: Float, largest: int) -> Int:
    """Non-negative integer prices; none above the largest bid is ever of use, so products stay within int64."""
    return np.rint(np.clip(np.nan_to_num(np.abs(dual)), 0, float(largest))).astype(np.int64)


def _dual_bound(market: Market, kept: Candidates, reading: Reading, slot_price: Int, request_price: Int) -> int:
    place = np.searchsorted(kept.tasks, kept.task)
    bid = market.net_bid[kept.tasks]
    asked = market.cost[kept.provider] + slot_price[kept.provider]
    if reading == "whole":
        cheapest = np.full(kept.tasks.size, np.iinfo(np.int64).max)
        np.minimum.at(cheapest, place, asked)
        surplus = np.maximum(bid - cheapest, 0)
    else:
        profit = np.maximum((kept.useful * request_price[place]).sum(axis=1) - asked, 0)
        covering = np.zeros_like(bid)
        np.add.at(covering, place, profit)
        surplus = np.maximum(bid - (market.demand[kept.tasks] * request_price).sum(axis=1) + covering, 0)
    offered = np.minimum(market.slots, market.tasks)
    return int(surplus.sum()) + sum(int(w) * int(pi) for w, pi in zip(offered, slot_price, strict=True))
