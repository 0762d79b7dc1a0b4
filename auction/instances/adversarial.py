"""Markets on which a density greedy is provably bad: its share of the optimum falls as 1 / min(m, n)."""

from typing import Literal

import numpy as np

from auction.instances._draws import micro
from auction.market import Market


def generate(
    tasks: int,
    providers: int,
    types: int,
    rng: np.random.Generator,
    *,
    against: Literal["norm", "ratio"] = "norm",
) -> Market:
    """One task blocks all the others, and the greedy serves it first.

    ``norm``, against the whitepaper's density (a norm, which rises with demand): providers offer one request a slot
    at 1 token; task 0 demands a request of type 0 from every provider and is worth 3 tokens more than they cost; the
    others demand one request and are worth nearly as much each. Task 0 has the largest demand and the largest value,
    so bd_0 is largest: it takes every slot for a welfare of 2 tokens, while min(m - 1, n) tasks could be served
    instead, each for a welfare of about n tokens.

    ``ratio``, against value or net bid per unit of demand: one provider has a slot of n requests, the others none that
    helps; task 0 demands one request and is worth 3 n + 1 tokens, the others demand n requests and are worth n times a
    little less than that.

    Values are shaved by up to 1 % at random so that seeds differ; types beyond the first are not demanded.

    Args:
        against: which greedy.
    """
    shave = 0.99 + 0.01 * rng.random(tasks)  # below 1
    demand = np.zeros((tasks, types), dtype=np.int64)
    resource = np.zeros((providers, types), dtype=np.int64)
    if against == "norm":
        demand[:, 0] = 1
        demand[:1, 0] = max(1, providers)
        resource[:, 0] = 1
        cost = np.ones(providers)
        value = (providers + 3.0) * shave
        value[:1] = providers + 3.0
    else:
        demand[:, 0] = max(1, providers)
        demand[:1, 0] = 1
        resource[:, 0] = 0
        resource[:1, 0] = max(1, providers)
        cost = np.ones(providers)
        value = 3.0 * max(1, providers) ** 2 * shave + 1.0  # + 1: what e_i takes
        value[:1] = 3.0 * max(1, providers) + 1.0
    return Market(
        demand=demand,
        value=micro(value),
        unit_work=np.zeros(types),  # no work: e_i = beta for everyone
        alpha=2,
        beta=1,
        resource=resource,
        slots=np.ones(providers, dtype=np.int64),
        cost=micro(cost),
        ability=np.full((providers, types), 0.5),
    )
