"""Value and cost follow size closely: little tells a good task from a bad one (the hard knapsacks of Pisinger)."""

from dataclasses import replace

import numpy as np

from auction.instances import uniform
from auction.instances._draws import fraction, priced
from auction.market import Market


def generate(tasks: int, providers: int, types: int, rng: np.random.Generator, *, spread: float = 0.05) -> Market:
    """``uniform`` with cost units * 1.0 (1 +- spread) and value units * 2.0 (1 +- spread) + 2 tokens.

    Args:
        spread: half-width of both uniform factors, 0..1.
    """
    fraction("spread", spread)
    market = uniform.generate(tasks, providers, types, rng)
    return replace(
        market,
        cost=priced(rng, market.resource, 1.0 - spread, 1.0 + spread),
        value=priced(rng, market.demand, 2.0 * (1.0 - spread), 2.0 * (1.0 + spread), fixed=2.0),
    )
