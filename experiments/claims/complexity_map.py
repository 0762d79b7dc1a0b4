"""Where the allocation problem is polynomial, weakly or strongly NP-hard, with arguments and witnesses."""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from auction import Market, generate, solve
from auction.market import MICRO
from experiments import plots
from experiments.claims import Judgement, Results, Size, Verdict
from experiments.claims.allocation_is_np_hard import bins_market, partition_market, partitions, triples
from experiments.progress import track
from experiments.sweep import seed_range

TITLE = "The complexity map"
PART = "allocation"
SECTION = "4.2"
STATEMENT = "We present a polynomial time combinatorial algorithm for Equation 1, which is NP-Hard."

GRID = {"tiny": 4, "small": 12, "full": 60}  # witnesses a region
HARD = ("weakly NP-hard", "strongly NP-hard")
VARIED = {
    "region": "reading, model types, demands, slots",
    "witnesses": "seeds",
}
FIXED = {
    "size of the witnesses": "as exhaustion allows: 6 to 14 providers",
}


def run(size: Size, block: int = 0) -> Results:
    """For each region its witnesses: an independent answer beside the one read off the exact optimum."""
    rows = [
        (*region[:6], seed, *map(str, region[6](seed)))
        for region in track(REGIONS, "complexity map")
        for seed in seed_range(GRID[size], block)
    ]
    columns = ["reading", "model types", "demands", "slots", "complexity", "argument", "seed", "expected", "found"]
    return {"witnesses": pd.DataFrame(rows, columns=columns)}


def _optimum(market: Market, reading: str = "bundle") -> int:
    outcome = solve(market, "ilp_cpsat", reading=reading, time_limit=120)  # type: ignore[arg-type]
    assert outcome.proven_optimal
    return outcome.welfare


def _matching(seed: int) -> tuple[int, int]:
    """Reading ``whole``: the flow's optimum and an integer programme's."""
    market = generate("uniform", 10, 14, seed=seed)
    return solve(market, "assignment", reading="whole").welfare, _optimum(market, "whole")


def _partition(seed: int) -> tuple[bool, bool]:
    """PARTITION: one type, two tasks; small sums, so that both answers occur."""
    numbers = [int(a) for a in np.random.default_rng(seed).integers(1, 60, 6)]
    return partitions(numbers), _optimum(partition_market(numbers)) == 2 * MICRO


def _three_partition(seed: int) -> tuple[bool, bool]:
    """3-PARTITION: one type, a task a triple, numbers between a quarter and half of its demand."""
    rng = np.random.default_rng(seed)
    capacity, bins = 40, 3
    numbers = [13] * (3 * bins)
    numbers[0] += bins * capacity - sum(numbers)  # the right sum
    for _ in range(40):
        a, b = rng.choice(len(numbers), 2, replace=False)
        if numbers[a] < 19 and numbers[b] > 11:
            numbers[a], numbers[b] = numbers[a] + 1, numbers[b] - 1
    return triples(numbers, capacity), _optimum(bins_market(numbers, bins, capacity)) == bins * MICRO


def _set_cover(seed: int) -> tuple[int, int]:
    """SET COVER: one task that demands one request of each type; a slot is a set and costs one token."""
    rng = np.random.default_rng(seed)
    elements, sets = 6, 8
    resource = (rng.random((sets, elements)) < 0.35).astype(np.int64)
    resource[np.arange(elements) % sets, np.arange(elements)] = 1  # every element is in some set
    value = sets + 1
    market = Market(
        demand=np.ones((1, elements), dtype=np.int64),
        value=np.array([(value + 1) * MICRO]),  # e_i = beta = one token
        unit_work=np.zeros(elements),
        alpha=2,
        beta=1,
        resource=resource,
        slots=np.ones(sets, dtype=np.int64),
        cost=np.full(sets, MICRO),
        ability=np.ones((sets, elements)),
    )
    fewest = next(
        size
        for size in range(1, sets + 1)
        if any((resource[list(chosen)].sum(axis=0) > 0).all() for chosen in combinations(range(sets), size))
    )
    return fewest, value - _optimum(market) // MICRO


def _unit_demands(seed: int) -> tuple[int, int]:
    """One type, demands of one: the dearest bids meet the cheapest slots while they pay."""
    market = generate("classes", 12, 9, 1, seed, {"largest": 1})
    bids, costs = np.sort(market.net_bid)[::-1], np.sort(market.cost)
    most = min(bids.size, costs.size)
    return int(np.maximum(bids[:most] - costs[:most], 0).sum()), _optimum(market)


def _one_task(seed: int) -> tuple[int, int]:
    """One task: the covering programme over its lattice, pseudo-polynomial for a fixed number of types."""
    market = generate("uniform", 1, 12, 2, seed)
    return max(0, solve(market, "greedy").welfare), _optimum(market)


Region = tuple[str, str, str, str, str, str, Callable[[int], tuple[object, object]]]
REGIONS: tuple[Region, ...] = (
    ("whole", "any", "any", "any", "polynomial", "maximum-weight bipartite b-matching", _matching),
    ("bundle", "1", "1", "1", "polynomial", "sort both sides", _unit_demands),
    ("bundle", "fixed", "any, one task", "any", "weakly NP-hard", "knapsack; programme over the lattice", _one_task),
    ("bundle", "1", "any, two tasks", "1", "weakly NP-hard", "PARTITION", _partition),
    ("bundle", "1", "bounded by a polynomial", "1", "strongly NP-hard", "3-PARTITION", _three_partition),
    ("bundle", "part of the input", "1, one task", "1", "strongly NP-hard", "SET COVER", _set_cover),
)


def check(results: Results) -> Verdict:
    """The criterion on the regions and their witnesses."""
    witnesses = results["witnesses"]
    agree = witnesses["expected"] == witnesses["found"]
    hard = witnesses["complexity"].isin(HARD)
    verdict: Judgement = "refuted" if not (hard.any() and agree.all()) else "upheld" if hard.all() else "qualified"
    regions = witnesses.groupby(["complexity"])["argument"].nunique()
    return Verdict(
        verdict,
        f"{int(agree.sum())} of {len(witnesses)} witnesses agree with their argument",
        "; ".join(f"{count} region{'s' * (count > 1)} {name}" for name, count in regions.items())
        + ". With types and demands bounded and one slot a provider the problem is polynomial again, as an integer "
        "programme in fixed dimension; with several slots a provider and bounded demands it is not settled here.",
    )


def figures(results: Results) -> dict[str, Figure]:
    """The map: regions as bars in the colour of their complexity, as long as their witnesses agree."""
    table = tables(results)["Regions"]
    colour = {"polynomial": plots.PALETTE[4], HARD[0]: plots.PALETTE[1], HARD[1]: plots.PALETTE[0]}
    figure, (axes,) = plots.canvas(height=0.5 * len(table) + 0.8)
    rows = table.to_dict("records")
    labels = [f"{row['reading']}; K: {row['model types']}; demands: {row['demands']}" for row in rows]
    axes.barh(labels, table["agree"], color=[colour[c] for c in table["complexity"]], height=0.6)
    for y, row in enumerate(rows):
        axes.text(0.02, y, f"{row['complexity']}: {row['argument']}", va="center", color="white")
    axes.set(xlim=(0, 1), xlabel="share of witnesses that agree with the argument")
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    plots.percent(axes, "x")
    return {"Regions of the allocation problem, by reading, number of model types K and demands.": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Each region with its argument and how many of its witnesses agree."""
    witnesses = results["witnesses"]
    by = ["reading", "model types", "demands", "slots", "complexity", "argument"]
    agree = witnesses.assign(agree=witnesses["expected"] == witnesses["found"])
    table = agree.groupby(by, sort=False)["agree"].agg(["mean", "count"]).reset_index()
    return {"Regions": table.rename(columns={"mean": "agree", "count": "witnesses"})}
