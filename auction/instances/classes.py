"""Few distinct providers, small demands: the family of the largest markets."""

import numpy as np

from auction.instances._draws import at_least, priced, uniform_rows
from auction.market import Market


def generate(
    tasks: int,
    providers: int,
    types: int,
    rng: np.random.Generator,
    *,
    classes: int = 100,
    largest: int = 6,
) -> Market:
    """Every provider is one of ``classes`` kinds, drawn uniformly: same slot, cost and ability.

    s and C uniform on 0..largest, no empty rows; cost, value and the rest as in ``uniform``.

    Args:
        classes: how many kinds of provider there are, at least 1.
        largest: the most requests of one type in a task or a slot, at least 1.
    """
    at_least(1, classes=classes, largest=largest)
    kinds = uniform_rows(rng, classes, types, largest)
    cost = priced(rng, kinds, 0.5, 1.5)
    ability = rng.random((classes, types))
    kind = rng.integers(0, classes, providers)
    demand = uniform_rows(rng, tasks, types, largest)
    return Market(
        demand=demand,
        value=priced(rng, demand, 0.8, 3.0, fixed=2.0),
        unit_work=rng.uniform(0.05, 0.3, types),
        alpha=2,
        beta=1,
        resource=kinds[kind],
        slots=np.ones(providers, dtype=np.int64),
        cost=cost[kind],
        ability=ability[kind],
    )
