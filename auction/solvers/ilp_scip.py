"""The exact model in OR-Tools MathOpt, solved by SCIP."""

import datetime
import math

import numpy as np
from ortools.math_opt.python import mathopt
from ortools.math_opt.solvers.gscip import gscip_pb2

from auction.allocation import Allocation
from auction.market import READINGS, Market, Reading
from auction.search import Found, Stop, claimed_bound
from auction.solvers._formulation import candidates
from auction.solvers._warm_start import best_heuristic
from auction.welfare import welfare

__all__ = ["READINGS", "solve"]


def solve(market: Market, reading: Reading, stop: Stop, seed: int, *, warm_start: bool = False) -> Found:
    """The integer programme of ``ilp_pulp`` with both gap tolerances 0.

    Args:
        warm_start: start from the best heuristic allocation.
    """
    start = best_heuristic(market, reading, stop) if warm_start else Allocation.empty()
    kept = candidates(market, reading)
    if not kept.tasks.size:
        return Found(Allocation.empty(), 0, "optimal")
    model = mathopt.Model(name="allocation")
    y = {i: model.add_binary_variable() for i in kept.tasks.tolist()}
    A = [model.add_binary_variable() for _ in range(kept.task.size)]

    by_task = np.split(np.arange(kept.task.size), np.flatnonzero(np.diff(kept.task)) + 1)
    for pairs in by_task:
        i = int(kept.task[pairs[0]])
        for k in range(market.types):
            supply = mathopt.fast_sum(int(kept.useful[p, k]) * A[p] for p in pairs)
            model.add_linear_constraint(supply >= int(market.demand[i, k]) * y[i])
        for p in pairs:
            model.add_linear_constraint(A[p] <= y[i])
        if reading == "whole":
            model.add_linear_constraint(mathopt.fast_sum(A[p] for p in pairs) <= 1)
    order = np.argsort(kept.provider, kind="stable")
    for pairs in np.split(order, np.flatnonzero(np.diff(kept.provider[order])) + 1):
        slots = int(market.slots[kept.provider[pairs[0]]])
        model.add_linear_constraint(mathopt.fast_sum(A[p] for p in pairs) <= slots)
    model.maximize(
        mathopt.fast_sum(int(market.net_bid[i]) * y[i] for i in y)
        - mathopt.fast_sum(int(c) * a for c, a in zip(market.cost[kept.provider], A, strict=True))
    )

    hints = []
    if start.task.size:
        hinted = set(zip(start.task.tolist(), start.provider.tolist(), strict=True))
        pairs_kept = zip(kept.task.tolist(), kept.provider.tolist(), strict=True)
        values = {a: float(pair in hinted) for a, pair in zip(A, pairs_kept, strict=True)}
        winners = set(start.task.tolist())
        hints = [mathopt.SolutionHint(variable_values=values | {y[i]: float(i in winners) for i in y})]
    own = gscip_pb2.GScipParameters(silence_output=True)
    own.bool_params["misc/catchctrlc"] = True  # MathOpt's interrupter fails on SCIP in OR-Tools 9.15
    if stop.interrupted:  # before SCIP caught it
        return Found(start, claimed_bound(market, welfare(market, start), math.inf), "interrupted")
    remaining = stop.remaining()
    result = mathopt.solve(
        model,
        mathopt.SolverType.GSCIP,
        params=mathopt.SolveParameters(
            time_limit=None if remaining is None else datetime.timedelta(seconds=remaining),
            absolute_gap_tolerance=0.0,
            relative_gap_tolerance=0.0,
            random_seed=seed,
            gscip=own,
        ),
        model_params=mathopt.ModelSolveParameters(solution_hints=hints),
    )

    allocation = start
    if result.has_primal_feasible_solution():
        taken = np.array(result.variable_values(A)) > 0.5
        allocation = max(Allocation.of(kept.task[taken], kept.provider[taken]), start, key=lambda a: welfare(market, a))
    achieved = welfare(market, allocation)
    if result.termination.reason == mathopt.TerminationReason.OPTIMAL:
        return Found(allocation, achieved, "optimal")
    interrupted = result.termination.limit == mathopt.Limit.INTERRUPTED
    status = "interrupted" if interrupted else "time limit"
    return Found(allocation, claimed_bound(market, achieved, result.dual_bound()), status)
