"""Uniform tasks and providers with several slots each: supply is four times demand."""

from dataclasses import replace

import numpy as np

from auction.instances import uniform
from auction.instances._draws import slots_for_supply
from auction.market import Market


def generate(tasks: int, providers: int, types: int, rng: np.random.Generator, *, supply: float = 4.0) -> Market:
    """``uniform`` with slots drawn so that total supply is ``supply`` times total demand.

    Args:
        supply: requests on offer over requests demanded, all types together.
    """
    market = uniform.generate(tasks, providers, types, rng)
    return replace(market, slots=slots_for_supply(rng, market.demand, market.resource, supply))
