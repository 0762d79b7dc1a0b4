"""How the auction's time grows with the market, beside the exact solvers'."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments import plots, statistics, sweep
from experiments.claims import Judgement, Results, Size, Verdict
from experiments.sweep import BACKFILL, PRINTED, Draw, seed_range

TITLE = "The heuristic is polynomial"
PART = "allocation"
TIMED = True
SECTION = "4.2"
STATEMENT = "We present a polynomial time combinatorial algorithm for Equation 1, which is NP-Hard."
QUADRATIC, CUBIC = 2, 3  # exponents

# Largest exponent of ten, repetitions, exact sizes, seeds, seconds an exact solver
GRID = {
    "tiny": (4.0, 3, (4, 6, 8), 1, 2.0),
    "small": (6.0, 2, (5, 8, 12, 16), 2, 2.0),
    "full": (6.0, 10, (5, 8, 12, 16, 20, 26, 32, 40, 50), 10, 60.0),
}
FAMILIES = ("classes", "uniform")
ASYMPTOTIC = 1000  # tasks from which running takes longer than calling
VARIED = {
    "size": "{auction.tasks} tasks; {exact.tasks} for exact solvers",
    "family": "{auction.family}",
}
FIXED = {
    "model types": "{auction.types}",
    "machine": "one",
    "providers": "as many as tasks",
}


def run(size: Size, block: int = 0) -> Results:
    """Time the auction from 100 tasks and providers up, and the exact solvers from 5 x 10 up."""
    top, repetitions, sizes, seeds, limit = GRID[size]
    steps = [round(10**e) for e in np.arange(2.0, top + 0.01, 0.5)]
    draws = [Draw(family, n, n, seed) for family in FAMILIES for n in steps for seed in seed_range(repetitions, block)]
    auction = sweep.run(draws, [PRINTED, BACKFILL], "bundle", "timing the auction", alone=True)
    draws = [Draw("uniform", m, 2 * m, seed) for m in sizes for seed in seed_range(seeds, block)]
    return {
        "auction": auction,
        "exact": sweep.run(draws, sweep.exact(limit), "bundle", "timing exact solvers", alone=True),
    }


def _asymptotic(auction: pd.DataFrame) -> pd.DataFrame:
    """The sizes whose time is that of the algorithm."""
    return auction[auction["tasks"] >= ASYMPTOTIC]


def exponents(results: Results) -> pd.DataFrame:
    """Fitted exponents of seconds in tasks, by family and solver; exact runs cut short count at their limit."""
    rows = []
    for part, runs in (("auction", _asymptotic(results["auction"])), ("exact", results["exact"])):
        for (family, solver), own in runs.groupby(["family", "solver"], sort=False):
            fit, low, high = statistics.exponent(own["tasks"], own["seconds"])
            rows.append((part, family, solver, fit, low, high, own["seconds"].max(), own["proven"].mean()))
    columns = ["part", "family", "solver", "exponent", "low", "high", "longest, s", "share proved"]
    table = pd.DataFrame(rows, columns=columns)
    table.loc[table["part"] == "auction", "share proved"] = np.nan
    return table


def check(results: Results) -> Verdict:
    """The criterion on the auction's exponents."""
    table = exponents(results)
    auction, exact = table[table["part"] == "auction"], table[table["part"] == "exact"]
    worst = auction.loc[auction["high"].idxmax()]
    verdict: Judgement = "upheld" if worst["high"] < QUADRATIC else "qualified" if worst["high"] < CUBIC else "refuted"
    largest = results["auction"]["tasks"].max()
    slowest = results["auction"][results["auction"]["tasks"] == largest]["seconds"].max()
    return Verdict(
        verdict,
        f"exponent {worst['exponent']:.2f} ({worst['low']:.2f} to {worst['high']:.2f}) at worst",
        f"{largest:,} tasks × {largest:,} providers take at most {slowest:.2f} s. By construction a task looks at "
        "no more providers than it has requests; the two sorts dominate. Exact solvers on uniform markets fit "
        f"exponents of {exact['exponent'].min():.1f} to {exact['exponent'].max():.1f} while they finish, and prove "
        f"{results['exact'][results['exact']['tasks'] == results['exact']['tasks'].max()]['proven'].mean():.0%} at "
        f"{results['exact']['tasks'].max()} tasks within their limit.",
    )


def figures(results: Results) -> dict[str, Figure]:
    """Seconds over size, in logarithms: the auction on the left, the exact solvers on the right."""
    figure, panels = plots.canvas(2)
    left, right = panels
    series = {
        (f, s): f"{s.removeprefix('bid density, ')} · {f}" for f in FAMILIES for s in (PRINTED.label, BACKFILL.label)
    }
    runs = results["auction"]
    for ((family, solver), label), colour in zip(series.items(), plots.PALETTE, strict=False):
        own = runs[(runs["family"] == family) & (runs["solver"] == solver)]
        left.scatter(own["tasks"], own["seconds"], s=10, color=colour, alpha=0.4, linewidths=0)
        median = own.groupby("tasks")["seconds"].median()
        left.plot(median.index, median, color=colour, label=label)
    left.set(title="bid density", xlabel="tasks = providers", ylabel="seconds", xscale="log", yscale="log")
    left.legend(fontsize=8)
    for solver, colour in plots.colours(list(dict.fromkeys(results["exact"]["solver"]))).items():
        own = results["exact"][results["exact"]["solver"] == solver]
        right.scatter(own["tasks"], own["seconds"], s=10, color=colour, alpha=0.5, linewidths=0)
        median = own.groupby("tasks")["seconds"].median()
        right.plot(median.index, median, color=colour, label=solver)
    right.set(title="exact solvers", xlabel="tasks (twice as many providers)", yscale="log")
    right.legend(fontsize=8)
    return {"Solving time by size; dots are runs, lines medians. Exact solvers stop at their limit.": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Exponents, and the exact solvers by size."""
    exact = results["exact"].groupby(["tasks", "providers", "solver"], sort=False)[["proven", "seconds"]].mean()
    return {
        "Fitted exponents": exponents(results),
        "Exact solvers by size: share proved and mean seconds": exact.reset_index(),
    }
