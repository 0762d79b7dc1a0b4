"""The exact model in OR-Tools CP-SAT, tuned: full linearisation, hints, cut coefficients."""

import math

import numpy as np
from ortools.sat.python import cp_model

from auction.allocation import Allocation
from auction.market import READINGS, Market, Reading
from auction.search import Found, Stop, claimed_bound
from auction.solvers._formulation import candidates
from auction.solvers._warm_start import best_heuristic
from auction.welfare import welfare

__all__ = ["READINGS", "solve"]


def solve(market: Market, reading: Reading, stop: Stop, seed: int, *, warm_start: bool = False) -> Found:
    """The integer programme of ``ilp_pulp`` as pseudo-Boolean constraints, all integer.

    A_ij <= y_i are implications, slots of one are at-most-one constraints, and the proving worker linearises
    everything: with the default portfolio on two workers the bound does not move. The same seed gives the same welfare;
    which of equal optima is returned may vary, since two workers race.

    Args:
        warm_start: hint the best heuristic allocation.
    """
    start = best_heuristic(market, reading, stop) if warm_start else Allocation.empty()
    kept = candidates(market, reading)
    if not kept.tasks.size:
        return Found(Allocation.empty(), 0, "optimal")
    model = cp_model.CpModel()
    y = {i: model.new_bool_var("") for i in kept.tasks.tolist()}
    A = [model.new_bool_var("") for _ in range(kept.task.size)]

    by_task = np.split(np.arange(kept.task.size), np.flatnonzero(np.diff(kept.task)) + 1)
    for pairs in by_task:
        i = int(kept.task[pairs[0]])
        chosen = [A[p] for p in pairs]
        for k in range(market.types):
            supply = cp_model.LinearExpr.weighted_sum(chosen, kept.useful[pairs, k].tolist())
            model.add(supply >= int(market.demand[i, k]) * y[i])
        for a in chosen:
            model.add_implication(a, y[i])
        if reading == "whole":
            model.add_at_most_one(chosen)
    order = np.argsort(kept.provider, kind="stable")
    for pairs in np.split(order, np.flatnonzero(np.diff(kept.provider[order])) + 1):
        slots, serving = int(market.slots[kept.provider[pairs[0]]]), [A[p] for p in pairs]
        if slots == 1:
            model.add_at_most_one(serving)
        elif slots < len(serving):
            model.add(cp_model.LinearExpr.sum(serving) <= slots)
    model.maximize(
        cp_model.LinearExpr.weighted_sum(list(y.values()), market.net_bid[kept.tasks].tolist())
        - cp_model.LinearExpr.weighted_sum(A, market.cost[kept.provider].tolist())
    )
    if start.task.size:
        hinted = set(zip(start.task.tolist(), start.provider.tolist(), strict=True))
        for variable, pair in zip(A, zip(kept.task.tolist(), kept.provider.tolist(), strict=True), strict=True):
            model.add_hint(variable, pair in hinted)
        winners = set(start.task.tolist())
        for i, variable in y.items():
            model.add_hint(variable, i in winners)

    solver = cp_model.CpSolver()
    parameters = solver.parameters
    parameters.num_workers = 2  # one proves, one improves by large neighbourhood search
    parameters.subsolvers.append("max_lp")  # default_lp leaves A_ij <= y_i and covering out of its relaxation
    parameters.random_seed = seed
    parameters.linearization_level = 2
    parameters.relative_gap_limit = 0.0
    parameters.catch_sigint_signal = False
    if (remaining := stop.remaining()) is not None:
        parameters.max_time_in_seconds = remaining
    stop.on_interrupt(solver.stop_search)
    if stop.interrupted:  # before there was a search to stop
        return Found(start, claimed_bound(market, welfare(market, start), math.inf), "interrupted")
    status = solver.solve(model)

    allocation = start
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        taken = np.array([solver.boolean_value(a) for a in A])
        allocation = max(Allocation.of(kept.task[taken], kept.provider[taken]), start, key=lambda a: welfare(market, a))
    achieved = welfare(market, allocation)
    if status == cp_model.OPTIMAL:
        return Found(allocation, achieved, "optimal")
    bound = solver.best_objective_bound if status == cp_model.FEASIBLE else math.inf  # 0 where it knows nothing yet
    return Found(allocation, claimed_bound(market, achieved, bound), "time limit")
