"""Families of markets, one file each, and ``generate``, which draws from any of them.

A family is a module with a function::

    generate(tasks, providers, types, rng, *, option=default, ...) -> Market

whose keyword-only parameters are its documented options. Adding one means adding one file; its tests run by themselves.
Another distribution adds one by an entry point of the group ``distribute_lab.families`` that names such a module.
"""

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from auction import registry
from auction.arrays import integer
from auction.market import Market

LARGEST = 2**56  # numbers of a side, which no memory holds: numpy calls arrays of more bytes than addresses a bad value
ENTRY_POINTS, REQUIRED = "distribute_lab.families", ("generate",)


def names() -> list[str]:
    """Every family there is."""
    return registry.names(sys.modules[__name__])


def load(name: str) -> Any:
    """A family's module.

    Raises:
        InputError: no family of that name, or one of another distribution that does not work.
    """
    return registry.load(sys.modules[__name__], name, "family")


def generate(
    family: str,
    tasks: int,
    providers: int,
    types: int = 3,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
) -> Market:
    """Draw a market; the same arguments give the same market.

    Raises:
        InputError: an unknown family or option, a value outside what the family documents, a size below 0.
        MemoryError: more tasks or providers than memory holds.
    """
    module = load(family)
    tasks, providers, seed = integer("tasks", tasks, 0), integer("providers", providers, 0), integer("seed", seed, 0)
    types = integer("types", types, 1)
    if max(tasks, providers, 1) * types > LARGEST:
        raise MemoryError
    complete = registry.parse_options(module.generate, options or {}, family)
    market: Market = module.generate(tasks, providers, types, np.random.default_rng(seed), **complete)
    return market
