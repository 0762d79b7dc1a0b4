"""What is lost where regions clear their own markets and tell each other their prices alone, every so many rounds."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from auction import generate, solve
from auction.market import Float, Int, Market
from auction.outcome import Outcome
from experiments import plots, statistics
from experiments.claims import Results, Size, Verdict
from experiments.progress import track
from experiments.statistics import SHARE
from experiments.sweep import seed_range

TITLE = "Regions that exchange price lists"
PART = "allocation"
FINDING = "What is lost where regions clear their own markets and tell each other nothing but prices?"

REGIONS, HOURS = 4, 8  # a round an hour, busiest in each region at another one
SWING = 0.8  # of a region's share of all tasks, about the mean
EXCHANGES = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)  # a round; below one the lists are of a round before
LEARNING = 2.0  # exponent of a price over the highest
STALE, FRESH = 0.3, 0.02  # of a kind's providers that stay spread evenly, so that weights can come back
LIMIT = 10.0  # seconds of a clearing, which takes hundredths
# Tasks, and as many providers, a round; seeds
GRID: dict[Size, tuple[int, int]] = {
    "tiny": (100, 1),
    "small": (500, 4),
    "full": (5000, 10),
}
VARIED = {"exchanges a round": "{rounds.exchanges:each}"}
FIXED = {
    "regions": str(REGIONS),
    "load": f"{HOURS} rounds of a day; a region's share of tasks swings by {SWING:.0%}, that of providers is even",
    "market": "classes, 10 kinds of provider, 2 model types, {rounds.tasks} tasks and as many providers a round",
    "reading": "bundle",
}


def run(size: Size, block: int = 0) -> Results:
    """One day under each number of exchanges: a round's welfare over all regions, and the bound of the whole."""
    tasks, seeds = GRID[size]
    jobs = [(seed, exchanges) for seed in seed_range(seeds, block) for exchanges in EXCHANGES]
    return {"rounds": pd.concat([_day(seed, each, tasks) for seed, each in track(jobs, "regions")], ignore_index=True)}


def _day(seed: int, exchanges: float, tasks: int) -> pd.DataFrame:
    """The rounds of a day.

    A region sends each other region one list an exchange, the price of a slot of each kind of provider in its own
    market. Its providers of a kind are spread over the regions by weights, which a list multiplies by
    exp(LEARNING price / highest price): multiplicative weights, mixed with an even spread (Herbster and Warmuth 1998)
    since the load moves on. Lists follow the round that counts, or, where there are several a round, trials before it.
    """
    market = generate("classes", tasks * HOURS, tasks * HOURS, 2, seed, {"classes": 10, "largest": 4})
    kinds, kind = np.unique(market.resource, axis=0, return_inverse=True)
    kind = kind.reshape(-1)
    weights = np.tile(np.eye(REGIONS)[:, :, None], len(kinds))  # home, where, kind
    rows = []
    for hour in range(HOURS):
        now = slice(hour * tasks, (hour + 1) * tasks)
        orders = _part(market, now, now)
        region = np.repeat(np.arange(REGIONS), _parts(_load(hour), tasks))
        for _ in range(int(exchanges) if exchanges > 1 else 0):
            _, price = _cleared(orders, region, _spread(weights, kind[now]), kinds)
            weights = _learnt(weights, price, FRESH)
        welfare, price = _cleared(orders, region, _spread(weights, kind[now]), kinds)
        if 0 < exchanges <= 1 and (hour + 1) % round(1 / exchanges) == 0:
            weights = _learnt(weights, price, STALE)
        rows.append((seed, exchanges, hour, welfare, _solved(orders).bound))
    found = pd.DataFrame(rows, columns=["seed", "exchanges", "hour", "welfare", "bound"])
    return found.assign(tasks=tasks, lists=exchanges * REGIONS * (REGIONS - 1), kinds=len(kinds))


def _load(hour: int) -> Float:
    """(regions,) their shares of the tasks."""
    return (1 + SWING * np.sin(2 * np.pi * (hour / HOURS - np.arange(REGIONS) / REGIONS))) / REGIONS


def _parts(shares: Float, count: int) -> Int:
    """So many, parted by shares that add up to 1."""
    ends: Int = np.rint(np.cumsum(shares) * count).astype(np.int64)
    return np.diff(ends, prepend=np.int64(0))


def _spread(weights: Float, kind: Int) -> Int:
    """(n,) the region in which each provider offers; at home they are in turn."""
    where = np.arange(len(kind)) % REGIONS
    for home, each in np.ndindex(REGIONS, weights.shape[2]):
        own = np.flatnonzero((np.arange(len(kind)) % REGIONS == home) & (kind == each))
        where[own] = np.repeat(np.arange(REGIONS), _parts(weights[home, :, each], len(own)))
    return where


def _learnt(weights: Float, price: Float, even: float) -> Float:
    """Weights after lists of prices (regions, kinds), a part ``even`` of them spread evenly."""
    moved = weights * np.exp(LEARNING * price / np.maximum(price.max(axis=0), 1))
    return (1 - even) * moved / moved.sum(axis=1, keepdims=True) + even / REGIONS


def _cleared(orders: Market, region: Int, where: Int, kinds: Int) -> tuple[int, Float]:
    """The welfare of all regions, and (regions, kinds) what a slot of each kind costs there."""
    welfare, price = 0, np.zeros((REGIONS, len(kinds)))
    for each in range(REGIONS):
        own = _part(orders, region == each, where == each)
        outcome = _solved(own)
        welfare += outcome.welfare
        listed = outcome.certificate
        assert listed is not None and listed.vector is not None
        cost = dict(zip(map(tuple, listed.vector.tolist()), listed.price.tolist(), strict=True))
        clipped = np.minimum(kinds, own.demand.max(axis=0, initial=0))
        price[each] = [cost.get(tuple(vector), 0) for vector in clipped.tolist()]
    return welfare, price


def _solved(market: Market) -> Outcome:
    return solve(market, "column_generation", time_limit=LIMIT, options={"rows": "vectors"})


def _part(market: Market, tasks: slice | npt.NDArray[np.bool_], providers: slice | npt.NDArray[np.bool_]) -> Market:
    by_task = {name: getattr(market, name)[tasks] for name in ("demand", "value")}
    by_provider = {name: getattr(market, name)[providers] for name in ("resource", "slots", "cost", "ability")}
    return replace(market, **by_task, **by_provider)


def _lost(results: Results) -> pd.DataFrame:
    """A row a day: the share of the bound that was lost over its rounds."""
    days = results["rounds"].groupby(["exchanges", "lists", "seed"], as_index=False)[["welfare", "bound"]].sum()
    return days.assign(lost=1 - days["welfare"] / days["bound"])


def check(results: Results) -> Verdict:
    """What is lost with the most exchanges, beside one a round and none."""
    days = _lost(results)
    mean = {each: statistics.mean_interval(group["lost"], SHARE) for each, group in days.groupby("exchanges")}
    alone, once, most = (mean[each] for each in (EXCHANGES[0], 1.0, EXCHANGES[-1]))
    rare = min(mean[each][0] for each in EXCHANGES if 0 < each < 1)
    return Verdict(
        "found",
        f"{most[0]:.2%} ({most[1]:.2%} to {most[2]:.2%}) of the certified bound is lost at {EXCHANGES[-1]:.0f} "
        f"exchanges a round, {alone[0]:.1%} ({alone[1]:.1%} to {alone[2]:.1%}) without any",
        f"{REGIONS} regions that are busy at different hours, over {days['seed'].nunique()} days. Lists of the round "
        f"before leave {once[0]:.1%}; older ones {rare:.1%} or more: what moves a market is over by the time it is "
        "told. No list names a task or a provider.",
    )


def figures(results: Results) -> dict[str, Figure]:
    """Gap against lists."""
    figure, (axes,) = plots.canvas()
    days = _lost(results)
    mean = days.groupby("lists")["lost"].agg(["mean", "min", "max"])
    axes.plot(mean.index, mean["mean"], marker="o", color=plots.PALETTE[0])
    axes.fill_between(mean.index, mean["min"], mean["max"], color=plots.PALETTE[0], alpha=0.15, linewidth=0)
    axes.set_xscale("symlog", linthresh=float(mean.index[1]))
    axes.set_xticks(mean.index, [f"{each:g}" for each in mean.index])
    axes.set(xlabel="price lists sent a round, over all regions", ylabel="of the certified bound, lost", ylim=(0, None))
    plots.percent(axes)
    return {"What is lost by the number of price lists; shaded, the range over days.": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """The share of the bound that is lost, by exchanges."""
    return {"Lost over a day": statistics.summary(_lost(results), ["exchanges", "lists"], "lost", SHARE)}
