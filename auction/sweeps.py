"""A sweep: families of markets times sizes times seeds times solvers, into one frame."""

import json
import pickle
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import track

from auction import instances, registry, solvers
from auction.arrays import integer
from auction.comparison import against_best
from auction.errors import InputError
from auction.files import summary_of
from auction.instances import generate
from auction.market import Market, Reading
from auction.solvers import Solver, name_of, prepare
from auction.sources import sources
from auction.streaming import begin, streamed
from auction.workers import on

if TYPE_CHECKING:
    import pandas as pd

AMOUNTS = ("welfare", "bound", "certified_bound", "best_welfare", "best_bound")
REFUSED = "refused: "
FAILED = "failed: "
SHARES = ("gap", "primal_gap", "dual_gap", "gap_to_best_bound")


@dataclass(frozen=True)
class Draw:
    """A market by what it is drawn from."""

    family: str
    tasks: int
    providers: int
    seed: int
    types: int = 3
    options: Mapping[str, Any] = field(default_factory=dict)

    def market(self) -> Market:
        return generate(self.family, self.tasks, self.providers, self.types, self.seed, self.options)


@dataclass(frozen=True)
class Cell:
    """One solver on one market."""

    market: Market | Draw
    solver: Solver
    options: Mapping[str, Any]
    reading: str
    time_limit: float | None  # seconds
    seed: int  # the solver's

    def described(self) -> dict[str, Any]:
        """All that its outcome depends on, as JSON; of a function its name."""
        market = asdict(self.market) if isinstance(self.market, Draw) else self.market.digest
        solver = self.solver if isinstance(self.solver, str) else f"{self.solver.__module__}.{name_of(self.solver)}"
        rest = {name: getattr(self, name) for name in ("options", "reading", "time_limit", "seed")}
        return {"code": sources(), "market": market, "solver": solver} | rest


def warm_started(solver: Solver, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options, and a start from the best heuristic for a solver that can take one, unless they say otherwise."""
    takes = "warm_start" in registry.options_of(solvers.load(solver).solve)
    return ({"warm_start": "true"} if takes else {}) | dict(options)


def run(cell: Cell, *, history: bool = False) -> "pd.DataFrame":
    """Solve a cell: a frame of one row, what was drawn and an outcome without its pairs.

    What it refuses or raises stands in its ``status``; its ``history``, where that is asked for, is JSON.
    """
    market = cell.market.market() if isinstance(cell.market, Draw) else cell.market
    asked: Any = {name: getattr(cell, name) for name in ("reading", "time_limit", "seed", "options")}
    try:
        outcome = solvers.solve(market, cell.solver, **asked)
        row = summary_of(outcome) | ({"history": json.dumps(outcome.history)} if history else {})
    except InputError as refusal:
        row = _without_outcome(cell, f"{REFUSED}{refusal}")
    except Exception as error:  # noqa: BLE001 - solvers may be anybody's: the other cells go on
        row = _without_outcome(cell, f"{FAILED}{type(error).__name__}: {' '.join(str(error).split())}")
    return framed([_drawn(cell) | row | {"options": json.dumps(row["options"])}])


def _without_outcome(cell: Cell, why: str) -> dict[str, Any]:
    nothing = dict.fromkeys(("welfare", "bound", "gap", "market_digest", "certified_bound", "proof", "remark"))
    row = {"solver": name_of(cell.solver), "reading": cell.reading, "options": dict(cell.options), "seed": cell.seed}
    return row | nothing | {"proven_optimal": False, "status": why, "seconds": None}


def _drawn(cell: Cell) -> dict[str, Any]:
    if not isinstance(cell.market, Draw):
        return {}
    draw = asdict(cell.market)
    return {f"market_{name}" if name in ("seed", "options") else name: value for name, value in draw.items()} | {
        "market_options": json.dumps(dict(draw["options"]))
    }


def framed(rows: Sequence[Mapping[str, Any]]) -> "pd.DataFrame":
    """Rows of runs as a frame: amounts Int64, shares and seconds float, whatever is missing in them."""
    import pandas as pd

    frame = pd.DataFrame(rows)
    kinds = dict.fromkeys(AMOUNTS, "Int64") | dict.fromkeys(SHARES, "float64") | {"seconds": "float64"}
    texts = dict.fromkeys(("market_digest", "proof", "remark", "history", "contradicted_by"), "str")
    return frame.astype({name: kind for name, kind in (kinds | texts).items() if name in frame})


def rows_of(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    """The rows of a frame with None for what is missing."""
    return [
        {name: None if missing[name] else value for name, value in row.items()}
        for row, missing in zip(frame.astype(object).to_dict("records"), frame.isna().to_dict("records"), strict=True)
    ]


def sweep(
    families: str | Iterable[str | tuple[str, Mapping[str, Any]]],
    sizes: Iterable[tuple[int, int] | tuple[int, int, int]],
    seeds: Iterable[int],
    solvers: str | Solver | Iterable[Solver | tuple[Solver, Mapping[str, Any]]],
    *,
    reading: Reading = "bundle",
    time_limit: float | None = 60.0,
    out: Path | str | None = None,
    resume: bool = False,
    processes: int = 1,
    scheduler: str | None = None,
) -> "pd.DataFrame":
    """Every solver on every market that is drawn: family times size times seed. A row a run.

    >>> import auction
    >>> frame = auction.sweep("uniform", [(6, 10)], range(2), ["greedy", ("ilp_cpsat", {"warm_start": False})])
    >>> frame.groupby("solver")["primal_gap"].mean()["ilp_cpsat"]
    0.0

    Columns: what was drawn, ``family``, ``tasks``, ``providers``, ``types``, ``market_seed``, ``market_options``; what
    ran, ``solver``, ``options``, ``reading``, ``seed``; what came of it, ``status`` and ``seconds`` of solving; in
    micro-tokens ``welfare``, ``bound``, ``certified_bound``; ``proven_optimal``; as shares ``gap`` = 1 - welfare /
    bound and, as ``comparison.against_best`` defines them over the solvers of this sweep on the same market,
    ``primal_gap``, ``dual_gap``, ``gap_to_best_bound``, with ``best_welfare`` and ``best_bound`` in micro-tokens, and
    ``contradicted_by`` where a bound is refuted. A solver that refuses a market, or raises, has a row whose
    ``status`` says why, one whose process was killed time and again, ``killed``; all without amounts. Options are JSON.

    Args:
        families: names, each alone or with its options; or one.
        sizes: (tasks, providers) or (tasks, providers, types), of which there are 3 otherwise.
        seeds: of the markets; solvers run with seed 0.
        solvers: names or functions of the shape of ``auction.solvers``, each alone or with its options; or one. Exact
            ones start from the best heuristic unless their options say otherwise.
        reading: ``bundle`` or ``whole``.
        time_limit: seconds of each run; None for no limit.
        out: a folder to which runs stream as they finish, a Parquet file each; ``pandas.read_parquet`` reads it whole.
        resume: take over the runs that lie there, of the same code and settings; otherwise they are removed.
        processes: how many run side by side. With one, seconds are those of a machine that does nothing else.
        scheduler: the address of a Dask scheduler whose workers run them in their place; or ``local``.

    Raises:
        InputError: a family, size, seed, solver, option or limit that is not allowed, before anything is run.
    """
    draws = [
        Draw(family, tasks, providers, seed, types, options)
        for family, options in _with_options(families)
        for tasks, providers, types in ((*size, 3)[:3] for size in sizes)
        for seed in seeds
    ]
    for draw in draws:
        _ensure(draw)
    plans = [(solver, warm_started(solver, options)) for solver, options in _with_options(solvers)]
    for solver, options in plans:
        prepare(solver, reading, time_limit, 0, options)
        if processes > 1 and scheduler is None:
            _ensure_pickled(solver)
    cells = [Cell(draw, solver, options, reading, time_limit, 0) for draw in draws for solver, options in plans]
    folder = None if out is None else Path(out)
    if folder is not None:
        begin(folder, resume=resume)
    rows = [_drawn(cell) | _without_outcome(cell, "killed") for cell in cells]
    console = Console(stderr=True)
    with on(scheduler):
        runs = streamed(run, cells, Cell.described, folder, processes=processes)
        hidden = not console.is_terminal
        for number, frame in track(runs, "sweep", len(cells), console=console, transient=True, disable=hidden):
            if frame is not None:
                (rows[number],) = rows_of(frame)
    of_draws = (rows[at : at + len(plans)] for at in range(0, len(rows), len(plans)))
    return framed([row for of_draw in of_draws for row in against_best(of_draw)])


def _with_options(named: Any) -> list[tuple[Any, Mapping[str, Any]]]:
    """Each name or function with its options, where it came alone without any."""
    every = [named] if isinstance(named, str) or callable(named) else list(named)
    return [one if isinstance(one, tuple) else (one, {}) for one in every]


def _ensure_pickled(solver: Solver) -> None:
    try:
        pickle.dumps(solver)
    except (pickle.PicklingError, AttributeError, TypeError):
        raise InputError(f"{name_of(solver)} is no function of a module, which other processes could import") from None


def _ensure(draw: Draw) -> None:
    for name, least in (("tasks", 0), ("providers", 0), ("types", 1), ("seed", 0)):
        integer(name, getattr(draw, name), least)
    registry.parse_options(instances.load(draw.family).generate, draw.options, draw.family)
