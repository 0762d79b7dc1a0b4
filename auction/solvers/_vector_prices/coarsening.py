"""A lattice of demands too large for the covering programme, made coarse; bounds on it stay valid.

In units of u_k requests of type k, demands and slots rounded up: slots that cover C have sum_j s_jk >= C_k, so
sum_j ceil(s_jk / u_k) >= ceil(C_k / u_k), and they cover the rounded demand too. Every cover stays one and none gets
dearer: f of the rounded market is at most f, and what its prices prove holds.
"""

import numpy as np

from auction.market import Int, Market
from auction.solvers._vectors import distinct_rows

POINTS = 4_000_000  # points of the lattice at most
WORK = 400_000_000  # points x distinct slot vectors at most (and steps between rows): about a second a list of prices
SHRINK = 0.9  # what is left of the longest axis after a step


def units(market: Market) -> Int:
    """(K,) requests that count as one along each type; 1 leaves it as it is, 0 leaves the type out.

    The longest axis shrinks by a tenth until points and work fit. With very many types even two points an axis are too
    many: then types are left out, those least asked for first.
    """
    top = market.demand.max(axis=0, initial=0)
    unit = np.ones(market.types, dtype=np.int64)
    scarcest = np.argsort(market.demand.sum(axis=0, dtype=float), kind="stable")
    while not _fits(market, top, unit):
        length = in_units(top, unit)
        k = int(np.argmax(length))
        if length[k] > 1:
            unit[k] = -(-top[k] // max(1, int(length[k] * SHRINK)))
        else:
            unit[scarcest[np.argmax(length[scarcest] > 0)]] = 0
    return unit


def in_units(rows: Int, unit: Int) -> Int:
    """Requests (..., K) in units, rounded up."""
    return np.where(unit > 0, -(-rows // np.maximum(unit, 1)), 0)


def _fits(market: Market, top: Int, unit: Int) -> bool:
    shape = in_units(top, unit) + 1.0
    points = float(np.prod(shape))
    if points > POINTS:
        return False
    work = points + points / shape[-1] * market.types
    if work * min(market.providers, points) <= WORK:
        return True
    distinct, _ = distinct_rows(in_units(np.minimum(market.resource, top), unit))
    return work * len(distinct) <= WORK
