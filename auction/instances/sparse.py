"""Tens of model types, of which a task needs few and a provider keeps few loaded."""

import numpy as np

from auction.instances._draws import at_least, plain_market, priced
from auction.market import Float, Int, Market


def generate(
    tasks: int,
    providers: int,
    types: int,
    rng: np.random.Generator,
    *,
    demanded: int = 3,
    loaded: int = 4,
    largest: int = 11,
    popularity: float = 0.5,
) -> Market:
    """A task demands 1..``demanded`` types, a provider keeps 1..``loaded``, each with 1..``largest`` requests.

    Which types: without replacement, type k with weight 1 / (1 + k)^``popularity`` (Zipf), so that some are crowded.
    Cost, value and the rest as in ``uniform``.

    Args:
        demanded: the most types in a task, at least 1; never more than there are.
        loaded: the most types a provider keeps loaded, at least 1; never more than there are.
        largest: the most requests of one type in a task or a slot, at least 1.
        popularity: exponent of the types' weights; 0 draws them alike.
    """
    at_least(1, demanded=demanded, loaded=loaded, largest=largest)
    log_weight = -popularity * np.log1p(np.arange(types))
    resource = _rows(rng, providers, log_weight, min(loaded, types), largest)
    demand = _rows(rng, tasks, log_weight, min(demanded, types), largest)
    return plain_market(rng, demand, priced(rng, demand, 0.8, 3.0, fixed=2.0), resource)


def _rows(rng: np.random.Generator, rows: int, log_weight: Float, most: int, largest: int) -> Int:
    """(rows, K) 1..most types a row, drawn by weight without replacement (the largest of log w + Gumbel noise)."""
    order = np.argsort(-(log_weight + rng.gumbel(size=(rows, log_weight.size))), axis=1)[:, :most]
    requests = rng.integers(1, largest + 1, (rows, most))
    requests[np.arange(most) >= rng.integers(1, most + 1, (rows, 1))] = 0
    drawn = np.zeros((rows, log_weight.size), dtype=np.int64)
    np.put_along_axis(drawn, order, requests, axis=1)
    return drawn
