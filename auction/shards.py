"""One market in shards: each is solved by itself, all are certified by the same prices, and no process holds more.

Tasks and providers are parted among shards. What each allocates is feasible for the whole, and their welfares add up.
For one list of prices of slot vectors the bound of ``auction.certificate`` is a sum over tasks and providers, hence
over shards: prices go out, each shard's part of the bound comes back. What the two differ by is also what is lost by
trading within shards only; of shards drawn at random it shrinks with their size, since supply and demand of each are
the whole's up to the square root.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from auction import solvers
from auction.arrays import INT64_MAX, integer
from auction.certificate import Certificate, derived_bound
from auction.errors import InputError
from auction.files import read_market
from auction.market import Float, Int, Market, Reading
from auction.outcome import Outcome
from auction.workers import completed

R = TypeVar("R")
NO_BOUND = "a sum of such is no bound"


def split(market: Market, count: int, seed: int = 0) -> list[Market]:
    """Part tasks and providers at random into so many markets, as evenly as that goes; names and arrivals are left."""
    integer("shards", count, 1, max(1, min(market.tasks, market.providers)))
    rng = np.random.default_rng(seed)
    parts = (np.array_split(rng.permutation(size), count) for size in (market.tasks, market.providers))
    found = []
    for task, provider in zip(*(map(np.sort, part) for part in parts), strict=True):
        by_task = {name: getattr(market, name)[task] for name in ("demand", "value")}
        by_provider = {name: getattr(market, name)[provider] for name in ("resource", "slots", "cost", "ability")}
        found.append(replace(market, **by_task, **by_provider, arrival=None, names=None))
    return found


@dataclass(frozen=True, eq=False)
class _Solved:
    outcome: Outcome
    top: Int  # (K,) the shard's largest demand of each type
    unit_work: Float  # (K,)
    alpha: int
    beta: int


def solve(
    paths: Sequence[Path],
    *,
    reading: Reading = "bundle",
    time_limit: float | None = None,
    seed: int = 0,
    processes: int | None = None,
) -> list[Outcome]:
    """Every shard's outcome, certified by the same prices: bounds and welfares of the whole are their sums.

    1. Column generation with a row a slot vector solves each shard.
    2. The price of a vector is the mean of what it is in the shards.
    3. Each shard derives its part of the bound from these prices.

    Nothing depends on the number of processes but the seconds.

    Args:
        paths: market files, read by whoever works on them.
        reading: ``bundle`` or ``whole``.
        time_limit: seconds of solving, each shard.
        seed: of the solver.
        processes: side by side; by default as many as ``workers.workers()``; a scheduler's workers where there is one.

    Raises:
        InputError: a market that cannot be read, shards of different types, or too many types for prices of vectors.
        MemoryError: the process of a shard was killed, again and again.
    """
    work = partial(_solve, reading=reading, time_limit=time_limit, seed=seed)
    found = _each(work, [(path,) for path in paths], processes)
    _ensure_one_market(paths, found)
    top = np.max([one.top for one in found], axis=0)
    listed = _each(_list, [(path, one, top) for path, one in zip(paths, found, strict=True)], processes)
    vector, price = common_prices(listed, [one.top for one in found])
    jobs = [(path, reading, vector, price) for path in paths]
    certificates = _each(_certify, jobs, processes)
    return [
        replace(
            one.outcome,
            bound=certificate.bound,
            certified_bound=certificate.bound,
            proven_optimal=certificate.bound == one.outcome.welfare,
            certificate=certificate,
            history=(),
        )
        for one, certificate in zip(found, certificates, strict=True)
    ]


def common_prices(listed: Sequence[tuple[Int, Int]], tops: Sequence[Int]) -> tuple[Int, Int]:
    """One list of slot vectors and integer prices for all shards: means of theirs.

    A shard whose largest demand is below the others' clips vectors further. Its clipped ones are listed too, at no less
    than any vector that becomes them: then no provider's slot costs less in its own shard than tasks elsewhere count
    it, and the sum over shards is a bound.

    Args:
        listed: by shard (v, K) its vectors, clipped to the largest demand of all shards, and (v,) their prices.
        tops: by shard (K,) its largest demand.
    """
    vector, place = np.unique(np.concatenate([rows for rows, _ in listed]), axis=0, return_inverse=True)
    place = place.reshape(-1)
    total = np.bincount(place, np.concatenate([price for _, price in listed]), len(vector))
    price = dict(
        zip(map(tuple, vector.tolist()), np.rint(total / np.bincount(place)).astype(int).tolist(), strict=True)
    )
    raised = True
    while raised:
        raised = False
        for (rows, _), top in zip(listed, tops, strict=True):
            clipped = np.minimum(rows, top)
            for whole, part in zip(rows.tolist(), clipped.tolist(), strict=True):
                if price.get(tuple(part), -1) < price[tuple(whole)]:
                    price[tuple(part)] = price[tuple(whole)]
                    raised = True
    every = sorted(price)
    return np.array(every, dtype=np.int64), np.array([price[row] for row in every], dtype=np.int64)


def derived(paths: Sequence[Path], certificates: Sequence[Certificate], processes: int | None = None) -> list[int]:
    """Each shard's part of the bound, derived again from the prices, which must be the same for all.

    Their sum is a bound if what a provider offers costs no less in its own shard than tasks of other shards count it:
    see ``common_prices``.

    Raises:
        InputError: they differ, a part cannot be derived, or a provider's slots cost less in its own shard.
    """
    first = certificates[0]
    for path, one in zip(paths, certificates, strict=True):
        same = one.reading == first.reading and np.array_equal(one.price, first.price)
        if not same or one.vector is None or first.vector is None or not np.array_equal(one.vector, first.vector):
            raise InputError(f"{path}: its certificate has other prices than {paths[0]}'s; {NO_BOUND}")
    jobs = [(path, one.reading, one.vector, one.price) for path, one in zip(paths, certificates, strict=True)]
    bounds, asked, offered = zip(*_each(_derive, jobs, processes), strict=True)
    assert first.vector is not None
    if (np.minimum(np.max(asked, axis=0), np.max(offered, axis=0)) > first.vector.max(axis=0, initial=0)).any():
        raise InputError(
            f"{paths[0]}: its certificate lists no slots as large as tasks of other shards use; {NO_BOUND}"
        )
    return list(bounds)


def _each(function: Callable[..., R], jobs: Sequence[tuple[Any, ...]], processes: int | None) -> list[R]:
    """``function(*job)`` of every job, in order."""
    found: dict[int, R] = {}
    for (number, job), result in completed(partial(_numbered, function), enumerate(jobs), processes=processes):
        if result is None:
            raise MemoryError(f"{job[0]}: its process was killed; too little memory?")
        found[number] = result
    return [found[number] for number in range(len(jobs))]


def _numbered(function: Callable[..., R], numbered: tuple[int, tuple[Any, ...]]) -> R:
    return function(*numbered[1])


def _solve(path: Path, *, reading: Reading, time_limit: float | None, seed: int) -> _Solved:
    market = read_market(path)
    asked = {"rows": "vectors"}
    outcome = solvers.solve(
        market, "column_generation", reading=reading, time_limit=time_limit, seed=seed, options=asked
    )
    certificate = outcome.certificate
    if certificate is None or certificate.vector is None or certificate.unit is not None:
        raise InputError(f"{path}: too many types for prices of slot vectors; shards need few")
    top = market.demand.max(axis=0, initial=0)
    return _Solved(replace(outcome, market=None), top, market.unit_work, market.alpha, market.beta)


def _ensure_one_market(paths: Sequence[Path], found: Sequence[_Solved]) -> None:
    for path, one in zip(paths, found, strict=True):
        for name in ("unit_work", "alpha", "beta"):
            if not np.array_equal(getattr(one, name), getattr(found[0], name)):
                raise InputError(f"{path}: {name} differs from {paths[0]}'s; shards are parts of one market")


def _list(path: Path, solved: _Solved, top: Int) -> tuple[Int, Int]:
    """The shard's vectors, clipped to the largest demand of all, at the prices of what they are in the shard."""
    certificate = solved.outcome.certificate
    assert certificate is not None and certificate.vector is not None
    if np.array_equal(top, solved.top):
        return certificate.vector, certificate.price
    price = dict(zip(map(tuple, certificate.vector.tolist()), certificate.price.tolist(), strict=True))
    rows = np.unique(np.minimum(read_market(path).resource, top), axis=0)
    own = np.minimum(rows, solved.top)
    return rows, np.array([price[tuple(row)] for row in own.tolist()], dtype=np.int64)


def _derive(path: Path, reading: Reading, vector: Int, price: Int) -> tuple[int, Int, Int]:
    """A shard's part of the bound, and the largest demand and resource of each type."""
    market = read_market(path)
    bound, top = derived_bound(market, reading, price, vector), market.demand.max(axis=0, initial=0)
    listed = vector.max(axis=0, initial=0)
    if (listed > top).any():  # tasks of other shards see more of a slot
        of = dict(zip(map(tuple, vector.tolist()), price.tolist(), strict=True))
        rows = np.unique(np.minimum(market.resource, listed), axis=0)
        for whole, own in zip(rows.tolist(), np.minimum(rows, top).tolist(), strict=True):
            if of.get(tuple(whole), INT64_MAX) > of[tuple(own)]:
                raise InputError(
                    f"{path}: slots of {whole} cost less than tasks of other shards count them; {NO_BOUND}"
                )
    return bound, top, market.resource.max(axis=0, initial=0)


def _certify(path: Path, reading: Reading, vector: Int, price: Int) -> Certificate:
    market = read_market(path)
    return Certificate(market.digest, reading, derived_bound(market, reading, price, vector), price, vector)
