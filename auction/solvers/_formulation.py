"""What every integer programme here is built from: the pairs (task, provider) that an optimum can use."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from auction.errors import InputError
from auction.market import Int, Market, Reading

PAIR_LIMIT = 20_000_000  # beyond this no integer programme here would even be built in memory


@dataclass(frozen=True)
class Candidates:
    """The variables that are left of A and y once useless ones are gone; coefficients are cut to the demand."""

    tasks: Int  # (t,) those that some slots cover and whose net bid is positive
    task: Int  # (p,) of each pair, sorted
    provider: Int  # (p,)
    useful: Int  # (p, K) min(s_jk, C_ik): cutting it there strengthens the relaxation and loses no solution


def refuse_too_many_pairs(market: Market) -> None:
    """Stop here what could not even be built in memory.

    Raises:
        InputError: more than PAIR_LIMIT pairs of tasks and providers.
    """
    if market.tasks * market.providers > PAIR_LIMIT:
        raise InputError(
            f"market: {market.tasks} tasks x {market.providers} providers is beyond {PAIR_LIMIT} pairs, "
            "the most an integer programme here takes"
        )


def candidates(market: Market, reading: Reading) -> Candidates:
    """Pairs with a slot on offer, s_j useful to C_i (covering it under ``whole``) and c_j <= b_i.

    A pair outside can be dropped from any allocation without losing welfare. Tasks that all their pairs together do
    not cover are dropped with their pairs.

    Raises:
        InputError: see ``refuse_too_many_pairs``.
    """
    refuse_too_many_pairs(market)
    demand, resource = market.demand, market.resource
    bid = market.net_bid.reshape(-1, 1)
    possible = (market.slots > 0) & (market.cost <= bid) & (bid > 0)
    if reading == "whole":
        for k in range(market.types):
            possible &= resource[:, k] >= demand[:, k, None]
    task, provider = np.nonzero(possible)
    useful = np.minimum(resource[provider], demand[task])

    supply = np.zeros_like(demand)
    np.add.at(supply, task, useful)
    coverable: NDArray[np.bool_] = np.all(supply >= demand, axis=1)
    kept = np.logical_and(coverable[task], useful.any(axis=1))
    task = task[kept]
    return Candidates(np.unique(task), task, provider[kept], useful[kept])
