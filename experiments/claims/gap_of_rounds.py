"""How far the rounds of a market that runs are from the certified optimum, and what that does to who waits."""

import pandas as pd
from matplotlib.figure import Figure

from experiments import plots, statistics
from experiments.claims import Results, Size, Verdict, _market_runs
from experiments.marketplace.simulation.summary import rounds_of
from experiments.progress import track
from experiments.statistics import SHARE

TITLE = "The gap of the rounds of a market that runs"
PART = "market"
FINDING = "How far from the optimum are the rounds of a market whose unmatched orders wait for the next?"

SOLVERS = ("bid_density", "greedy", "column_generation")
# Orders, devices, seeds
GRID: dict[Size, tuple[int, int, int]] = {"tiny": (120, 40, 1), "small": (600, 120, 4), "full": (10_000, 1_000, 10)}
DISHONEST = 0.2
VARIED = {"solver": "{rounds.solver}"}
FIXED = _market_runs.FIXED | {"dishonest devices": "20 %", "prices": "the whitepaper's, of each solver's allocation"}
CHANGED = _market_runs.CHANGED | {"size": "800 orders and 150 devices a market before, made 600 and 120 for time"}


def run(size: Size, block: int = 0) -> Results:
    """A market under each solver, with the same devices and orders: welfare and bound by round, outcomes of orders."""
    orders, devices, seeds = GRID[size]
    rounds, served = [], []
    jobs = [(seed, solver) for seed in _market_runs.seeds(seeds, block) for solver in SOLVERS]
    for seed, solver in track(jobs, "markets by solver"):
        with _market_runs.ran(seed, orders, devices, DISHONEST, solver=solver) as world:
            rounds.append(rounds_of(world).assign(seed=seed, solver=solver))
            lives = _market_runs.lives(world)
        done = lives[lives["outcome"] == "served"]
        served.append((seed, solver, len(done) / len(lives), done["over"].quantile(0.99)))
    columns = ["seed", "solver", "served", "99 % within"]
    return {"rounds": pd.concat(rounds, ignore_index=True), "served": pd.DataFrame(served, columns=columns)}


def _lost(results: Results) -> pd.DataFrame:
    """A row a market: the share of its rounds' bounds that was lost."""
    markets = results["rounds"].groupby(["solver", "seed"], as_index=False, sort=False)[["welfare", "bound"]].sum()
    return markets.assign(lost=1 - markets["welfare"] / markets["bound"])


def check(results: Results) -> Verdict:
    """What the whitepaper's auction loses, beside the others."""
    lost = {name: statistics.mean_interval(own["lost"], SHARE) for name, own in _lost(results).groupby("solver")}
    served = results["served"].groupby("solver")["served"].mean()
    own, others = lost[SOLVERS[0]], [name for name in lost if name != SOLVERS[0]]
    beside = " and ".join(f"{name} {lost[name][0]:.1%}" for name in others)
    return Verdict(
        "found",
        f"{own[0]:.1%} ({own[1]:.1%} to {own[2]:.1%}) of the certified bound is lost by the whitepaper's auction",
        f"By {beside}. An order that is not matched waits, and the bound of the next round counts it again; of all "
        f"orders the whitepaper's serves {served[SOLVERS[0]]:.1%}, "
        + " and ".join(f"{name} {served[name]:.1%}" for name in others)
        + ".",
    )


def figures(results: Results) -> dict[str, Figure]:
    """The gap round by round, mean over markets."""
    figure, (axes,) = plots.canvas()
    for colour, solver in zip(plots.PALETTE, SOLVERS, strict=False):
        own = results["rounds"][results["rounds"]["solver"] == solver]
        by_round = own.groupby("round")[["welfare", "bound"]].sum()
        axes.plot(by_round.index, 1 - by_round["welfare"] / by_round["bound"], marker="o", color=colour, label=solver)
    axes.set(xlabel="round", ylabel="of the certified bound, lost", ylim=(0, None))
    plots.percent(axes)
    plots.legend(axes)
    return {"What each round loses of its certified bound, over all markets": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """The share that is lost and the share served, by solver."""
    served = results["served"].groupby("solver", sort=False)[["served", "99 % within"]].mean().reset_index()
    return {"Lost of the certified bounds": statistics.summary(_lost(results), ["solver"], "lost", SHARE).merge(served)}
