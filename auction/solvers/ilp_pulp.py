"""The exact model as an integer programme in PuLP, written as the formula reads; solved by HiGHS."""

import math
from functools import partial
from typing import Literal

import highspy
import numpy as np
import pulp

from auction.market import READINGS, Market, Reading
from auction.search import Found, Stop
from auction.solvers import _programme
from auction.solvers._programme import INTERRUPTED, OPTIMAL, TIME_LIMIT, Answer, Arithmetic, Mask, Programme, Watch

__all__ = ["READINGS", "solve"]

# Both hold integer points to rows within 10^-6 and reduced costs to their sign within 10^-7; sums are off by some
# hundred roundings of their terms at most. PuLP writes 13 digits for CBC, which once cut an optimum off behind
# coefficients of 2^15 that differed by one; none of those it was given at 2^8.
HIGHS = Arithmetic(amounts=2**40, requests=2**15, per_column=1e-7, relative=2.0**-44)
CBC = HIGHS._replace(requests=2**6)


def solve(
    market: Market,
    reading: Reading,
    stop: Stop,
    seed: int,
    *,
    warm_start: bool = False,
    backend: Literal["highs", "cbc"] = "highs",
) -> Found:
    """max sum_i b_i y_i - sum_ij c_j A_ij subject to covering, slots, A_ij <= y_i; A and y binary.

    Coefficients are cut to min(s_jk, C_ik) and useless pairs left out (``_formulation``); both gap tolerances are 0,
    and what is proven is proven in integers (``_programme``).

    Args:
        warm_start: start from the best heuristic allocation.
        backend: ``cbc`` reports no bound through PuLP: cut short, its bound is the trivial one.

    Raises:
        InputError: more pairs of tasks and providers than an integer programme takes.
    """
    optimum, arithmetic = {"highs": (highs_optimum, HIGHS), "cbc": (cbc_optimum, CBC)}[backend]
    return _programme.solve(market, reading, stop, warm_start, partial(optimum, seed=seed), arithmetic)


def highs_optimum(programme: Programme, stop: Stop, start: Mask | None, watch: Watch, seed: int) -> Answer:
    """The programme solved by HiGHS; cut short, its best solution and bound."""
    problem, A = _formulate(programme, start)
    solver = pulp.HiGHS(msg=False, gapRel=0.0, gapAbs=0.0, timeLimit=stop.remaining(), random_seed=seed, threads=2)
    solver.createAndConfigureSolver(problem)
    solver.buildSolverModel(problem)
    highs = problem.solverModel
    highs.HandleUserInterrupt = True
    stop.on_interrupt(highs.cancelSolve)
    pairs = [variable.index for variable in A.values()]
    highs.cbMipInterrupt += lambda event: watch.bound(-event.data_out.mip_dual_bound)
    highs.cbMipImprovingSolution += lambda event: watch.incumbent(np.array(event.data_out.mip_solution)[pairs] > 0.5)
    if start is not None:
        values = np.array([variable.value() for variable in problem.variables()], dtype=float)
        highs.setSolution(values.size, np.arange(values.size, dtype=np.int32), values)
    solver.callSolver(problem)

    info, said = highs.getInfo(), highs.getModelStatus()
    feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    values = np.array(highs.getSolution().col_value) if feasible else np.zeros(highs.getNumCol())
    taken = values[pairs] > 0.5
    endings = {
        highspy.HighsModelStatus.kOptimal: OPTIMAL,
        highspy.HighsModelStatus.kTimeLimit: TIME_LIMIT,
        highspy.HighsModelStatus.kInterrupt: INTERRUPTED,
    }
    return Answer(taken, -info.mip_dual_bound, endings.get(said, f"HiGHS: {highs.modelStatusToString(said)}"))


def cbc_optimum(programme: Programme, stop: Stop, start: Mask | None, watch: Watch, seed: int) -> Answer:
    """As ``highs_optimum``, but nothing is told on the way.

    ``status`` says optimal for a run cut short, ``sol_status`` tells the two apart.
    """
    problem, A = _formulate(programme, start)
    options = [f"randomSeed {seed}", f"randomCbcSeed {seed}"]
    warm = start is not None
    problem.solve(pulp.PULP_CBC_CMD(msg=False, gapRel=0.0, timeLimit=stop.remaining(), warmStart=warm, options=options))
    found = problem.sol_status in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible)
    taken = np.array([found and variable.value() > 0.5 for variable in A.values()])
    if problem.sol_status == pulp.LpSolutionOptimal:
        return Answer(taken, programme.worth(taken), OPTIMAL)
    stopped = problem.status in (pulp.LpStatusOptimal, pulp.LpStatusNotSolved) and stop.remaining() is not None
    return Answer(taken, math.inf, TIME_LIMIT if stopped else f"CBC: {pulp.LpStatus[problem.status]}")


def _formulate(
    programme: Programme, start: Mask | None
) -> tuple[pulp.LpProblem, dict[tuple[int, int], pulp.LpVariable]]:
    pairs = list(zip(programme.task.tolist(), programme.provider.tolist(), strict=True))
    useful = dict(zip(pairs, programme.useful.tolist(), strict=True))
    providers_of: dict[int, list[int]] = {}
    tasks_of: dict[int, list[int]] = {}
    for i, j in pairs:
        providers_of.setdefault(i, []).append(j)
        tasks_of.setdefault(j, []).append(i)
    b, w, C = programme.bid.tolist(), programme.slots.tolist(), programme.demand.tolist()
    c = dict(zip(pairs, programme.cost.tolist(), strict=True))

    problem = pulp.LpProblem("allocation", pulp.LpMaximize)
    y = {i: pulp.LpVariable(f"y_{i}", cat="Binary") for i in providers_of}
    A = {(i, j): pulp.LpVariable(f"A_{i}_{j}", cat="Binary") for i, j in pairs}

    problem += pulp.lpSum(b[i] * y[i] for i in y) - pulp.lpSum(c[i, j] * A[i, j] for i, j in A)
    for i in y:
        for k in range(len(C[i])):
            problem += pulp.lpSum(useful[i, j][k] * A[i, j] for j in providers_of[i]) >= C[i][k] * y[i]
    for j in tasks_of:
        problem += pulp.lpSum(A[i, j] for i in tasks_of[j]) <= w[j]
    for i, j in A:
        problem += A[i, j] <= y[i]
    if programme.whole:
        for i in y:
            problem += pulp.lpSum(A[i, j] for j in providers_of[i]) <= 1
    for i, others in programme.cuts:
        problem += pulp.lpSum(A[pairs[p]] for p in others.tolist()) >= y[i]
    if start is not None:
        winners = set(programme.task[start].tolist())
        for i in y:
            y[i].setInitialValue(int(i in winners))
        for pair, taken in zip(pairs, start.tolist(), strict=True):
            A[pair].setInitialValue(int(taken))
    return problem, A
