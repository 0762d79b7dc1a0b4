"""How far the bid-density auction is from the optimum, by family, size, reading and variant."""

import pandas as pd
from matplotlib.figure import Figure

from auction.market import Reading
from experiments import plots, statistics, sweep
from experiments.claims import Results, Size, Verdict
from experiments.claims._gap_verdict import judged
from experiments.statistics import SHARE
from experiments.sweep import BEST_VARIANT, COLOURS, FAMILIES, GREEDY, MAIN, PRINTED, VARIANTS, Draw, Plan, seed_range

TITLE = "The optimality gap"
PART = "allocation"
SECTION = "4.2"
STATEMENT = (
    "Following Zhai et. al. (2018) and Jiang et. al. (2021), our scheduling mechanism invokes a bid density (bd) "
    "mechanism to push bids for efficient allocations."
)

# Sizes (tasks, providers), seeds a family and seconds for the reference; then the same for the exact solvers.
GRID = {
    "tiny": (((3, 6), (6, 12)), 2, 1.0, ((5, 10),), 1, 2.0),
    "small": (((5, 10), (10, 20), (20, 40)), 6, 4.0, ((20, 40),), 3, 5.0),
    "full": (((5, 10), (10, 20), (20, 40), (40, 80)), 20, 30.0, ((20, 40), (40, 80)), 10, 60.0),
}
# Size, numbers of model types, seeds a family, seconds for the reference.
TYPES = {
    "tiny": ((4, 8), (2, 5), 1, 1.0),
    "small": ((20, 40), (1, 2, 4, 8, 16, 40), 2, 10.0),
    "full": ((20, 40), (1, 2, 3, 4, 6, 8, 16, 40), 20, 60.0),
}
OF_MANY_TYPES = {  # families that have markets of any number of them
    "uniform": "uniform: tasks demand nearly all types, providers serve nearly all",
    "sparse": "sparse: tasks demand 1 to 3 types, providers serve 1 to 4",
}
GENERATION = "column generation"
UNPROVEN = "not proven of the best known"
LP = "LP relaxation"
VARIED = {
    "family": "{gaps.family:count} families, as fixed strata",
    "size": "{gaps.tasks} tasks, twice as many providers",
    "reading": "{gaps.reading}",
    "model types": "{types.types}, in families that have them; {gaps.types} elsewhere",
}
FIXED = {
    "value, cost": "the families' own",
}


def run(size: Size, block: int = 0) -> Results:
    """The gaps under both readings and by the number of types, and the exact solvers side by side on ``uniform``."""
    gaps = pd.concat([_gaps(size, "bundle", block), _gaps(size, "whole", block)], ignore_index=True)
    *_, sizes, seeds, limit = GRID[size]
    draws = [Draw("uniform", m, n, seed) for m, n in sizes for seed in seed_range(seeds, block)]
    plans = [*sweep.exact(limit), Plan(LP, "lp_bound", {}, limit)]
    exact = sweep.run(draws, plans, "bundle", "exact solvers")
    return {"gaps": gaps, "types": _by_types(size, block), "exact": exact}


def _by_types(size: Size, block: int) -> pd.DataFrame:
    (m, n), types, seeds, limit = TYPES[size]
    draws = [Draw(f, m, n, seed, K) for f in OF_MANY_TYPES for K in types for seed in seed_range(seeds, block)]
    plans = [PRINTED, GREEDY[0], Plan(GENERATION, "column_generation", {}, limit)]
    return sweep.run(draws, plans, "bundle", "optimality gap by types")


def _gaps(size: Size, reading: Reading, block: int) -> pd.DataFrame:
    sizes, seeds, limit, *_ = GRID[size]
    draws = [Draw(family, m, n, seed) for family in FAMILIES for m, n in sizes for seed in seed_range(seeds, block)]
    reference = {
        "bundle": [Plan(GENERATION, "column_generation", {}, limit)],
        "whole": [Plan("assignment", "assignment")],
    }
    runs = sweep.run(draws, [*VARIANTS, *GREEDY, *reference[reading]], reading, f"optimality gap, {reading}")
    return sweep.with_best_variant(runs)


def _informative(gaps: pd.DataFrame) -> pd.DataFrame:
    """Solvers with an allocation, on markets in which something can be won."""
    return gaps[(gaps["best"] > 0) & (gaps["solver"] != LP)]


def _largest(gaps: pd.DataFrame, reading: str) -> pd.DataFrame:
    gaps = _informative(gaps)
    return gaps[(gaps["tasks"] == gaps["tasks"].max()) & (gaps["reading"] == reading)]


def check(results: Results) -> Verdict:
    """The criterion on the largest size; gaps are to the best known welfare, so where unproven they are too small."""
    own = _largest(results["gaps"], "bundle")
    by_solver = {
        label: statistics.stratified(each["gap"], each["family"], SHARE) for label, each in own.groupby("solver")
    }
    families = own[own["solver"] == PRINTED.label].groupby("family")["gap"].mean()
    printed, best = by_solver[PRINTED.label], by_solver[BEST_VARIANT]
    greedy = by_solver[GREEDY[0].label]
    proven = (own["best"] == own["upper"]).groupby(own["market"]).first().mean()
    optima = "all optima are proven"
    if proven < 1:
        optima = f"{proven:.0%} of the optima are proven, elsewhere the gap is to the best known"
    return Verdict(
        judged(printed[0], best[0]),
        f"{_interval(printed)} of the optimal welfare is lost",
        f"On {own['market'].nunique()} markets of {own['tasks'].max()} tasks and {own['providers'].max()} providers "
        f"over {own['family'].nunique()} families, whose means run from {families.min():.0%} ({families.idxmin()}) to "
        f"{families.max():.0%} ({families.idxmax()}); {optima}. The best of its eight variants, chosen with hindsight, "
        f"loses {_interval(best)}; a greedy by value per unit of demand with cheapest covers {_interval(greedy)}.",
    )


def headline(results: Results) -> tuple[str, Figure]:
    """What the page's head says of it."""
    own = _largest(results["gaps"], "bundle")
    lost = {label: float(own[own["solver"] == label]["gap"].mean()) for label in (PRINTED.label, GREEDY[0].label)}
    printed, greedy = lost.values()
    said = f"The auction leaves {printed:.0%} of the welfare on the table; a greedy of one line leaves {greedy:.0%}."
    names = ("the whitepaper's auction", "greedy by value per unit")
    return said, plots.bars(
        dict(zip(names, lost.values(), strict=True)), [f"{share:.0%} lost" for share in lost.values()]
    )


def _interval(mean_low_high: tuple[float, float, float]) -> str:
    mean, low, high = mean_low_high
    return f"{mean:.1%} ({low:.1%} to {high:.1%})"


def figures(results: Results) -> dict[str, Figure]:
    """By family; performance profile; by size and reading; by types; the exact solvers' primal and dual gaps."""
    gaps = _informative(results["gaps"])
    largest = _largest(results["gaps"], "bundle")
    size = f"{largest['tasks'].max()} × {largest['providers'].max()}"

    by_family, (axes,) = plots.canvas(height=0.5 * largest["family"].nunique() + 1.2)
    plots.strips(axes, largest, "family", "solver", "gap", MAIN)
    plots.percent(axes, "x")
    axes.set(xlabel="share of the optimal welfare lost", xlim=(-0.02, 1.02))
    axes.legend(loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=3)

    profile, (axes,) = plots.canvas(width=9.0)
    plots.profiles(axes, largest, "solver", "gap", COLOURS)
    axes.set(xlabel="gap at most", ylabel="share of markets")
    plots.legend(axes)

    by_size, panels = plots.canvas(2, width=9.0, sharey=True)
    for axes, reading in zip(panels, ("bundle", "whole"), strict=True):
        plots.means(axes, gaps[gaps["reading"] == reading], "tasks", "solver", "gap", MAIN)
        axes.set(title=f"reading: {reading}", xlabel="tasks (twice as many providers)", ylim=(0, 1.02), xscale="log")
        ticks = sorted(gaps["tasks"].unique())
        axes.set_xticks(ticks, [str(t) for t in ticks])
        axes.minorticks_off()
    plots.percent(panels[0])
    panels[0].set_ylabel("mean gap, all families")
    plots.legend(panels[1])

    return {
        f"Every dot is a market of {size}: the share of the optimal welfare lost. Bars are means.": by_family,
        f"Performance profile over all families at {size}: in what share of markets is the gap at most x?": profile,
        "The gap by size and reading, mean and 95 % interval over all families.": by_size,
        "The gap by the number of model types, mean and 95 % interval: what the auction and the greedy lose of the "
        "best known welfare, and how far the best known is from what is proven of the optimum.": _types_figure(
            results["types"]
        ),
        "Exact solvers on uniform markets, started from the best heuristic: how far the best allocation found is from "
        "the best known (primal), and how far the proven bound is from it (dual).": _exact_figure(results["exact"]),
    }


def _types_figure(runs: pd.DataFrame) -> Figure:
    """A panel a family; the axis of types is logarithmic, that of gaps too, but for 0."""
    runs = by_types(runs)
    figure, panels = plots.canvas(2, width=9.5, sharey=True)
    colours = {label: MAIN[label] for label in (PRINTED.label, GREEDY[0].label)} | {UNPROVEN: plots.MUTED}
    for axes, (family, title) in zip(panels, OF_MANY_TYPES.items(), strict=True):
        plots.means(axes, runs[runs["family"] == family], "types", "solver", "gap", colours)
        ticks = sorted(runs["types"].unique())
        axes.set(title=title.partition(":")[0], xlabel="model types", xscale="log")
        axes.set_xticks(ticks, [str(t) for t in ticks])
        axes.minorticks_off()
        axes.set_yscale("symlog", linthresh=1e-3)
        axes.set_ylim(0, 1.02)
    plots.percent(panels[0])
    panels[0].set_ylabel("mean gap")
    plots.legend(panels[1])
    return figure


def by_types(runs: pd.DataFrame) -> pd.DataFrame:
    """What the auction and the greedy lose, and, as a solver of its own, what is not proven of the best known."""
    runs = _informative(runs)
    reference = runs[runs["solver"] == GENERATION]
    proven = (1.0 - reference["best"] / reference["upper"]).astype(float)
    return pd.concat(
        (runs[runs["solver"] != GENERATION], reference.assign(solver=UNPROVEN, gap=proven)), ignore_index=True
    )


def _exact_figure(runs: pd.DataFrame) -> Figure:
    table = exact_gaps(runs)
    figure, panels = plots.canvas(
        2, height=0.35 * runs["solver"].nunique() * runs["tasks"].nunique() + 1.4, sharey=True
    )
    labels = [f"{row.solver}, {row.tasks} tasks" for row in table.itertuples()]
    for axes, kind, colour in zip(panels, ("primal gap", "dual gap"), plots.PALETTE[3:5], strict=True):
        axes.barh(labels, table[kind].astype(float), color=colour, height=0.6)
        for y, gap in enumerate(table[kind]):
            axes.text(0 if pd.isna(gap) else gap, y, "  none" if pd.isna(gap) else f"  {gap:.2%}", va="center")
        axes.set(title=f"mean {kind}", xlim=(0, max(0.01, 1.35 * float(table[kind].max()))))
        axes.grid(visible=False)
        axes.set_xticks([])
    panels[0].invert_yaxis()
    return figure


def exact_gaps(runs: pd.DataFrame) -> pd.DataFrame:
    """Each exact solver by size: mean primal and dual gap to the best known welfare, share proved and share that
    is no better than the heuristic allocation it began with, mean seconds."""
    runs = runs[runs["best"] > 0]
    runs = runs.assign(
        primal=(1.0 - runs["welfare"] / runs["best"]).where(runs["solver"] != LP),
        dual=(runs["bound"] / runs["best"] - 1.0).astype(float),
    )
    table = runs.groupby(["tasks", "providers", "solver"], sort=False)[
        ["primal", "dual", "proven", "only its start", "seconds"]
    ].mean()
    return table.reset_index().rename(columns={"primal": "primal gap", "dual": "dual gap", "proven": "share proved"})


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Gaps by family, size and types, and the exact solvers."""
    gaps = _informative(results["gaps"])
    largest = gaps[gaps["tasks"] == gaps["tasks"].max()]
    return {
        "Gap by family at the largest size": statistics.summary(largest, ["reading", "family", "solver"], "gap", SHARE),
        "Gap by size, all families": statistics.summary(gaps, ["reading", "tasks", "solver"], "gap", SHARE),
        "Gap by the number of model types": statistics.summary(
            by_types(results["types"]), ["family", "types", "solver"], "gap", SHARE
        ),
        "Exact solvers on uniform markets, started from the best heuristic": exact_gaps(results["exact"]),
    }
