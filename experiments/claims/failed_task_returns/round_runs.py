"""Auctions over time: scenes with arrivals, rules of the raise, failures at random and on purpose, sock-puppets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy import stats

from auction import Market
from auction.allocation import Allocation
from auction.data import traces
from auction.density import descending, task_density
from auction.market import Float, Int
from auction.rounds import MISSED, History, Perform, failing_at_random, poisson_arrivals, simulate
from experiments.sweep import Draw

ARRIVALS = ("Poisson", "chat trace")
SECONDS = 30.0  # a round
MISSES = 0.1  # chance that a provider misses its time in a round
Options = Mapping[str, Any]
ORDERS: dict[str, Options] = {
    "whitepaper's order": {},
    "best order": {"backfill": True, "task_order": "ratio", "provider_order": "ratio"},
}


@dataclass(frozen=True)
class Raise:
    """What failing does to v_i, under a name for tables and plots."""

    label: str
    options: Options = field(default_factory=dict)


NONE = Raise("no raise", {"raise_factor": 1.0})
RANKED = Raise("raised by half, ranks", {"raise_factor": 1.5})
PRINTED = Raise("raised by half, charged", {"raise_factor": 1.5, "printed": True})
TENFOLD = Raise("tenfold, ranks", {"raise_factor": 10.0})


@dataclass(frozen=True)
class Scene:
    """A market, how its tasks arrive, and for how many rounds."""

    draw: Draw
    arrivals: str
    rounds: int

    def arrival(self) -> Float:
        """(m,) seconds over all rounds; a stretch of the trace is scaled to that length."""
        tasks, length = self.draw.tasks, self.rounds * SECONDS
        rng = np.random.default_rng((self.draw.seed, 1))
        if self.arrivals == "Poisson":
            return poisson_arrivals(tasks, tasks / length, rng)
        directory = traces.data_directory("")
        recorded = None if directory is None else traces.load_arrivals(directory, "chat")
        arrival = traces.draw_arrivals("chat", tasks, rng, recorded)
        return arrival * (length / arrival[-1])


def hold(market: Market, arrival: Float, rounds: int, perform: Perform, rule: Raise, options: Options) -> History:
    """The rounds of a scene under one rule and one order."""
    return simulate(market, arrival, rounds=rounds, seconds=SECONDS, perform=perform, options=options, **rule.options)


def failing(providers: int, seed: int, puppets: int = 0) -> Perform:
    """Providers miss their time at random; so many puppets after them fail at the first task they win, and are gone."""
    puppet = np.arange(providers + puppets) >= providers
    return failing_at_random(puppet.size, np.where(puppet, 0.0, MISSES), puppet.astype(float), seed)


def failing_once(perform: Perform, task: int) -> Perform:
    """One task fails the first time that it wins, whoever serves it. For one simulation."""
    before = True

    def performed(number: int, allocation: Allocation) -> Int:
        nonlocal before
        own = (allocation.task == task) & before
        before = before and not own.any()
        return np.where(own, MISSED, perform(number, allocation))

    return performed


def with_puppets(market: Market, task: int, count: int) -> Market:
    """The market with so many more providers, each of one slot that would complete the task, at the mean unit cost."""
    slot, offering = market.demand[task], market.slots > 0
    unit_cost = market.cost[offering].sum() / max(1, market.resource[offering].sum())
    cost = np.full(count, round(unit_cost * int(slot.sum())))
    ability = market.ability[offering].mean(axis=0)
    return replace(
        market,
        resource=np.vstack((market.resource, np.tile(slot, (count, 1)))),
        slots=np.append(market.slots, np.ones(count, dtype=np.int64)),
        cost=np.append(market.cost, cost),
        ability=np.vstack((market.ability, np.tile(ability, (count, 1)))),
    )


def climbs(market: Market, factors: tuple[float, ...]) -> Iterator[tuple[str, float, float, float]]:
    """What raising one v does to the order by density: whose v, factor, share of the queue climbed, others swapped."""
    before = np.argsort(descending(task_density(market.demand, market.value)))
    by_value = np.argsort(market.value, kind="stable")
    for whose, task in (("the largest v", by_value[-1]), ("the median v", by_value[market.tasks // 2])):
        for factor in factors:
            value = market.value.copy()
            value[task] = round(int(value[task]) * factor)
            after = np.argsort(descending(task_density(market.demand, value)))
            others = np.arange(market.tasks) != task
            swapped = (1.0 - stats.kendalltau(before[others], after[others]).statistic) / 2.0
            yield whose, factor, float(before[task] - after[task]) / market.tasks, swapped
