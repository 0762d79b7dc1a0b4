"""The gap against certified bounds, up to markets no integer programme can hold, and when the bounds are tight."""

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from auction import generate, solve
from experiments import plots, statistics, sweep
from experiments.claims import Results, Size, Verdict
from experiments.claims._gap_verdict import judged
from experiments.progress import track
from experiments.statistics import SHARE
from experiments.sweep import BEST_VARIANT, COLOURS, FAMILIES, PRINTED, VARIANTS, Draw, Plan, seed_range

TITLE = "The gap at scale"
PART = "allocation"
SECTION = "4.2"
STATEMENT = (
    "Following Zhai et. al. (2018) and Jiang et. al. (2021), our scheduling mechanism invokes a bid density (bd) "
    "mechanism to push bids for efficient allocations."
)

# Tasks (as many providers), seeds, seconds for the bound; tasks of the market with one large provider
GRID = {
    "tiny": ((10, 30), 1, 0.5, 30),
    "small": ((100, 1000), 1, 5.0, 1000),
    "full": ((100, 1000, 10_000, 100_000, 1_000_000), 5, 120.0, 10_000),
}
OPTIONS = {"heavy_tailed": {"largest": 24}}  # a lattice of demands that the covering programme holds
BOUND, GUIDED = "column generation", "price guided"
SHARES = (0.0, 0.5, 0.9, 0.99, 0.999)
SHOWN = {label: COLOURS[label] for label in (PRINTED.label, BEST_VARIANT)} | {
    GUIDED: plots.PALETTE[4],
    BOUND: plots.PALETTE[3],
}
VARIED = {
    "family": "{gaps.family:count} families",
    "size": "{gaps.tasks:each} tasks, as many providers",
    "share of one large provider": "{concentration.share:%} of the slots",
}
FIXED = {
    "model types": "{gaps.types}",
    "reading": "{gaps.reading}",
    "demands": "of heavy_tailed at most {gaps.option_largest} a type",
}


def run(size: Size, block: int = 0) -> Results:
    """Every family at growing sizes; and one provider with a growing share of all slots."""
    sizes, seeds, limit, tasks = GRID[size]
    draws = [
        Draw(family, n, n, seed, options=OPTIONS.get(family, {}))
        for family in FAMILIES
        for n in sizes
        for seed in seed_range(seeds, block)
    ]
    plans = [*VARIANTS, Plan(GUIDED, "price_guided"), Plan(BOUND, "column_generation", {}, limit)]
    runs = sweep.with_best_variant(sweep.run(draws, plans, "bundle", "gap at scale"))
    return {"gaps": runs, "concentration": _concentration(tasks, seed_range(seeds, block), limit)}


def _concentration(tasks: int, seeds: range, limit: float) -> pd.DataFrame:
    """The certified gap of column generation while one provider holds a share of all slots, the others one each.

    A task takes one slot of a provider, so what the large one holds beyond the number of tasks that can use it is of
    no use, which a price per slot vector does not see.
    """
    rows = []
    for share in track(SHARES, "one large provider"):
        for seed in seeds:
            market = generate("classes", tasks, tasks, 3, seed, {"classes": 10})
            rng = np.random.default_rng(seed)
            slots = (rng.random(tasks) < 1.0 - share).astype(np.int64)
            slots[0] = tasks - slots[1:].sum()
            outcome = solve(
                replace(market, slots=slots), "column_generation", time_limit=limit, options={"rows": "vectors"}
            )
            rows.append((share, seed, outcome.welfare, outcome.bound, outcome.gap))
    return pd.DataFrame(rows, columns=["share", "seed", "welfare", "bound", "gap"])


def _informative(gaps: pd.DataFrame) -> pd.DataFrame:
    return gaps[gaps["upper"] > 0]


def check(results: Results) -> Verdict:
    """The criterion at the largest size, gaps to the certified bound."""
    gaps = _informative(results["gaps"])
    own = gaps[gaps["tasks"] == gaps["tasks"].max()]
    mean = {label: statistics.mean_interval(group["gap_bound"], SHARE) for label, group in own.groupby("solver")}
    printed, best, guided, bound = (mean[label] for label in SHOWN)
    return Verdict(
        judged(printed[0], best[0]),
        f"{printed[0]:.1%} ({printed[1]:.1%} to {printed[2]:.1%}) of the certified bound is lost",
        f"At {own['tasks'].max():,} tasks and as many providers, over {own['family'].nunique()} families. The best "
        f"variant with hindsight loses {best[0]:.1%}; an auction guided by prices, as polynomial, {guided[0]:.1%}; "
        f"column generation {bound[0]:.2%}, which is all that is left between allocation and certificate.",
    )


def figures(results: Results) -> dict[str, Figure]:
    """Gaps by size; what is left of them by family; the large provider."""
    gaps = _informative(results["gaps"])
    by_size, (axes,) = plots.canvas(width=9.0)
    plots.means(axes, gaps, "tasks", "solver", "gap_bound", SHOWN)
    axes.set(xlabel="tasks = providers", ylabel="mean gap to the certified bound", xscale="log", ylim=(0, 1.02))
    plots.percent(axes)
    plots.legend(axes)

    open_gaps, (other, axes) = plots.canvas(2, width=10.0)
    own = gaps[gaps["solver"] == BOUND]
    for family, colour in plots.colours(sorted(own["family"].unique())).items():
        median = own[own["family"] == family].groupby("tasks")["gap_bound"].median()
        axes.plot(median.index, median.clip(lower=1e-6), marker="o", markersize=4, color=colour, label=family)
    axes.set(title="column generation, by family", xlabel="tasks = providers", ylabel="median certified gap")
    axes.set(xscale="log", yscale="log")
    plots.legend(axes)
    concentration = results["concentration"]
    mean = concentration.groupby("share")["gap"].mean()
    other.plot([f"{share:.1%}" for share in mean.index], mean, marker="o", color=plots.PALETTE[0])
    other.set(title="one large provider", xlabel="its share of all slots", ylabel="mean certified gap")
    plots.percent(other)
    return {
        "The gap to the certified bound by size, mean and 95 % interval over all families.": by_size,
        "What column generation leaves open within its limit: on the left where one provider holds much of all slots, "
        "on the right by family; where it stops at the limit it grows with the market.": open_gaps,
    }


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Gaps by size and family, and the large provider."""
    gaps = _informative(results["gaps"])
    shown = gaps[gaps["solver"].isin(SHOWN)]
    return {
        "Gap to the certified bound by size": statistics.summary(shown, ["tasks", "solver"], "gap_bound", SHARE),
        "Gap to the certified bound by family": statistics.summary(
            shown, ["family", "tasks", "solver"], "gap_bound", SHARE
        ),
        "Seconds by size": shown.groupby(["tasks", "solver"])["seconds"].agg(["median", "max"]).reset_index(),
        "One large provider": statistics.summary(results["concentration"], ["share"], "gap", SHARE),
    }
