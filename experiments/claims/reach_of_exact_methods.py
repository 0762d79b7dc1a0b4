"""How far exact methods reach: a ladder of sizes, every solver on each rung at the same limit."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments import plots, sweep
from experiments.claims import Judgement, Results, Size, Verdict, undecided
from experiments.sweep import Draw, Plan, seed_range

TITLE = "How far exact methods reach"
PART = "allocation"
FINDING = "Up to which size do exact methods prove the optimum, though the problem is NP-hard?"

GRID = {  # tasks (twice as many providers), seeds, seconds a solver
    "tiny": ((6, 10), 1, 3.0),
    "small": ((10, 20, 40), 1, 2.0),
    "full": ((10, 20, 40, 80), 10, 60.0),
}
TYPES = {  # numbers of model types, sizes of each family, seeds, seconds a solver
    "tiny": ((2, 5), {"uniform": 5, "sparse": 8}, 1, 1.0),
    "small": ((2, 6, 16), {"uniform": 20, "sparse": 40}, 1, 1.0),
    "full": ((2, 3, 4, 6, 8, 16, 40), {"uniform": 20, "sparse": 80}, 10, 60.0),
}
MANY = 0.5  # of the markets
ENOUGH = 10  # markets on the last rung
BY_TYPES = ("family", "types", "tasks", "providers")
GENERATION = "column generation"
SHIFT = 1.0  # seconds, of the shifted geometric mean
VARIED = {
    "size": "{runs.tasks} tasks, twice as many providers",
    "solver": "{runs.solver}",
    "model types": "{types.types} in families of many; {runs.types} by size",
    "family": "{types.family} by model types; {runs.family} by size",
}
FIXED = {
    "time": "{runs.limit} s a solve, {types.limit} s by model types; 60 s and ten seeds belong to the size full",
    "reading": "{runs.reading}",
}


def run(size: Size, block: int = 0) -> Results:
    """Uniform markets, then uniform and sparse ones of many types; integer programmes start from the best heuristic."""
    sizes, seeds, limit = GRID[size]
    draws = [Draw("uniform", m, 2 * m, seed) for m in sizes for seed in seed_range(seeds, block)]
    plans = [Plan(GENERATION, "column_generation", {}, limit), *sweep.exact(limit)]
    runs = sweep.run(draws, plans, "bundle", "exact methods").assign(limit=limit)
    return {"runs": runs, "types": _by_types(size, block)}


def _by_types(size: Size, block: int) -> pd.DataFrame:
    types, tasks, seeds, limit = TYPES[size]
    draws = [
        Draw(family, m, 2 * m, seed, K)
        for family, m in tasks.items()
        for K in types
        for seed in seed_range(seeds, block)
    ]
    plans = [Plan(GENERATION, "column_generation", {}, limit), *sweep.exact(limit)]
    return sweep.run(draws, plans, "bundle", "exact methods by types").assign(limit=limit)


def ladder(runs: pd.DataFrame, by: tuple[str, ...] = ("tasks", "providers")) -> pd.DataFrame:
    """By size, or by what else, and solver: share proved, mean gaps to the best known, shifted geometric mean time."""
    runs = runs[runs["best"] > 0]
    runs = runs.assign(dual=(runs["bound"] / runs["best"] - 1.0).astype(float), log=np.log(runs["seconds"] + SHIFT))
    table = runs.groupby([*by, "solver"], sort=False)[["proven", "only its start", "gap", "dual", "log"]].mean()
    table["log"] = np.exp(table["log"]) - SHIFT
    names = {"proven": "share proved", "gap": "primal gap", "dual": "dual gap", "log": "seconds (shifted geometric)"}
    return table.reset_index().rename(columns=names)


def check(results: Results) -> Verdict:
    """The share proved on the last rung."""
    table = ladder(results["runs"])
    last = table[table["tasks"] == table["tasks"].max()]
    best = last.loc[last["share proved"].idxmax()]
    runs = results["runs"]
    markets = ((runs["tasks"] == best["tasks"]) & (runs["solver"] == best["solver"]) & (runs["best"] > 0)).sum()
    if markets < ENOUGH:
        return undecided(
            f"Of {best['tasks']} tasks {markets} markets were tried, {runs['limit'].iloc[0]:g} s a solver; "
            f"a fair trial is size full: {ENOUGH} or more, a minute each."
        )
    stuck = last[last["solver"] != GENERATION]["only its start"]
    share = best["share proved"]
    others = last[last["solver"] != best["solver"]]["share proved"].max()
    return Verdict(
        "found",
        f"{share:.0%} of the markets of {best['tasks']} tasks and {best['providers']} providers are proved by "
        f"{best['solver']}",
        f"The next best solver proves {others:.0%} within {results['runs']['limit'].iloc[0]:g} s; integer programmes "
        f"end with the heuristic allocation that they began with on {stuck.min():.0%} to {stuck.max():.0%} of the "
        "markets. Markets of useful size are within reach although the problem is NP-hard: hardness is no reason to "
        "settle for a large gap.",
    )


def as_a_claim(results: Results) -> Judgement:
    """By the criterion of the claim that this was: whether hardness bites in practice."""
    table = ladder(results["runs"])
    share = table[table["tasks"] == table["tasks"].max()]["share proved"].max()
    return "refuted" if share == 1 else "qualified" if share >= MANY else "upheld"


def figures(results: Results) -> dict[str, Figure]:
    """Share proved by size, the performance profile of times, and share proved by types."""
    runs, table = results["runs"], ladder(results["runs"])
    figure, (left, right) = plots.canvas(2, width=9.5)
    for solver, colour in plots.colours(dict.fromkeys(runs["solver"])).items():
        own = table[table["solver"] == solver]
        left.plot(own["tasks"], own["share proved"], marker="o", markersize=4, color=colour, label=solver)
        seconds = np.sort(runs[(runs["solver"] == solver) & runs["proven"]]["seconds"])
        total = (runs["solver"] == solver).sum()
        right.step(seconds, np.arange(1, seconds.size + 1) / total, where="post", color=colour, label=solver)
    left.set(xlabel="tasks (twice as many providers)", ylabel="share proved", ylim=(-0.02, 1.05), xscale="log")
    left.set_xticks(sorted(table["tasks"].unique()), [str(t) for t in sorted(table["tasks"].unique())])
    left.minorticks_off()
    right.set(xlabel="seconds", ylabel="share of all markets proved", ylim=(-0.02, 1.05), xscale="log")
    for axes in (left, right):
        plots.percent(axes)
    plots.legend(right)
    return {
        "Share of uniform markets proved within the limit, by size (left) and by time (right).": figure,
        "Share of markets proved within the limit, by the number of model types.": _types_figure(results["types"]),
    }


def _types_figure(runs: pd.DataFrame) -> Figure:
    table = ladder(runs, BY_TYPES)
    figure, panels = plots.canvas(2, width=9.5, sharey=True)
    for axes, (family, own) in zip(panels, table.groupby("family", sort=False), strict=True):
        for solver, colour in plots.colours(dict.fromkeys(runs["solver"])).items():
            one = own[own["solver"] == solver]
            axes.plot(one["types"], one["share proved"], marker="o", markersize=4, color=colour, label=solver)
        size = f"{own['tasks'].iloc[0]} × {own['providers'].iloc[0]}"
        axes.set(title=f"{family}, {size}", xlabel="model types", ylim=(-0.02, 1.05), xscale="log")
        ticks = sorted(own["types"].unique())
        axes.set_xticks(ticks, [str(t) for t in ticks])
        axes.minorticks_off()
    plots.percent(panels[0])
    panels[0].set_ylabel("share proved")
    plots.legend(panels[1])
    return figure


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """The ladders."""
    return {"The ladder of sizes": ladder(results["runs"]), "By model types": ladder(results["types"], BY_TYPES)}
