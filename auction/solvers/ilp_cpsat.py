"""The exact model in OR-Tools CP-SAT, tuned: full linearisation, hints, cut coefficients."""

import math
from functools import partial

import numpy as np
from ortools.sat.python import cp_model

from auction.market import READINGS, Market, Reading
from auction.search import Found, Stop
from auction.solvers import _programme
from auction.solvers._programme import INTERRUPTED, OPTIMAL, TIME_LIMIT, Answer, Arithmetic, Mask, Programme, Watch

__all__ = ["READINGS", "solve"]

# All integer, and nothing hidden; but objectives pass through doubles: from totals of 2^56 on it errs by some units.
ARITHMETIC = Arithmetic(amounts=2**50, requests=2**15)


def solve(market: Market, reading: Reading, stop: Stop, seed: int, *, warm_start: bool = False) -> Found:
    """The integer programme of ``ilp_pulp`` as pseudo-Boolean constraints, all integer.

    A_ij <= y_i are implications, slots of one are at-most-one constraints, and the proving worker linearises
    everything: with the default portfolio on two workers the bound does not move. The same seed gives the same welfare;
    which of equal optima is returned may vary, since two workers race.

    Args:
        warm_start: hint the best heuristic allocation.

    Raises:
        InputError: more pairs of tasks and providers than an integer programme takes.
    """
    return _programme.solve(market, reading, stop, warm_start, partial(optimum, seed=seed), ARITHMETIC)


def optimum(programme: Programme, stop: Stop, start: Mask | None, watch: Watch, seed: int) -> Answer:
    """The programme solved by CP-SAT; cut short, its best solution and bound."""
    model = cp_model.CpModel()
    y = [model.new_bool_var("") for _ in range(programme.bid.size)]
    A = [model.new_bool_var("") for _ in range(programme.task.size)]
    for i, pairs in enumerate(np.split(np.arange(len(A)), np.flatnonzero(np.diff(programme.task)) + 1)):
        chosen = [A[p] for p in pairs.tolist()]
        for useful, demand in zip(programme.useful[pairs].T.tolist(), programme.demand[i].tolist(), strict=True):
            model.add(cp_model.LinearExpr.weighted_sum(chosen, useful) >= demand * y[i])
        for a in chosen:
            model.add_implication(a, y[i])
        if programme.whole:
            model.add_at_most_one(chosen)
    order = np.argsort(programme.provider, kind="stable")
    for pairs in np.split(order, np.flatnonzero(np.diff(programme.provider[order])) + 1):
        slots, serving = int(programme.slots[programme.provider[pairs[0]]]), [A[p] for p in pairs.tolist()]
        if slots == 1:
            model.add_at_most_one(serving)
        elif slots < len(serving):
            model.add(cp_model.LinearExpr.sum(serving) <= slots)
    for i, others in programme.cuts:
        model.add_bool_or([*(A[p] for p in others.tolist()), ~y[i]])
    model.maximize(
        cp_model.LinearExpr.weighted_sum(y, programme.bid.tolist())
        - cp_model.LinearExpr.weighted_sum(A, programme.cost.tolist())
    )
    if start is not None:
        winners = np.isin(np.arange(len(y)), programme.task[start])
        for variable, value in zip(y + A, np.concatenate((winners, start)).tolist(), strict=True):
            model.add_hint(variable, value)

    solver = cp_model.CpSolver()
    parameters = solver.parameters
    parameters.num_workers = 2  # one proves, one improves by large neighbourhood search
    parameters.subsolvers.append("max_lp")  # default_lp leaves A_ij <= y_i and covering out of its relaxation
    parameters.random_seed = seed
    parameters.linearization_level = 2
    parameters.relative_gap_limit = 0.0
    parameters.presolve_inclusion_work_limit = 0  # wraps at 2^31 in OR-Tools 9.15 (google/or-tools 5293)
    parameters.catch_sigint_signal = False
    if (remaining := stop.remaining()) is not None:
        parameters.max_time_in_seconds = remaining
    stop.on_interrupt(solver.stop_search)
    taken = np.zeros(len(A), dtype=bool)
    if stop.now:  # before there was a search to stop
        return Answer(taken, math.inf, INTERRUPTED if stop.interrupted else TIME_LIMIT)
    solver.best_bound_callback = lambda bound: watch.bound(math.nextafter(bound, math.inf))
    status = solver.solve(model, _Incumbents(A, watch))

    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        taken = np.array([solver.boolean_value(a) for a in A])
    if status == cp_model.OPTIMAL:
        return Answer(taken, programme.worth(taken), OPTIMAL)
    bound = solver.best_objective_bound if status == cp_model.FEASIBLE else math.inf  # 0 where it knows nothing yet
    if status in (cp_model.FEASIBLE, cp_model.UNKNOWN):
        return Answer(taken, math.nextafter(bound, math.inf), INTERRUPTED if stop.interrupted else TIME_LIMIT)
    return Answer(taken, math.inf, f"CP-SAT: {solver.status_name(status)}")


class _Incumbents(cp_model.CpSolverSolutionCallback):
    def __init__(self, A: list[cp_model.IntVar], watch: Watch) -> None:
        super().__init__()
        self._A, self._watch = A, watch

    def on_solution_callback(self) -> None:
        self._watch.incumbent(np.array([self.boolean_value(a) for a in self._A], dtype=bool))
