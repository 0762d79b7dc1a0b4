"""Chance that who audits a wrong result comes to the same root, and so confirms it.

Comparison is exact, so only a verifier that is wrong in the same way misses: a friend in league, or a stranger who
cheats alike. Whoever runs the same cheaper model has the same root without having agreed on anything.
"""

from collections.abc import Mapping, Sequence

from experiments.marketplace.simulation.fleet import Plan
from experiments.marketplace.simulation.recorded import FEWER_LAYERS, OLDER_WEIGHTS, VARIANTS
from verification.market.leases import ENOUGH

CHEAPER = (OLDER_WEIGHTS, FEWER_LAYERS)
"""Ways whose traces do not depend on who makes them."""


def alike(plan: Plan, way: str, listed: Sequence[Sequence[str]], fleets: Mapping[str, Sequence[Plan]]) -> float:
    """q = sum w_o m_o / sum w_o over the owners on the list of an audit's first lot.

    w_o is an owner's weight, its deposit, and m_o the mean over its devices of the chance to come to that root. With
    fewer owners on the list than are ``ENOUGH`` the coordinator audits, and is right: 0.

    Args:
        plan: of the device that gave the result, wrong in ``way``.
        listed: (owner, weight), see ``verification.market.auditors.listing``.
        fleets: by owner.
    """
    if len(listed) < ENOUGH:
        return 0.0
    weights = {owner: int(weight) for owner, weight in listed}
    total = 0.0
    for owner, weight in weights.items():
        chances = [_chance(plan, way, other) for other in fleets[owner]]
        total += weight * sum(chances) / len(chances)
    return total / sum(weights.values())


def _chance(plan: Plan, way: str, other: Plan) -> float:
    """That another device comes to the root of a wrong one."""
    strategy = other.strategy
    if strategy.league and other.coalition == plan.coalition:
        return 1.0
    if way not in strategy.ways:
        return 0.0
    return strategy.wrong / len(strategy.ways) / (1 if way in CHEAPER else VARIANTS)
