"""Bid densities (section 4.2), the keys by which the whitepaper's auction sorts tasks and providers."""

import numpy as np
from numba import njit

from auction.market import Float, Int

FLOOR = 0.01  # the print asks for the open range (0, 1); see design: [0.01, 0.99]


def task_density(demand: Int, value: Int, floor: float = FLOOR) -> Float:
    """Bid density of a task (section 4.2): bd_i = sqrt(sum_k C'_ik^2 + v'_i^2).

    Primes are columns normalised affinely into [floor, 1 - floor] (line 3 of PRICES), a constant column becoming 0.5;
    densities are rounded to 9 decimals, so that ties do not depend on the last bit.

    Args:
        demand: (m, K) requests.
        value: (m,) micro-tokens.
        floor: lower end of the normalised range.
    """
    return _rounded_root(_squares(demand, floor, False) + _squares(value.reshape(-1, 1), floor, False))


def provider_density(resource: Int | Float, ability: Float, floor: float = FLOOR) -> Float:
    """Bid density of a provider (section 4.2): bd_j = sqrt(sum_k 1 / s'_jk^2 + sum_k Psi'_jk^2).

    The printed exponent j of Psi is read as 2, a norm like the rest. Normalised and rounded as in ``task_density``.

    Args:
        resource: (n, K) requests a slot completes.
        ability: (n, K) in [0, 1].
        floor: lower end of the normalised range; 1 / floor^2 is the most one type can add.
    """
    return _rounded_root(_squares(resource, floor, True) + _squares(ability, floor, False))


def descending(density: Float) -> Int:
    """Indices by non-increasing density, ties by index (line 4 of PRICES)."""
    return np.argsort(-density, kind="stable")


def _rounded_root(total: Float) -> Float:
    return np.rint(np.sqrt(total) * 1e9) / 1e9


@njit(
    [f"f8[::1](Array({kind}, 2, 'C', readonly=True), f8, b1)" for kind in ("i8", "f8")],
    cache=True,
    nogil=True,
)
def _squares(array, floor, inverted):
    """Sum over a row of x'^2, or of 1 / x'^2, x' being its columns normalised into [floor, 1 - floor]."""
    rows = array.shape[0]
    total = np.zeros(rows)
    for k in range(array.shape[1] if rows else 0):
        low, high = array[0, k], array[0, k]
        for i in range(rows):
            low, high = min(low, array[i, k]), max(high, array[i, k])
        span = high - low
        for i in range(rows):
            x = floor + (1.0 - 2.0 * floor) * (array[i, k] - low) / span if span > 0 else 0.5
            total[i] += 1.0 / (x * x) if inverted else x * x
    return total
