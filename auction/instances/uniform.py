"""Everything uniform and independent: the family most results are stated on."""

import numpy as np

from auction.instances._draws import plain_market, priced, scaled_demand, uniform_rows
from auction.market import Market


def generate(tasks: int, providers: int, types: int, rng: np.random.Generator) -> Market:
    """s uniform on 0..11; C = round(u * integers 0..11), u uniform on 0.2..3 a task; no empty rows.

    A slot costs units * uniform 0.5..1.5 tokens, a task is worth units * uniform 0.8..3 tokens + 2; one slot a
    provider; unit_work uniform 0.05..0.3, alpha 2, beta 1; ability uniform 0..1.
    """
    resource = uniform_rows(rng, providers, types, 11)
    demand = scaled_demand(rng, tasks, types)
    return plain_market(rng, demand, priced(rng, demand, 0.8, 3.0, fixed=2.0), resource)
