"""How many model types exact methods bear: every solver at the same limit, where tasks ask for all types or for few."""

import pandas as pd
from matplotlib.figure import Figure

from experiments import plots, statistics, sweep
from experiments.claims import Results, Size, Verdict, undecided
from experiments.claims._ladder import ENOUGH, GENERATION, ladder, nearly
from experiments.sweep import Draw, Plan, seed_range

TITLE = "How many model types exact methods bear"
PART = "allocation"
FINDING = "Up to how many model types do exact methods prove the optimum?"

TYPES = {  # numbers of model types, sizes of each family, seeds, seconds a solver
    "tiny": ((2, 5), {"uniform": 5, "sparse": 8}, 1, 1.0),
    "small": ((2, 6, 16), {"uniform": 20, "sparse": 40}, 1, 1.0),
    "full": ((2, 4, 8, 16, 40), {"uniform": 20, "sparse": 80}, 10, 60.0),
}
BY = ("family", "types", "tasks", "providers")
VARIED = {
    "model types": "{runs.types}",
    "family": "{runs.family}: tasks ask for any types, or for a few of which providers hold a few",
    "solver": "{runs.solver}",
}
FIXED = {
    "size": "{runs.tasks} tasks, twice as many providers, by family",
    "time": "{runs.limit} s a solve; 60 s and ten seeds belong to the size full",
    "reading": "{runs.reading}",
}


def run(size: Size, block: int = 0) -> Results:
    """Uniform and sparse markets of few and of many types; integer programmes start from the best heuristic."""
    types, tasks, seeds, limit = TYPES[size]
    draws = [
        Draw(family, m, 2 * m, seed, K)
        for family, m in tasks.items()
        for K in types
        for seed in seed_range(seeds, block)
    ]
    plans = [Plan(GENERATION, "column_generation", {}, limit), *sweep.exact(limit)]
    return {"runs": sweep.run(draws, plans, "bundle", "exact methods by types").assign(limit=limit)}


def check(results: Results) -> Verdict:
    """The share proved by the best solver, family by family, and by the best of the others."""
    runs = results["runs"]
    runs, limit = runs[runs["best"] > 0], runs["limit"].iloc[0]
    rungs = runs.groupby(["family", "types"])["seed"].nunique()
    if rungs.min() < ENOUGH:
        return undecided(
            f"Markets tried of each number of types: as few as {rungs.min()}, {limit:g} s a solver; a fair trial is "
            f"size full: {ENOUGH} or more, a minute each."
        )
    shares = runs.groupby("solver")["proven"].mean()
    best = str(shares.idxmax())
    own = runs[runs["solver"] == best].groupby("family", sort=False)["proven"]
    told = " and ".join(f"{_share(proven)} {family} ones" for family, proven in own)
    next_best = shares.drop(best)
    by = runs[runs["solver"] == next_best.idxmax()].groupby(["family", "types"], sort=False)["proven"].mean()
    family, types = by.idxmin()
    return Verdict(
        "found",
        f"Of markets of {runs['types'].min()} to {runs['types'].max()} model types {best} proves {told}",
        f"{next_best.idxmax()}, the next best, proves {next_best.max():.0%} within {limit:g} s; fewest, "
        f"{by.min():.0%}, of {family} markets of {types} types.{nearly(runs)}",
    )


def _share(proven: pd.Series) -> str:
    share, low, high = statistics.share_interval(int(proven.sum()), len(proven))
    return f"{share:.0%} ({low:.0%} to {high:.0%}) of {len(proven)}"


def figures(results: Results) -> dict[str, Figure]:
    """Share proved by types."""
    runs = results["runs"]
    table = ladder(runs, BY)
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
    return {"Share of markets proved within the limit, by the number of model types.": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """The ladders."""
    return {"By model types": ladder(results["runs"], BY)}
