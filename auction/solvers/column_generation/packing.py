"""The best columns of a pool that fit together, by CP-SAT: for pools whose relaxation cuts hardly tighten."""

import math

import numpy as np
from ortools.sat.python import cp_model

from auction.search import Stop
from auction.solvers.column_generation.columns import Pool

AMOUNTS = 2**50  # that profits may total in their common unit: objectives pass through doubles


def pack(pool: Pool, best: Pool, gap: float, stop: Stop) -> tuple[Pool, int | None]:
    """The best found, ``best`` if nothing is better, and what no columns of the pool that fit are worth more than.

    Args:
        pool: columns with rows of cuts, if it has any.
        best: columns that fit together, of the same market.
        gap: stop once (bound - worth) / bound is at most this.

    Returns:
        the columns and the bound; None where profits are too large for doubles, or it was stopped before it knew any.
    """
    gainful = pool.only(np.flatnonzero(pool.profit > 0))
    if not gainful.profit.size:
        return best, 0
    unit = int(np.gcd.reduce(gainful.profit))
    profit = (gainful.profit // unit).tolist()
    if sum(profit) > AMOUNTS or stop.now:
        return best, None
    model = cp_model.CpModel()
    x = [model.new_bool_var("") for _ in profit]
    rows = gainful.A.tocsr()
    for r, limit in enumerate(gainful.limit.tolist()):
        span = slice(rows.indptr[r], rows.indptr[r + 1])
        inside, entries = [x[c] for c in rows.indices[span]], rows.data[span].tolist()
        if limit == 1 and max(entries, default=1) == 1:
            model.add_at_most_one(inside)
        elif sum(entries) > limit:
            model.add(cp_model.LinearExpr.weighted_sum(inside, entries) <= limit)
    model.maximize(cp_model.LinearExpr.weighted_sum(x, profit))
    solver = cp_model.CpSolver()
    parameters = solver.parameters
    parameters.num_workers = 1
    parameters.linearization_level = 2
    parameters.relative_gap_limit = gap
    parameters.presolve_inclusion_work_limit = 0  # wraps at 2^31 in OR-Tools 9.15 (google/or-tools 5293)
    parameters.catch_sigint_signal = False
    if (remaining := stop.remaining()) is not None:
        parameters.max_time_in_seconds = remaining
    stop.on_interrupt(solver.stop_search)
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return best, None
    found = gainful.only(np.flatnonzero([solver.boolean_value(a) for a in x]))
    worth = int(found.profit.sum())
    exact = status == cp_model.OPTIMAL and gap == 0
    bound = worth if exact else unit * math.floor(math.nextafter(solver.best_objective_bound, math.inf))
    return (found if worth > int(best.profit.sum()) else best), max(bound, worth)
