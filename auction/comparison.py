"""Several solvers on the same markets: each run beside the best welfare and the least bound known, and a summary."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

SHIFT = 1.0  # seconds; added to each before the geometric mean, so that milliseconds do not rule it

KNOWN = ("best_welfare", "best_bound", "primal_gap", "dual_gap", "gap_to_best_bound")
Row = Mapping[str, Any]


def against_best(runs: Sequence[Row]) -> list[dict[str, Any]]:
    """Runs of one market, as ``summary_of`` writes them, each with what all of them together know.

    Added are ``best_welfare`` and ``best_bound``, micro-tokens: the most welfare found, and the least bound among those
    that no welfare refutes, None where nobody proved one. And shares, None where either side is missing, 0 where both
    are 0: ``primal_gap`` = 1 - welfare / best welfare, ``dual_gap`` = 1 - best bound / bound, and
    ``gap_to_best_bound`` = 1 - welfare / best bound, which is never too small. A run whose bound lies below the best
    welfare has ``contradicted_by``, the solver that found it; what it calls a bound counts for nothing. One without
    an outcome has no welfare, None, and no gaps.
    """
    finished = [run for run in runs if run["welfare"] is not None]
    if not finished:
        return [{**run, **dict.fromkeys(KNOWN)} for run in runs]
    best = max(finished, key=lambda run: run["welfare"])
    most = best["welfare"]
    sound = [run["bound"] for run in finished if run["bound"] is not None and run["bound"] >= most]
    least = min(sound, default=None)
    found = []
    for run in runs:
        welfare = None if run["status"] == "bound" else run["welfare"]
        false = run["bound"] is not None and run["bound"] < most
        dual = None if false else _missing(least, run["bound"])
        known = (most, least, _missing(welfare, most), dual, _missing(welfare, least))
        found.append(
            {**run, **dict(zip(KNOWN, known, strict=True))} | ({"contradicted_by": best["solver"]} if false else {})
        )
    return found


def _missing(part: int | None, whole: int | None) -> float | None:
    """The share of the whole that the part lacks."""
    if part is None or whole is None:
        return None
    return (whole - part) / whole if whole else 0.0


def summary(runs: Iterable[Row]) -> list[dict[str, Any]]:
    """A row a solver, in order of appearance, over all runs that ``against_best`` returned.

    ``seconds`` is their geometric mean shifted by ``SHIFT``; the gaps are means, over the runs that have one;
    ``worst_gap`` is the largest ``gap_to_best_bound``; ``proved`` the share of ``markets`` whose optimum was proved,
    and not refuted.
    """
    by_solver: dict[str, list[Row]] = {}
    for run in runs:
        by_solver.setdefault(run["solver"], []).append(run)
    return [
        {
            "solver": solver,
            "markets": len(own),
            "seconds": shifted_geometric_mean([run["seconds"] for run in own]),
            "primal_gap": _over(_mean, own, "primal_gap"),
            "dual_gap": _over(_mean, own, "dual_gap"),
            "gap_to_best_bound": _over(_mean, own, "gap_to_best_bound"),
            "worst_gap": _over(max, own, "gap_to_best_bound"),
            "proved": _mean([run["proven_optimal"] and "contradicted_by" not in run for run in own]),
        }
        for solver, own in by_solver.items()
    ]


def shifted_geometric_mean(values: Sequence[float], shift: float = SHIFT) -> float:
    """exp(mean of log(value + shift)) - shift."""
    return math.exp(math.fsum(math.log(value + shift) for value in values) / len(values)) - shift


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _over(statistic: Callable[[list[float]], float], runs: Sequence[Row], name: str) -> float | None:
    values = [run[name] for run in runs if run[name] is not None]
    return statistic(values) if values else None
