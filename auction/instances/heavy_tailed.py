"""A few tasks and providers hold most of the demand, the value and the supply."""

import numpy as np

from auction.instances._draws import at_least, micro, no_empty_rows, plain_market, positive
from auction.market import Int, Market


def generate(
    tasks: int,
    providers: int,
    types: int,
    rng: np.random.Generator,
    *,
    tail: float = 1.2,
    largest: int = 200,
) -> Market:
    """Demands and slots are Pareto, unit values log-normal; otherwise as ``uniform``.

    A row is round(p * integers 0..3), p = 1 + Pareto(tail), each entry cut at ``largest``; no empty rows. A task is
    worth units * 1.5 * lognormal(0, 0.75) tokens + 2; a slot costs units * uniform 0.5..1.5 tokens.

    Args:
        tail: exponent of the Pareto distribution; below 2 its variance is infinite.
        largest: the most requests of one type in a task or a slot, at least 3.
    """
    positive("tail", tail)
    at_least(3, largest=largest)

    def draw(count: int) -> Int:
        scale = np.minimum(1.0 + rng.pareto(tail, (count, 1)), largest)
        return np.minimum(np.rint(scale * rng.integers(0, 4, (count, types))), largest).astype(np.int64)

    resource = no_empty_rows(draw, providers)
    demand = no_empty_rows(draw, tasks)
    value = micro(demand.sum(axis=1) * 1.5 * rng.lognormal(0.0, 0.75, tasks) + 2.0)
    return plain_market(rng, demand, value, resource)
