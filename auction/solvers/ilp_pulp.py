"""The exact model as an integer programme in PuLP, written as the formula reads; solved by HiGHS."""

import highspy
import numpy as np
import pulp

from auction.formulation import candidates
from auction.market import READINGS, Allocation, Market, Reading
from auction.search import Found, Stop, claimed_bound
from auction.warm_start import best_heuristic
from auction.welfare import welfare

__all__ = ["READINGS", "solve"]


def solve(market: Market, reading: Reading, stop: Stop, seed: int, *, warm_start: bool = False) -> Found:
    """max sum_i b_i y_i - sum_ij c_j A_ij subject to covering, slots, A_ij <= y_i; A and y binary.

    Coefficients are cut to min(s_jk, C_ik) and useless pairs left out (``auction.formulation``). Amounts stay integer
    micro-tokens and both gap tolerances are 0.

    Args:
        warm_start: start from the best heuristic allocation.
    """
    start = best_heuristic(market, reading, stop) if warm_start else Allocation.empty()
    kept = candidates(market, reading)
    if not kept.tasks.size:
        return Found(Allocation.empty(), 0, "optimal")
    problem, y, A = _formulate(market, reading)

    solver = pulp.HiGHS(msg=False, gapRel=0.0, gapAbs=0.0, timeLimit=stop.remaining(), random_seed=seed, threads=2)
    solver.createAndConfigureSolver(problem)
    solver.buildSolverModel(problem)
    highs = problem.solverModel
    highs.HandleUserInterrupt = True
    stop.on_interrupt(highs.cancelSolve)
    if start.task.size:
        ones = [A[pair].index for pair in zip(start.task.tolist(), start.provider.tolist(), strict=True)]
        ones += [y[i].index for i in np.unique(start.task).tolist()]
        columns = np.arange(highs.getNumCol(), dtype=np.int32)
        values = np.zeros(columns.size)
        values[ones] = 1.0
        highs.setSolution(columns.size, columns, values)
    solver.callSolver(problem)

    info, solution = highs.getInfo(), highs.getSolution()
    allocation = start
    if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
        value = np.array(solution.col_value)
        chosen = [pair for pair, variable in A.items() if value[variable.index] > 0.5]
        allocation = max(Allocation.of(*np.array(chosen).reshape(-1, 2).T), start, key=lambda a: welfare(market, a))
    achieved = welfare(market, allocation)
    if highs.getModelStatus() == highspy.HighsModelStatus.kOptimal:
        return Found(allocation, achieved, "optimal")
    return Found(allocation, claimed_bound(market, achieved, -info.mip_dual_bound), "time limit")


def _formulate(market: Market, reading: Reading) -> tuple[pulp.LpProblem, dict, dict]:
    kept = candidates(market, reading)
    pairs = list(zip(kept.task.tolist(), kept.provider.tolist(), strict=True))
    useful = dict(zip(pairs, kept.useful.tolist(), strict=True))
    providers_of, tasks_of = {}, {}
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
