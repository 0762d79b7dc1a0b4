"""Whether trades are executed when the bid matches the ask, unit by unit or for the bundle."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from auction import Market
from auction.allocation import Allocation
from auction.prices import ask_per_unit, bid_per_unit, slot_units, trade_prices
from auction.printed.defect import share
from auction.search import Stop
from auction.solvers import bid_density
from auction.welfare import welfare, winners
from experiments import plots, statistics
from experiments.claims import Judgement, Results, Size, Verdict
from experiments.claims._mechanism_runs import BACKFILL
from experiments.progress import track
from experiments.statistics import SHARE
from experiments.sweep import FAMILIES, Draw, seed_range

TITLE = "Trades are executed when the bid matches the ask"
PART = "mechanism"
SECTION = "3; 4.2, lines 13-15"
STATEMENT = "Trades are executed when the bid price of a user matches the seller's ask price."
RARE = 0.05  # of the pairs

GRID = {"tiny": (8, 16, 2), "small": (100, 200, 10), "full": (1000, 2000, 20)}
BEST, PRINTED = "best order", "printed order"
ORDERS: dict[str, Mapping[str, Any]] = {BEST: BACKFILL.options, PRINTED: {}}
REFUSED, AGAIN = "no second auction", "tasks bid again"
VARIED = {
    "family": "{trades.family:count} families",
    "markets": "seeds",
    "what meets the ask": "the bundle's bid, each unit's bid",
}
FIXED = {
    "size": "100 tasks, 200 providers",
    "model types": "3",
}


def run(size: Size, block: int = 0) -> Results:
    """Pairs, bundles and what they pay in either order, and the same where every unit's bid must reach its ask."""
    tasks, providers, seeds = GRID[size]
    draws = [Draw(family, tasks, providers, seed) for family in FAMILIES for seed in seed_range(seeds, block)]
    rows = []
    for draw in track(draws, "bids and asks"):
        market = draw.market()
        for order, options in ORDERS.items():
            row = {"family": draw.family, "seed": draw.seed, "order": order}
            rows.append(row | measured(market, options))
    return {"trades": pd.DataFrame(rows)}


def measured(market: Market, options: Mapping[str, Any]) -> dict[str, float]:
    """The figures of one market and order; shares of nothing are NaN."""
    found = auctioned(market, options)
    asks_more = ask_above_bid(market, found)
    failing = np.unique(found.task[asks_more])
    several = np.flatnonzero(np.bincount(found.task, minlength=market.tasks) > 1)
    spent = np.zeros(market.tasks, dtype=np.int64)
    np.add.at(spent, found.task, market.cost[found.provider])
    excess = (ask_per_unit(market)[found.provider] - bid_per_unit(market, found)[found.task])[asks_more]
    excess = excess * slot_units(market)[found.provider[asks_more]]
    payment, _ = trade_prices(market, found, printed=True)
    won = winners(found)
    figures = {
        "pairs": found.task.size,
        "ask above bid": share(asks_more.sum(), found.task.size),
        "winners with such a pair": share(failing.size, won.size),
        "bundles with such a pair": share(failing.size, several.size),
        "costs above the bid": int((spent > market.net_bid)[won].sum()),
        "paid above unit bids": share(excess.sum(), payment.sum()),
    }
    readings = {
        REFUSED: (found, matched(market, found)),
        AGAIN: (repeated(market, options, everything), repeated(market, options, matched)),
    }
    for label, (bundles, units) in readings.items():
        figures[f"winners left, {label}"] = share(winners(units).size, winners(bundles).size)
        figures[f"welfare left, {label}"] = share(welfare(market, units), welfare(market, bundles))
    return figures


def auctioned(market: Market, options: Mapping[str, Any]) -> Allocation:
    """The auction's allocation."""
    return bid_density.solve(market, "bundle", Stop(None), 0, **options).allocation


def ask_above_bid(market: Market, allocation: Allocation) -> NDArray[np.bool_]:
    """(pairs,) whether c_j / S_j exceeds b_i / R_i."""
    return ask_per_unit(market)[allocation.provider] > bid_per_unit(market, allocation)[allocation.task]


def matched(market: Market, allocation: Allocation) -> Allocation:
    """The bundles in which every unit's bid reaches its ask; one pair refused leaves the task uncovered."""
    kept = ~np.isin(allocation.task, allocation.task[ask_above_bid(market, allocation)])
    return Allocation.of(allocation.task[kept], allocation.provider[kept])


def everything(market: Market, allocation: Allocation) -> Allocation:
    """The bundles whose bid reaches their total cost: all that the auction leaves."""
    return allocation


def repeated(
    market: Market, options: Mapping[str, Any], traded: Callable[[Market, Allocation], Allocation]
) -> Allocation:
    """What is traded is final; the other tasks bid again for the slots left, until no more is traded."""
    waiting, slots = np.arange(market.tasks), market.slots.copy()
    task, provider = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    while waiting.size:
        demand, value = market.demand[waiting], market.value[waiting]
        rest = replace(market, demand=demand, value=value, slots=slots, arrival=None, names=None)
        found = traded(rest, auctioned(rest, options))
        if not found.task.size:
            break
        task.append(waiting[found.task])
        provider.append(found.provider)
        slots = slots - np.bincount(found.provider, minlength=market.providers)
        waiting = np.delete(waiting, winners(found))
    return Allocation.of(np.concatenate(task), np.concatenate(provider))


def check(results: Results) -> Verdict:
    """The criterion in the best order."""
    trades = results["trades"]
    best = trades[(trades["order"] == BEST) & (trades["pairs"] > 0)]
    mean, low, high = statistics.mean_interval(best["ask above bid"], SHARE)
    dearer = int(trades["costs above the bid"].sum())
    verdict: Judgement = (
        "refuted" if low > RARE or dearer else "upheld" if not best["ask above bid"].any() else "qualified"
    )
    bundles = statistics.mean_interval(best["bundles with such a pair"].dropna(), SHARE)
    printed = statistics.mean_interval(trades[trades["order"] == PRINTED]["ask above bid"].dropna(), SHARE)
    families = best.groupby("family")["ask above bid"].mean()
    refused, again = (statistics.mean_interval(best[f"welfare left, {label}"].dropna()) for label in (REFUSED, AGAIN))
    return Verdict(
        verdict,
        f"{mean:.1%} ({low:.1%} to {high:.1%}) of the executed pairs have a unit ask above the unit bid",
        f"By family it is {families.min():.0%} ({families.idxmin()}) to {families.max():.0%} ({families.idxmax()}); "
        f"in the printed order {printed[0]:.0%} ({printed[1]:.0%} to {printed[2]:.0%}). "
        f"{bundles[0]:.0%} ({bundles[1]:.0%} to {bundles[2]:.0%}) of the tasks with several providers have such a "
        f"pair; {best['paid above unit bids'].mean():.1%} of what users pay lies above unit bids. Refusing them leaves "
        f"{refused[0]:.0%} of the welfare, {again[0]:.0%} ({again[1]:.0%} to {again[2]:.0%}) where tasks bid again. "
        f"For the bundle, {'every bid reaches the total cost' if not dearer else f'{dearer} bids miss the cost'}.",
    )


def figures(results: Results) -> dict[str, Figure]:
    """Pairs that do not match, and the welfare left without them, by family."""
    trades = results["trades"]
    shown, panels = plots.canvas(2, width=10.0, sharey=False)
    plots.strips(
        panels[0], trades.dropna(subset=["ask above bid"]), "family", "order", "ask above bid", plots.colours(ORDERS)
    )
    panels[0].set(xlabel="executed pairs with a unit ask above the unit bid")
    panels[0].legend(fontsize=8)
    labels = {f"welfare left, {label}": label for label in (REFUSED, AGAIN)}
    left = trades[trades["order"] == BEST].melt(["family"], list(labels), "reading", "welfare").dropna()
    left["reading"] = left["reading"].map(labels)
    plots.strips(panels[1], left, "family", "reading", "welfare", plots.colours(labels.values()))
    panels[1].set(xlabel="welfare left when units must match, best order")
    panels[1].legend(fontsize=8)
    for axes in panels:
        plots.percent(axes, "x")
    return {"Every dot is a market: units whose ask exceeds the bid, and what refusing them leaves": shown}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Shares by order and family."""
    trades = results["trades"]
    traded = trades[trades["pairs"] > 0]
    means = traded.groupby(["order", "family"], sort=False)[list(trades.columns[3:])].mean()
    return {
        "Means over markets with trades": means.join(
            traded.groupby(["order", "family"], sort=False).size().rename("markets")
        ).reset_index(),
        "Executed pairs with a unit ask above the unit bid": statistics.summary(
            traded, ["order", "family"], "ask above bid", SHARE
        ),
    }
