"""The exact model in OR-Tools MathOpt, solved by SCIP."""

import datetime
import signal
from contextlib import suppress
from functools import partial

import numpy as np
from ortools.math_opt.python import mathopt
from ortools.math_opt.solvers.gscip import gscip_pb2

from auction.market import READINGS, Market, Reading
from auction.search import Found, Stop
from auction.solvers import _programme
from auction.solvers._programme import INTERRUPTED, OPTIMAL, TIME_LIMIT, Answer, Arithmetic, Mask, Programme, Watch

__all__ = ["READINGS", "solve"]

# SCIP takes numbers for equal that differ by EPSILON of their size: with its own 10^-9 it misjudges near-ties from
# totals of 2^37 on and gives bounds 4 units too low at 2^33; with 10^-12 nothing was seen below 2^43.
EPSILON = 1e-12
COLUMNS, BOUNDS, PRINTED = 18, slice(14, 16), 1e-6  # of its table; how far what it prints can be off, relative
ARITHMETIC = Arithmetic(amounts=2**36, requests=2**15, per_column=1e-7, relative=2.0**-38)


def solve(market: Market, reading: Reading, stop: Stop, seed: int, *, warm_start: bool = False) -> Found:
    """The integer programme of ``ilp_pulp`` with both gap tolerances 0.

    Args:
        warm_start: start from the best heuristic allocation.

    Raises:
        InputError: more pairs of tasks and providers than an integer programme takes.
    """
    return _programme.solve(market, reading, stop, warm_start, partial(optimum, seed=seed), ARITHMETIC)


def optimum(programme: Programme, stop: Stop, start: Mask | None, watch: Watch, seed: int) -> Answer:
    """The programme solved by SCIP; cut short, its best solution and bound."""
    model = mathopt.Model(name="allocation")
    y = [model.add_binary_variable() for _ in range(programme.bid.size)]
    A = [model.add_binary_variable() for _ in range(programme.task.size)]
    for i, pairs in enumerate(np.split(np.arange(len(A)), np.flatnonzero(np.diff(programme.task)) + 1)):
        for useful, demand in zip(programme.useful[pairs].T.tolist(), programme.demand[i].tolist(), strict=True):
            supply = mathopt.fast_sum(s * A[p] for s, p in zip(useful, pairs.tolist(), strict=True))
            model.add_linear_constraint(supply >= demand * y[i])
        for p in pairs.tolist():
            model.add_linear_constraint(A[p] <= y[i])
        if programme.whole:
            model.add_linear_constraint(mathopt.fast_sum(A[p] for p in pairs.tolist()) <= 1)
    order = np.argsort(programme.provider, kind="stable")
    for pairs in np.split(order, np.flatnonzero(np.diff(programme.provider[order])) + 1):
        slots = int(programme.slots[programme.provider[pairs[0]]])
        model.add_linear_constraint(mathopt.fast_sum(A[p] for p in pairs.tolist()) <= slots)
    for i, others in programme.cuts:
        model.add_linear_constraint(mathopt.fast_sum(A[p] for p in others.tolist()) >= y[i])
    model.maximize(
        mathopt.fast_sum(b * one for b, one in zip(programme.bid.tolist(), y, strict=True))
        - mathopt.fast_sum(c * one for c, one in zip(programme.cost.tolist(), A, strict=True))
    )

    hints = []
    if start is not None:
        winners = np.isin(np.arange(len(y)), programme.task[start])
        values = np.concatenate((winners, start)).astype(float).tolist()
        hints = [mathopt.SolutionHint(variable_values=dict(zip(y + A, values, strict=True)))]
    own = gscip_pb2.GScipParameters()
    own.bool_params["misc/catchctrlc"] = True  # MathOpt's interrupter fails on SCIP in OR-Tools 9.15: a signal does not
    stop.on_interrupt(partial(signal.raise_signal, signal.SIGINT))
    own.real_params["numerics/epsilon"] = EPSILON
    if stop.now:  # before SCIP caught it
        return Answer(np.zeros(len(A), dtype=bool), float("inf"), INTERRUPTED if stop.interrupted else TIME_LIMIT)
    remaining = stop.remaining()
    result = mathopt.solve(
        model,
        mathopt.SolverType.GSCIP,
        msg_cb=partial(_tell, watch),
        params=mathopt.SolveParameters(
            time_limit=None if remaining is None else datetime.timedelta(seconds=remaining),
            absolute_gap_tolerance=0.0,
            relative_gap_tolerance=0.0,
            random_seed=seed,
            gscip=own,
        ),
        model_params=mathopt.ModelSolveParameters(solution_hints=hints),
    )
    taken = np.zeros(len(A), dtype=bool)
    if result.has_primal_feasible_solution():
        taken = np.array(result.variable_values(A)) > 0.5
    endings = {mathopt.Limit.TIME: TIME_LIMIT, mathopt.Limit.INTERRUPTED: INTERRUPTED}
    said = f"SCIP: {result.termination.reason.value} {result.termination.detail}".strip()
    optimal = result.termination.reason == mathopt.TerminationReason.OPTIMAL
    ending = OPTIMAL if optimal else endings.get(result.termination.limit, said)
    return Answer(taken, result.dual_bound(), ending)


def _tell(watch: Watch, lines: list[str]) -> None:
    """What the table that SCIP prints says, seven digits, rounded; MathOpt hands out no solutions on the way."""
    for line in lines:
        if len(columns := line.split("|")) == COLUMNS:
            with suppress(ValueError):  # the head of the table, or no solution yet
                bound, worth = map(float, columns[BOUNDS])
                watch.bound(bound + PRINTED * abs(bound))
                watch.worth(worth - PRINTED * abs(worth))
