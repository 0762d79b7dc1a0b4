"""Quasi-Newton descent on the dual of slot vectors: with many vectors and demands it is nearly smooth."""

import numpy as np
from scipy.optimize import minimize

from auction.market import Float
from auction.search import Stop
from auction.solvers.column_generation.vector_dual import Grouped, Priced, priced

EVALUATIONS = 500
MEMORY = 20  # of L-BFGS-B: pairs of steps and slopes it builds its curvature from
STALL = 1e-5  # relative: a fall of the dual in PATIENCE evaluations that is not worth going on for
PATIENCE = 15


class _EnoughError(Exception):
    pass


def descended(grid: Grouped, start: Priced, stop: Stop) -> list[Priced]:
    """The dual at the prices that L-BFGS-B (Byrd, Lu, Nocedal and Zhu 1995) tries from ``start``, in order.

    A subgradient is slots offered less slots asked. Each kink of the dual is one task or one provider among thousands,
    so that curvature built from subgradients means something; where they are few it stalls, and so it ends.
    """
    scale = max(1, grid.dearest) / 100
    seen: list[Priced] = [start]
    least = [start.value]

    def dual(scaled: Float) -> tuple[float, Float]:
        at = priced(grid, np.rint(scaled * scale).astype(np.int64))
        seen.append(at)
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
