"""Descent on the dual of slot vectors where the master is too large: nearly smooth with many vectors, or not at all."""

import numpy as np
from scipy.optimize import minimize

from auction.market import Float, Int
from auction.search import Stop
from auction.solvers._vector_prices.dual import DualPoint, GroupedMarket, evaluate_dual, report

EVALUATIONS = 500  # of the dual by L-BFGS-B
MEMORY = 20  # of L-BFGS-B: pairs of steps and slopes it builds its curvature from
STALL = 1e-5  # relative: a fall of the dual in PATIENCE evaluations that is not worth going on for
PATIENCE = 15
STEPS = 300  # of the deflected subgradient
DEFLECTION = 0.2  # the weight of the new subgradient in the direction
TARGET, FINEST, LOWER = 3e-3, 1e-4, 0.6  # relative distance to the level aimed at: the first, the last, the factor


class _EnoughError(Exception):
    pass


def descend(grid: GroupedMarket, start: DualPoint, stop: Stop) -> list[DualPoint]:
    """The dual at the prices that are tried from ``start``, in order: quasi-Newton first, subgradients then.

    A subgradient is slots offered less slots asked. Where each kink of the dual is one task or one provider among
    thousands, curvature built from subgradients means something. Where many tasks turn to the same covers at once it
    stalls, and steps towards a level below the best value do better.
    """
    tried = _quasi_newton(grid, start, stop)
    return tried + _subgradient(grid, min(tried, key=lambda one: one.value), stop)


def _quasi_newton(grid: GroupedMarket, start: DualPoint, stop: Stop) -> list[DualPoint]:
    """L-BFGS-B (Byrd, Lu, Nocedal and Zhu 1995)."""
    scale = max(1, grid.dearest) / 100
    seen: list[DualPoint] = [start]
    least = [start.value]

    def dual(scaled: Float) -> tuple[float, Float]:
        at = evaluate_dual(grid, _integers(scaled * scale))
        seen.append(at)
        report(at, stop)
        least.append(min(least[-1], at.value))
        if stop.now or (len(least) > PATIENCE and least[-1 - PATIENCE] - least[-1] <= STALL * least[-1]):
            raise _EnoughError
        return at.value / scale, at.offered - at.asked

    try:
        options = {"maxcor": MEMORY, "maxfun": EVALUATIONS, "maxiter": EVALUATIONS}
        bounds = [(0.0, None)] * len(grid.vectors)
        minimize(dual, start.price / scale, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    except _EnoughError:
        pass
    return seen


def _subgradient(grid: GroupedMarket, start: DualPoint, stop: Stop) -> list[DualPoint]:
    """Deflected subgradients with Polyak's step to a level below the best value (Camerini, Fratta, Maffioli 1975).

    Where PATIENCE steps find nothing better the level comes nearer and the search returns to the best prices.
    """
    best = at = start
    price, distance, since = start.price.astype(float), TARGET, 0
    direction = at.asked - at.offered
    seen: list[DualPoint] = []
    while len(seen) < STEPS and distance >= FINEST and not stop.now:
        length = max(1.0, float(direction @ direction))
        price = np.maximum(price + (at.value - best.value * (1 - distance)) / length * direction, 0.0)
        at = evaluate_dual(grid, _integers(price))
        seen.append(at)
        report(at, stop)
        direction = direction + DEFLECTION * (at.asked - at.offered - direction)
        since += 1
        if at.value < best.value * (1 - STALL / PATIENCE):
            best, since = at, 0
        elif since >= PATIENCE:
            distance, since = distance * LOWER, 0
            at, price = best, best.price.astype(float)
    return seen


def _integers(price: Float) -> Int:
    return np.rint(price).astype(np.int64)
