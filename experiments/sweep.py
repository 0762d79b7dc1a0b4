"""Solvers times markets: one tidy row a run, each measured against the best that any of them found or proved."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from auction import solve, sweeps
from auction.commands.terminal import shown
from auction.market import Reading
from auction.search import Stop
from auction.solvers import _warm_start as warm_start
from auction.streaming import streamed
from auction.welfare import welfare
from experiments import plots

# Of few model types, each of any size: what is claimed of any market is measured on all of them.
FAMILIES = ("abundant", "adversarial", "classes", "correlated", "heavy_tailed", "marketplace", "scarce", "uniform")
Draw = sweeps.Draw
_kept: ContextVar[tuple[Path | None, str]] = ContextVar("kept", default=(None, ""))


@dataclass(frozen=True)
class Plan:
    """A solver with its options, under a name for tables and plots."""

    label: str
    solver: str
    options: Mapping[str, Any] = field(default_factory=dict)
    time_limit: float | None = None


def variant(backfill: bool, task_order: str, provider_order: str) -> Plan:
    """``bid_density`` under one combination of its options, named by what differs from the print."""
    changed = ["backfill"] * backfill
    changed += [f"tasks by {task_order}"] * (task_order != "printed")
    changed += [f"providers by {provider_order}"] * (provider_order != "printed")
    options = {"backfill": backfill, "task_order": task_order, "provider_order": provider_order}
    return Plan(f"bid density, {', '.join(changed) or 'as printed'}", "bid_density", options)


PRINTED, BACKFILL = variant(False, "printed", "printed"), variant(True, "printed", "printed")
VARIANTS = [variant(**options) for options in warm_start.VARIANTS]
BEST_VARIANT = "bid density, best variant"
GREEDY = [
    Plan("greedy, value per unit", "greedy", {"norm": "unit"}),
    Plan("greedy, value per root", "greedy", {"norm": "root"}),
]
COLOURS = plots.colours([PRINTED.label, BACKFILL.label, BEST_VARIANT, *(plan.label for plan in GREEDY)])
MAIN = {label: COLOURS[label] for label in (PRINTED.label, BEST_VARIANT, GREEDY[0].label)}


def exact(time_limit: float, solvers: Iterable[str] = ("ilp_cpsat", "ilp_pulp", "ilp_scip")) -> list[Plan]:
    """Exact solvers, started from the best heuristic."""
    names = {"ilp_cpsat": "CP-SAT", "ilp_pulp": "HiGHS (PuLP)", "ilp_scip": "SCIP"}
    return [Plan(names[solver], solver, {"warm_start": True}, time_limit) for solver in solvers]


def seed_range(seeds: int, block: int) -> range:
    """The ``block``-th set of so many seeds; sets of the same length have none in common."""
    return range(block * seeds, (block + 1) * seeds)


@contextmanager
def kept_below(folder: Path | None, code: str) -> Iterator[None]:
    """Within the block, what a sweep finds on each draw is kept as it ends, and taken over where it lies there.

    Args:
        folder: where; None to keep nothing.
        code: which code runs: what another one found is not taken over.
    """
    before = _kept.set((folder, code))
    try:
        yield
    finally:
        _kept.reset(before)


def run(
    draws: Iterable[Draw], plans: Iterable[Plan], reading: Reading, what: str, *, alone: bool = False
) -> pd.DataFrame:
    """One row a draw and plan: where it came from, welfare, bound, proof, status, seconds.

    ``only its start``: whether a solver that began with the best heuristic allocation ended with one no better.

    ``alone``: one draw after another, for whoever looks at the seconds.

    Raises:
        MemoryError: the process of a draw was killed, again and again.
    """
    draws, plans, (folder, code) = list(draws), list(plans), _kept.get()

    def described(draw: Draw) -> Any:
        return [code, asdict(draw), [asdict(plan) for plan in plans], reading]

    work = partial(_solved, plans=plans, reading=reading)
    processes = 1 if alone or len(draws) < 2 else None
    frames = streamed(work, draws, described, folder, alone=alone, processes=processes)
    found: dict[int, pd.DataFrame] = {}
    for number, frame in shown(frames, len(draws), what):
        if frame is None:
            raise MemoryError(f"{what}: the process of {draws[number]} was killed; too little memory?")
        found[number] = frame
    return against_best(pd.concat([found[number] for number in range(len(draws))], ignore_index=True))


def _solved(draw: Draw, plans: list[Plan], reading: Reading) -> pd.DataFrame:
    market, rows = draw.market(), []
    started = any(plan.options.get("warm_start") for plan in plans)
    start = welfare(market, warm_start.best_heuristic(market, reading, Stop(None))) if started else None
    for plan in plans:
        outcome = solve(market, plan.solver, reading=reading, time_limit=plan.time_limit, seed=0, options=plan.options)
        rows.append(
            {
                "family": draw.family,
                "tasks": draw.tasks,
                "providers": draw.providers,
                "types": draw.types,
                "seed": draw.seed,
                "market": outcome.market_digest,
                "reading": reading,
                "solver": plan.label,
                "welfare": outcome.welfare,
                "bound": outcome.bound,
                "proven": outcome.proven_optimal,
                "only its start": bool(plan.options.get("warm_start")) and outcome.welfare == start,
                "status": outcome.status,
                "seconds": outcome.seconds,
            }
            | {f"option_{key}": value for key, value in draw.options.items()}
        )
    return pd.DataFrame(rows).astype({"bound": "Int64"})


def against_best(runs: pd.DataFrame) -> pd.DataFrame:
    """Add what is known of each market: ``best`` welfare, least ``upper`` bound, and each run's gaps to the two.

    ``gap`` = 1 - welfare / best is exact where the optimum is proven and too small otherwise; ``gap_bound`` =
    1 - welfare / upper is never too small. Both are 0 where nothing can be won; the latter is NaN where nobody proved
    a bound.
    """
    groups = runs.groupby(["market", "reading"])
    best, upper = groups["welfare"].transform("max"), groups["bound"].transform("min").astype("Int64")
    ratio = np.divide(runs["welfare"], best, out=np.ones(len(runs)), where=best > 0)
    bounded = (runs["welfare"] / upper.where(upper > 0).astype("Float64")).mask((upper == 0).fillna(False), 1.0)
    lost = (1.0 - bounded).to_numpy(dtype=float, na_value=np.nan)
    return runs.assign(best=best, upper=upper, gap=1.0 - ratio, gap_bound=lost)


def with_best_variant(runs: pd.DataFrame) -> pd.DataFrame:
    """Add a row a market for the best of the ``bid_density`` variants, chosen with hindsight."""
    own = runs[runs["solver"].str.startswith("bid density")]
    best = own.loc[own.groupby(["market", "reading"])["welfare"].idxmax()].assign(solver=BEST_VARIANT)
    return pd.concat((runs, best), ignore_index=True)
