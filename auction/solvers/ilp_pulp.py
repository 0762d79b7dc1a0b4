"""The exact model as an integer programme in PuLP, written as the formula reads; solved by HiGHS."""

import math
from typing import Literal

import highspy
import numpy as np
import pulp

from auction.allocation import Allocation
from auction.market import READINGS, Market, Reading
from auction.search import Found, Stop, claimed_bound
from auction.solvers._formulation import Candidates, candidates
from auction.solvers._warm_start import best_heuristic
from auction.welfare import welfare

__all__ = ["READINGS", "solve"]


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

    Coefficients are cut to min(s_jk, C_ik) and useless pairs left out (``_formulation``). Amounts stay integer
    micro-tokens and both gap tolerances are 0.

    Args:
        warm_start: start from the best heuristic allocation.
        backend: ``cbc`` reports no bound through PuLP: cut short, its bound is the trivial one. It runs in a process
            that PuLP does not let go of: interrupted, it goes on to its time limit.
    """
    start = best_heuristic(market, reading, stop) if warm_start else Allocation.empty()
    kept = candidates(market, reading)
    if not kept.tasks.size:
        return Found(Allocation.empty(), 0, "optimal")
    problem, y, A = _formulate(market, reading, kept)
    if start.task.size:
        for variable in problem.variables():
            variable.setInitialValue(0)
        for i, j in zip(start.task.tolist(), start.provider.tolist(), strict=True):
            y[i].setInitialValue(1)
            A[i, j].setInitialValue(1)

    run = {"highs": _highs, "cbc": _cbc}[backend]
    proven, bound = run(problem, stop, seed, bool(start.task.size))
    found = [pair for pair, variable in A.items() if (variable.value() or 0) > 0.5]
    allocation = Allocation.of(*np.array(found, dtype=np.int64).reshape(-1, 2).T)
    if not proven:
        allocation = max(allocation, start, key=lambda a: welfare(market, a))
    achieved = welfare(market, allocation)
    if proven:
        return Found(allocation, achieved, "optimal")
    return Found(allocation, claimed_bound(market, achieved, bound), "time limit")


def _highs(problem: pulp.LpProblem, stop: Stop, seed: int, warm: bool) -> tuple[bool, float]:
    """Solve, leaving the best values in the variables; whether it is proven optimal, and the bound."""
    solver = pulp.HiGHS(msg=False, gapRel=0.0, gapAbs=0.0, timeLimit=stop.remaining(), random_seed=seed, threads=2)
    solver.createAndConfigureSolver(problem)
    solver.buildSolverModel(problem)
    highs = problem.solverModel
    highs.HandleUserInterrupt = True
    stop.on_interrupt(highs.cancelSolve)
    if warm:
        values = np.array([variable.value() for variable in problem.variables()], dtype=float)
        highs.setSolution(values.size, np.arange(values.size, dtype=np.int32), values)
    solver.callSolver(problem)
    info = highs.getInfo()
    feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    values = np.array(highs.getSolution().col_value) if feasible else np.zeros(highs.getNumCol())
    for variable, value in zip(problem.variables(), values.tolist(), strict=True):
        variable.varValue = value
    return highs.getModelStatus() == highspy.HighsModelStatus.kOptimal, -info.mip_dual_bound


def _cbc(problem: pulp.LpProblem, stop: Stop, seed: int, warm: bool) -> tuple[bool, float]:
    """As ``_highs``; ``status`` says optimal for a run cut short, ``sol_status`` tells the two apart."""
    options = [f"randomSeed {seed}", f"randomCbcSeed {seed}"]
    problem.solve(pulp.PULP_CBC_CMD(msg=False, gapRel=0.0, timeLimit=stop.remaining(), warmStart=warm, options=options))
    if problem.sol_status not in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible):
        for variable in problem.variables():  # of a run cut short before it found anything
            variable.varValue = 0
    return problem.sol_status == pulp.LpSolutionOptimal, math.inf


def _formulate(
    market: Market, reading: Reading, kept: Candidates
) -> tuple[pulp.LpProblem, dict[int, pulp.LpVariable], dict[tuple[int, int], pulp.LpVariable]]:
    pairs = list(zip(kept.task.tolist(), kept.provider.tolist(), strict=True))
    useful = dict(zip(pairs, kept.useful.tolist(), strict=True))
    providers_of: dict[int, list[int]] = {}
    tasks_of: dict[int, list[int]] = {}
    for i, j in pairs:
        providers_of.setdefault(i, []).append(j)
        tasks_of.setdefault(j, []).append(i)
    b, c, w, C = market.net_bid.tolist(), market.cost.tolist(), market.slots.tolist(), market.demand.tolist()

    problem = pulp.LpProblem("allocation", pulp.LpMaximize)
    y = {i: pulp.LpVariable(f"y_{i}", cat="Binary") for i in providers_of}
    A = {(i, j): pulp.LpVariable(f"A_{i}_{j}", cat="Binary") for i, j in pairs}

    problem += pulp.lpSum(b[i] * y[i] for i in y) - pulp.lpSum(c[j] * A[i, j] for i, j in A)
    for i in y:
        for k in range(market.types):
            problem += pulp.lpSum(useful[i, j][k] * A[i, j] for j in providers_of[i]) >= C[i][k] * y[i]
    for j in tasks_of:
        problem += pulp.lpSum(A[i, j] for i in tasks_of[j]) <= w[j]
    for i, j in A:
        problem += A[i, j] <= y[i]
    if reading == "whole":
        for i in y:
            problem += pulp.lpSum(A[i, j] for j in providers_of[i]) <= 1
    return problem, y, A
