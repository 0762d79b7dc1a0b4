"""Bid densities and the sorted lists as printed (section 4.2, lines 3 and 4)."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from scipy import stats

from auction import mechanisms
from auction.density import FLOOR, provider_density, task_density
from auction.market import Float, Int, Market
from auction.prices import ask_per_unit, slot_units
from auction.printed.defect import Defect, share
from auction.search import Stop
from auction.solvers import bid_density
from auction.solvers._warm_start import best_heuristic
from auction.welfare import welfare


def normalised(column: Int) -> Float:
    """x' of one column (line 3): the bid density of a task that has this value and demands no type."""
    return task_density(np.empty((column.size, 0), dtype=np.int64), np.ascontiguousarray(column))


def latency(market: Market) -> Float:
    """s read as a latency: rounds a request takes, 1 / s; one that cannot be run takes twice the slowest."""
    slow = np.where(market.resource > 0, 1.0 / np.maximum(market.resource, 1), 0.0)
    return np.where(market.resource > 0, slow, 2.0 * slow.max(axis=0, initial=0.0))


def correlation(x: Int | Float, y: Int | Float) -> float:
    """Spearman's rank correlation; NaN where one side is constant."""
    if x.size < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return np.nan
    return float(stats.spearmanr(x, y).statistic)


def demand_in_front(market: Market) -> tuple[float, float]:
    """Rank correlation of the place in front with the requests asked for: bd_task, and v_i / sum_k C_ik."""
    asked = market.demand.sum(axis=1)
    return correlation(task_density(market.demand, market.value), asked), correlation(market.value / asked, asked)


def units_in_front(
    market: Market, *, slots: Callable[[Market], Int | Float], floor: float = FLOOR
) -> tuple[float, float]:
    """Rank correlation of the place in front with the units of a slot: bd_provider, and c_j / S_j ascending."""
    units = slot_units(market)
    front = provider_density(slots(market), market.ability, floor)
    able = units > 0
    return correlation(front, units), correlation(-ask_per_unit(market)[able], units[able])


def provider_order(market: Market) -> tuple[float, float]:
    """Welfare over the best heuristic's, providers by bd_provider and by c_j / S_j ascending."""
    stop = Stop(None)
    best = welfare(market, best_heuristic(market, "bundle", stop))
    printed = bid_density.solve(market, "bundle", stop, 0)
    corrected = bid_density.solve(market, "bundle", stop, 0, provider_order="ratio")
    return share(welfare(market, printed.allocation), best), share(welfare(market, corrected.allocation), best)


def infinite(market: Market) -> tuple[float, float]:
    """Providers whose density is infinite or undefined: columns mapped onto [0, 1], and into [0.01, 0.99]."""
    at_zero = (market.resource == market.resource.min(axis=0)).any(axis=1)  # 0 / 0 in a constant column
    return float(at_zero.mean()), float((~np.isfinite(provider_density(market.resource, market.ability))).mean())


def random_outcome(market: Market) -> tuple[float, float]:
    """Whether two seeds differ in who pays what: the auction, and ``private``, which draws a price."""

    def differ(mechanism: str) -> float:
        one, other = (mechanisms.run(market, mechanism, seed=seed) for seed in (0, 1))
        return float(not np.array_equal(one.payment, other.payment))

    return differ("whitepaper"), differ("private")


def order_of_the_others(market: Market) -> tuple[float, float]:
    """Pairs of other tasks whose order changes when the task of the largest v asks a hundredfold: bd, and v / sum C."""
    value = market.value.copy()
    shill = int(np.argmax(value))
    value[shill] *= 100
    asked = market.demand.sum(axis=1)

    def changed(before: Float, after: Float) -> float:
        before, after = np.delete(before, shill), np.delete(after, shill)
        first, second = np.triu_indices(before.size, 1)
        orders = np.sign(before[first] - before[second]) != np.sign(after[first] - after[second])
        return float(orders.mean()) if orders.size else np.nan

    return (
        changed(task_density(market.demand, market.value), task_density(market.demand, value)),
        changed(market.value / asked, value / asked),
    )


def relabelled(market: Market, seed: int) -> Market:
    """The same tasks and providers under other indices, as an unstable sort may list equal ones."""
    rng = np.random.default_rng(seed)
    i, j = rng.permutation(market.tasks), rng.permutation(market.providers)
    by_task = {name: getattr(market, name)[i] for name in ("demand", "value")}
    by_provider = {name: getattr(market, name)[j] for name in ("resource", "slots", "cost", "ability")}
    return replace(market, **by_task, **by_provider, arrival=None, names=None)


def ties(market: Market) -> tuple[float, float]:
    """Range of welfare over ten listings of the market, as a share of its mean; and of one listing, ties by index."""

    def spread(listings: list[Market]) -> float:
        found = [welfare(one, bid_density.solve(one, "bundle", Stop(None), 0).allocation) for one in listings]
        return share(np.ptp(found), float(np.mean(found)))

    return spread([relabelled(market, seed) for seed in range(10)]), spread([market, market])


DEFECTS = (
    Defect(
        4,
        "4.2, bd_task",
        "bd_task = √(Σ C² + v²)",
        "rises with demand: a norm, not a density; who asks for more stands further in front",
        {"rank correlation of the place in front with requests asked for": demand_in_front},
    ),
    Defect(
        5,
        "4.2, bd_provider",
        "bd_provider = √(Σ 1/s² + Σ Ψ^j)",
        "rewards small s and leaves out the cost; the exponent j is a slip",
        {
            "rank correlation of the place in front with units of a slot": partial(
                units_in_front, slots=lambda market: market.resource
            ),
            "the same, floor 0.0001": partial(units_in_front, slots=lambda market: market.resource, floor=0.0001),
            "the same, floor 0.3": partial(units_in_front, slots=lambda market: market.resource, floor=0.3),
            "the same, s as a latency": partial(units_in_front, slots=latency),
        },
    ),
    Defect(
        6,
        "4.2, line 4",
        "providers sorted by non-increasing density",
        "dear providers may stand first; the earlier work sorts ascending by cost density",
        {"welfare over the best heuristic's": provider_order},
    ),
    Defect(
        11,
        "4.2, line 3",
        "1/s², s normalised into (0, 1)",
        "min-max maps onto the closed [0, 1]: the least s of every column becomes 0, a constant column 0/0",
        {"providers whose density is infinite or undefined": infinite},
    ),
    Defect(
        12,
        "3",
        "differential privacy-based",
        "nothing printed is random",
        {"markets in which two seeds differ": random_outcome},
    ),
    Defect(
        26,
        "4.2, line 3",
        "v normalised to be in the range (0, 1)",
        "by the least and the largest bid: one bidder that asks a hundredfold flattens the others and reorders them",
        {"pairs of other tasks whose order changes": order_of_the_others},
    ),
    Defect(
        31,
        "4.2, line 4",
        "sorted in non-increasing order",
        "equal densities are left in any order, and the cost is not in them; no family here has ties that matter",
        {"range of welfare over ten listings of one market, over its mean": ties},
    ),
)
