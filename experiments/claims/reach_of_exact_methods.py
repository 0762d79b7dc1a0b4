"""How far exact methods reach: a ladder of sizes, every solver on each rung at the same limit."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments import plots, statistics, sweep
from experiments.claims import Judgement, Results, Size, Verdict, undecided
from experiments.claims._ladder import ENOUGH, GENERATION, ladder, nearly
from experiments.sweep import Draw, Plan, seed_range

TITLE = "How far exact methods reach"
PART = "allocation"
FINDING = "Up to which size do exact methods prove the optimum, though the problem is NP-hard?"

GRID = {  # tasks (twice as many providers), seeds, seconds a solver
    "tiny": ((6, 10), 1, 3.0),
    "small": ((10, 20, 40), 1, 2.0),
    "full": ((10, 20, 40, 80), 10, 60.0),
}
MANY = 0.5  # of the markets
VARIED = {
    "size": "{runs.tasks} tasks, twice as many providers",
    "solver": "{runs.solver}",
    "model types": "{runs.types}; more in the finding by model types",
    "family": "{runs.family}",
}
FIXED = {
    "time": "{runs.limit} s a solve; 60 s and ten seeds belong to the size full",
    "reading": "{runs.reading}",
}


def run(size: Size, block: int = 0) -> Results:
    """Uniform markets; integer programmes start from the best heuristic."""
    sizes, seeds, limit = GRID[size]
    draws = [Draw("uniform", m, 2 * m, seed) for m in sizes for seed in seed_range(seeds, block)]
    plans = [Plan(GENERATION, "column_generation", {}, limit), *sweep.exact(limit)]
    return {"runs": sweep.run(draws, plans, "bundle", "exact methods").assign(limit=limit)}


def check(results: Results) -> Verdict:
    """The share proved on the last rung."""
    table = ladder(results["runs"])
    last = table[table["tasks"] == table["tasks"].max()]
    best = last.loc[last["share proved"].idxmax()]
    runs = results["runs"]
    markets = ((runs["tasks"] == best["tasks"]) & (runs["solver"] == best["solver"]) & (runs["best"] > 0)).sum()
    if markets < ENOUGH:
        return undecided(
            f"Markets tried of {best['tasks']} tasks: {markets}, {runs['limit'].iloc[0]:g} s a solver; "
            f"a fair trial is size full: {ENOUGH} or more, a minute each."
        )
    stuck = last[last["solver"] != GENERATION]["only its start"]
    share, low, high = statistics.share_interval(round(best["share proved"] * markets), int(markets))
    others = last[last["solver"] != best["solver"]]["share proved"].max()
    return Verdict(
        "found",
        f"{share:.0%} ({low:.0%} to {high:.0%}) of {markets} markets of {best['tasks']} tasks and {best['providers']} "
        f"providers are proved by {best['solver']}",
        f"The next best solver proves {others:.0%} within {results['runs']['limit'].iloc[0]:g} s; integer programmes "
        f"end with the heuristic allocation that they began with on {stuck.min():.0%} to {stuck.max():.0%} of the "
        "markets. Markets of useful size are within reach although the problem is NP-hard: hardness is no reason to "
        f"settle for a large gap.{nearly(runs)}",
    )


def as_a_claim(results: Results) -> Judgement:
    """By the criterion of the claim that this was: whether hardness bites in practice."""
    table = ladder(results["runs"])
    share = table[table["tasks"] == table["tasks"].max()]["share proved"].max()
    return "refuted" if share == 1 else "qualified" if share >= MANY else "upheld"


def figures(results: Results) -> dict[str, Figure]:
    """Share proved by size, and the performance profile of times."""
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
    return {"Share of uniform markets proved within the limit, by size (left) and by time (right).": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """The ladder."""
    return {"The ladder of sizes": ladder(results["runs"])}
