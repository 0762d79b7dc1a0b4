"""The linear relaxation: a bound on the optimum and no allocation."""

from collections.abc import Iterator

import highspy
import numpy as np
from scipy import sparse

from auction.allocation import Allocation
from auction.market import READINGS, Float, Int, Market, Reading
from auction.search import Found, Stop, trivial_bound
from auction.solvers import _apart
from auction.solvers._formulation import candidates, refuse_too_many_pairs
from auction.solvers._programme import INTERRUPTED, TIME_LIMIT, Arithmetic, Programme, formulate

__all__ = ["READINGS", "solve"]

ARITHMETIC = Arithmetic(amounts=2**40, requests=2**15)


def solve(market: Market, reading: Reading, stop: Stop, seed: int) -> Found:
    """The relaxation 0 <= A_ij <= y_i <= 1 by HiGHS, its bound re-derived in integers from rounded dual prices.

    Whatever prices pi_j >= 0 of a slot and u_ik >= 0 of a request are put in, weak duality gives the upper bound

        sum_j w_j pi_j + sum_i max(0, b_i - sum_k u_ik C_ik + sum_j max(0, sum_k u_ik min(s_jk, C_ik) - c_j - pi_j)),

    so rounding the duals costs a few micro-tokens and no safety, and a solve cut short still bounds. Under ``whole``
    the bound is sum_j w_j pi_j + sum_i max(0, b_i - min_j (c_j + pi_j)), which is tight. Amounts and demands are those
    of ``_programme``, a relaxation where they are large.

    Raises:
        InputError: more pairs of tasks and providers than an integer programme takes.
    """
    refuse_too_many_pairs(market)
    found, ending = _apart.last(_search, stop, market, reading)
    return Found(Allocation.empty(), trivial_bound(market), ending or "") if found is None else found


def _search(stop: Stop, market: Market, reading: Reading) -> Iterator[Found]:
    kept = candidates(market, reading)
    if not kept.tasks.size:
        yield Found(Allocation.empty(), 0, "bound")
        return
    programme = formulate(market, reading, kept, ARITHMETIC)
    slot_price, request_price, ending = _duals(programme, stop)
    bound = programme.unit * dual_bound(programme, slot_price, request_price)
    yield Found(Allocation.empty(), min(bound, trivial_bound(market)), ending)


def _duals(programme: Programme, stop: Stop) -> tuple[Float, Float, str]:
    """Prices of slots (n,) and of requests (t, K), units, and how HiGHS ended."""
    t, p, n, types = programme.bid.size, programme.task.size, programme.slots.size, programme.demand.shape[1]
    pair, one = np.arange(p), np.ones(p, dtype=np.int64)
    # Rows: slots, then covering C y - sum min(s, C) A <= 0, then A <= y or, under whole, sum_j A_ij <= y_i.
    rows: list[tuple[Int, Int, Int]] = [(programme.provider, t + pair, one)]
    rows += [(n + np.arange(t) * types + k, np.arange(t), programme.demand[:, k]) for k in range(types)]
    rows += [(n + programme.task * types + k, t + pair, -programme.useful[:, k]) for k in range(types)]
    link = n + t * types
    if programme.whole:
        rows += [
            (link + programme.task, t + pair, one),
            (link + np.arange(t), np.arange(t), -np.ones(t, dtype=np.int64)),
        ]
        height = link + t
    else:
        rows += [(link + pair, t + pair, one), (link + pair, programme.task, -one)]
        height = link + p
    row, column, coefficient = (np.concatenate([part[a] for part in rows]) for a in range(3))
    matrix = sparse.csc_matrix((coefficient.astype(float), (row, column)), shape=(height, t + p))

    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = t + p, height
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_ = np.concatenate((programme.bid, -programme.cost)).astype(float)
    lp.col_lower_, lp.col_upper_ = np.zeros(t + p), np.ones(t + p)
    lp.row_lower_ = np.full(height, -np.inf)
    lp.row_upper_ = np.concatenate((programme.slots.astype(float), np.zeros(height - n)))
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data

    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 2)  # as ilp_pulp: one process has one pool of them
    if (remaining := stop.remaining()) is not None:
        highs.setOptionValue("time_limit", remaining)
    highs.HandleUserInterrupt = True
    stop.on_interrupt(highs.cancelSolve)
    highs.passModel(lp)
    highs.run()
    said = highs.getModelStatus()
    dual = np.abs(np.array(highs.getSolution().row_dual))
    if dual.size != height:
        dual = np.zeros(height)
    endings = {
        highspy.HighsModelStatus.kOptimal: "bound",
        highspy.HighsModelStatus.kTimeLimit: TIME_LIMIT,
        highspy.HighsModelStatus.kInterrupt: INTERRUPTED,
    }
    ending = endings.get(said, f"HiGHS: {highs.modelStatusToString(said)}")
    return dual[:n], dual[n:link].reshape(t, types), ending


def dual_bound(programme: Programme, slot_price: Float, request_price: Float) -> int:
    """The bound of ``solve``, units, whatever the prices of slots (n,) and requests (t, K).

    Prices are rounded to as small a part of a unit as int64 has room for, or else in Python's integers; none above the
    largest bid is ever of use.
    """
    bid, cost, task, demand = programme.bid, programme.cost, programme.task, programme.demand
    largest = float(bid.max())
    total = (task.size + 1.0) * demand.shape[1] * float(demand.max()) * max(largest, float(cost.max(initial=0))) * 4
    parts, exact = (int(2**62 / total), np.int64) if total < 2**52 else (2**20, object)
    pi = np.rint(np.clip(np.nan_to_num(slot_price), 0, largest) * parts).astype(np.int64).astype(exact)
    u = np.rint(np.clip(np.nan_to_num(request_price), 0, largest) * parts).astype(np.int64).astype(exact)
    bid, asked = bid.astype(exact) * parts, cost.astype(exact) * parts + pi[programme.provider]
    if programme.whole:
        cheapest = np.minimum.reduceat(asked, np.searchsorted(task, np.arange(bid.size)))
        surplus = np.maximum(bid - cheapest, 0)
    else:
        profit = np.maximum((programme.useful * u[task]).sum(axis=1) - asked, 0)
        covering = np.add.reduceat(profit, np.searchsorted(task, np.arange(bid.size)))
        surplus = np.maximum(bid - (demand * u).sum(axis=1) + covering, 0)
    rent = sum(int(w) * int(price) for w, price in zip(programme.slots, pi, strict=True))
    return (int(surplus.sum()) + rent) // parts
