"""The auction over time: arrivals, a round every so many seconds, failed tasks that return (sections 4 and 5)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from auction import registry
from auction.allocation import Allocation
from auction.arrays import frozen, integer, reals
from auction.errors import InputError, unknown
from auction.market import AMOUNT_LIMIT, READINGS, Float, Int, Market, Reading
from auction.prices import trade_prices
from auction.solvers import bid_density
from auction.welfare import winners

NEVER = -1  # in place of a round

DONE, MISSED, CHEATED = 0, 1, 2  # what becomes of a provider's slot
Perform = Callable[[int, Allocation], NDArray[np.int64]]  # (round, its pairs) -> (pairs,) of these


@dataclass(frozen=True, eq=False, kw_only=True)
class History:
    """What became of each task, provider and round; money in micro-tokens, rounds from 0, NEVER where there is none."""

    entered: Int  # (m,) first round the task can take part in
    served: Int  # (m,) round in which it was completed
    first_failed: Int  # (m,) round of its first failure
    failures: Int  # (m,) rounds that it won without being completed
    ranked_by: Int  # (m,) raised v_i, by which it is ranked after its last failure
    payment: Int  # (m,)
    utility: Int  # (m,) v_i - (payment_i + e_i) of tasks served, with the v_i they arrived with
    delay: Float  # (m,) seconds from arrival to the round that served it; infinite if none did
    waited: Int  # (m,) rounds between entering and being served, or leaving, or the end
    removed: Int  # (n,) round in which the provider was found cheating and removed
    receipt: Int  # (n,) all rounds together
    paid: Int  # (rounds,) by users
    received: Int  # (rounds,) by providers
    welfare: Int  # (rounds,) sum of b_i of what was completed less c_j of every slot taken, in vain or not
    in_vain: Int  # (rounds,) c_j of slots taken by tasks that failed
    waiting: Int  # (rounds,) tasks still unserved after the round

    def starving(self, rounds: int) -> Int:
        """The tasks that waited more than so many rounds, served in the end or not."""
        return np.flatnonzero(self.waited > rounds)


def poisson_arrivals(count: int, rate: float, rng: np.random.Generator) -> Float:
    """(count,) seconds of the first arrivals of a Poisson process.

    Args:
        count: how many.
        rate: arrivals a second, above 0.
        rng: the generator.

    Raises:
        InputError: a negative count or a rate that is not above 0.
    """
    if count < 0:
        raise InputError(f"count: {count} is not allowed; an integer from 0 up")
    if not 0 < rate < np.inf:
        raise InputError(f"rate: {rate:g} is not allowed; a finite number above 0")
    return np.cumsum(rng.exponential(1.0 / rate, count))


def failing_at_random(providers: int, missed: ArrayLike, cheated: ArrayLike, seed: int) -> Perform:
    """Each provider, each round, independently: all its slots miss their time, or it is found cheating in all of them.

    What a provider does in a round depends on the seed and the round alone, so that auctions can be compared pairwise.

    Args:
        providers: n.
        missed: chance of missing its time, one number or (n,).
        cheated: chance of being found cheating, one number or (n,); with ``missed`` at most 1.
        seed: of the draws.

    Raises:
        InputError: chances outside [0, 1], or whose sum is.
    """
    misses, cheats = (
        reals(name, np.broadcast_to(chance, providers) if np.ndim(chance) == 0 else chance, (providers,), upper=1.0)
        for name, chance in (("missed", missed), ("cheated", cheated))
    )
    if (misses + cheats > 1.0).any():
        raise InputError("missed: with the chance of cheating it is above 1; the two must sum to at most 1")

    def perform(number: int, allocation: Allocation) -> NDArray[np.int64]:
        drawn = np.random.default_rng((seed, number)).random(providers)
        became = np.where(drawn < cheats, CHEATED, np.where(drawn < cheats + misses, MISSED, DONE))
        return became[allocation.provider]

    return perform


def simulate(
    market: Market,
    arrival: ArrayLike,
    *,
    rounds: int,
    seconds: float = 30.0,
    perform: Perform | None = None,
    raise_factor: float = 1.5,
    printed: bool = False,
    patience: int | None = None,
    reading: Reading = "bundle",
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
) -> History:
    """Hold the whitepaper's auction every ``seconds``, ``bid_density`` with midpoint prices, among the tasks that wait.

    Round r is held at (r + 1) ``seconds`` among the tasks that arrived before and are unserved. Providers offer their
    slots anew in each round; bid densities are normalised among who takes part. A task that wins and all of whose
    providers do their part is served, pays and leaves. If one of them misses its time or is found cheating, the task
    fails: nobody pays or is paid for it, its slots are spent, and it takes part in the next round with its v_i raised
    by ``raise_factor`` once more. A provider found cheating is removed; one that missed its time stays.

    The raised v_i ranks the task; it is charged, and admitted, by the b_i of the v_i that it arrived with (the print
    would raise its price as well, perhaps above its value: ``printed``). A task whose b_i is too low waits for ever.

    Args:
        market: every task that ever arrives, and the providers.
        arrival: (m,) seconds, in any order.
        rounds: how many are held.
        seconds: from one round to the next.
        perform: what becomes of each pair of a round's allocation; None: everything is done.
        raise_factor: from 1 (no raise) to 1000. Raised values stop where sums of them would leave int64.
        printed: the raised v_i is also what the task bids and pays up to.
        patience: a task leaves after so many rounds unserved; None: it stays.
        reading: ``bundle`` or ``whole``.
        seed: of orders drawn at random.
        options: of ``bid_density``, typed or as text. Tasks ranked at random are not ranked by v_i, raised or not.

    Raises:
        InputError: arrivals of the wrong shape or range, an unknown reading or option, a number outside its range.
    """
    arrival = reals("arrival", arrival, (market.tasks,))
    rounds = integer("rounds", rounds, lower=1)
    patience = rounds if patience is None else integer("patience", patience, lower=1)
    if not 0 < seconds < np.inf:
        raise InputError(f"seconds: {seconds:g} is not allowed; a finite number above 0")
    if not 1 <= raise_factor <= 1000:
        raise InputError(f"raise_factor: {raise_factor:g} is not allowed; a number from 1 to 1000")
    if reading not in READINGS:
        raise unknown("reading", reading, READINGS)
    chosen = registry.parse_options(bid_density.solve, options or {}, "bid_density")

    tasks, providers = market.tasks, market.providers
    with np.errstate(over="ignore"):  # an arrival beyond every round is never held
        entered = np.floor(np.minimum(arrival / seconds, rounds)).astype(np.int64)
    ranked_by, ceiling = market.value.copy(), _ceiling(market)
    served, first_failed = np.full(tasks, NEVER), np.full(tasks, NEVER)
    failures, payment = np.zeros(tasks, dtype=np.int64), np.zeros(tasks, dtype=np.int64)
    removed, receipt = np.full(providers, NEVER), np.zeros(providers, dtype=np.int64)
    paid, received, welfare, in_vain, waiting = np.zeros((5, rounds), dtype=np.int64)

    for number in range(rounds):
        pool = np.flatnonzero((entered <= number) & (number < entered + patience) & (served == NEVER))
        present = np.flatnonzero(removed == NEVER)
        held = replace(
            market,
            demand=market.demand[pool],
            value=(ranked_by if printed else market.value)[pool],
            arrival=None,
            names=None,
            **{name: getattr(market, name)[present] for name in ("resource", "slots", "cost", "ability")},
        )
        rng = np.random.default_rng((seed, number))
        pairs = bid_density.allocate(held, ranked_by[pool], reading, rng, **chosen)
        won = Allocation(pool[pairs.task], present[pairs.provider])
        became = np.zeros(won.task.size, dtype=np.int64) if perform is None else perform(number, won)

        failed = np.unique(won.task[became != DONE])
        done = ~np.isin(won.task, failed)
        completed = Allocation(pairs.task[done], pairs.provider[done])
        charged, credited = trade_prices(held, completed)
        payment[pool] += charged
        receipt[present] += credited
        paid[number], received[number] = charged.sum(), credited.sum()
        served[pool[winners(completed)]] = number
        removed[won.provider[became == CHEATED]] = number
        first_failed[failed[failures[failed] == 0]] = number
        failures[failed] += 1
        ranked_by[failed] = _raised(ranked_by[failed], raise_factor, ceiling[failed])
        welfare[number] = market.net_bid[pool[winners(completed)]].sum() - market.cost[won.provider].sum()
        in_vain[number] = market.cost[won.provider[~done]].sum()
        waiting[number] = np.count_nonzero(served[pool] == NEVER)

    last = np.where(served == NEVER, np.minimum(rounds, entered + patience), served)
    return History(
        entered=frozen(entered),
        served=frozen(served),
        first_failed=frozen(first_failed),
        failures=frozen(failures),
        ranked_by=frozen(ranked_by),
        payment=frozen(payment),
        utility=frozen(np.where(served == NEVER, 0, market.net_bid - payment)),
        delay=frozen(np.where(served == NEVER, np.inf, (served + 1) * seconds - arrival)),
        waited=frozen(last - entered),
        removed=frozen(removed),
        receipt=frozen(receipt),
        paid=frozen(paid),
        received=frozen(received),
        welfare=frozen(welfare),
        in_vain=frozen(in_vain),
        waiting=frozen(waiting),
    )


def _ceiling(market: Market) -> Int:
    """(m,) how far each value can be raised, all of them together, with sums that stay below AMOUNT_LIMIT."""
    slack = 2**50  # far more than a float sum near the limit can be off
    room = AMOUNT_LIMIT - slack - int(market.value.sum()) - int(market.extra_cost.sum())
    return market.value + max(0, room) // max(1, market.tasks)


def _raised(value: Int, factor: float, ceiling: Int) -> Int:
    """value + (factor - 1) value, the latter rounded half to even, and the sum at most the ceiling."""
    room = ceiling - value
    return value + np.minimum(np.minimum(np.rint(value * (factor - 1.0)), AMOUNT_LIMIT).astype(np.int64), room)
