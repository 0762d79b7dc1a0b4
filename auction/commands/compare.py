"""The command ``compare``: several solvers on several markets, a table, a summary, and files for machines."""

import csv
import json as json_format
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from functools import partial
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import typer

from auction import solvers
from auction._interrupt import INTERRUPTED
from auction.allocation import Allocation
from auction.commands.arguments import Json, ReadingName, Scheduler, Seed, TimeLimit
from auction.commands.comparison_tables import print_header, print_market, print_runs, print_summary, say_contradictions
from auction.commands.plot import draw, ensure_drawable
from auction.commands.solving import read
from auction.commands.terminal import clean_stdout, key_values, print_json, printable, shown, stderr, working
from auction.comparison import Row, against_best, summary
from auction.errors import InputError
from auction.files import ensure_writable, replacing
from auction.market import Market
from auction.outcome import Outcome
from auction.progress import Progress
from auction.solvers import name_of
from auction.streaming import begin, streamed
from auction.sweeps import FAILED, REFUSED, Cell, rows_of, run, warm_started
from auction.workers import on

RUNS, SUMMARY, CELLS = "runs.csv", "summary.csv", "cells"


def compare(
    markets: Annotated[list[Path], typer.Argument(help="market files", show_default=False)],
    solver: Annotated[
        str | None, typer.Option("--solvers", help="names, separated by commas; by default all that can take it")
    ] = None,
    reading: ReadingName = "bundle",
    time_limit: TimeLimit = 60.0,
    seed: Seed = 0,
    option: Annotated[
        list[str] | None, typer.Option("--option", help="solver.key=value, repeatable", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help=f"directory for {RUNS}, {SUMMARY} and each run as it ends", show_default=False)
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="gap against time of every solver: gap.svg, .png or .pdf", show_default=False)
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on where an interrupted run into --out stopped")] = False,
    processes: Annotated[int, typer.Option("--workers", min=1, help="runs side by side, which slow one another")] = 1,
    scheduler: Scheduler = None,
    json: Json = False,
) -> None:
    """Run several solvers on several markets; exact ones start from the best heuristic.

    Of one market it prints a line a solver; of several a line a market, then a summary a solver: seconds (geometric
    mean, shifted by 1 s), how far its welfare is from the best known and from the least bound, and its bound from the
    least, means over the markets, and the share of optima it proved. The JSON lists every run with its market's file.

    A bound, or an optimum called proven, that lies below the welfare another solver found is said to be false, in
    the table, in the JSON (contradicted_by) and on standard error; the exit code is then 1.

    Example: python -m auction compare a.json b.json --solvers bid_density,greedy,ilp_cpsat --time-limit 30
    --option ilp_cpsat.warm_start=false --out results --plot gap.svg
    """
    plans = _plans(solver.split(",") if solver else _comparable(reading), option or [], reading, time_limit, seed)
    if resume and out is None:
        raise InputError("--resume needs --out, where an interrupted run left what it had")
    folder = None if out is None else _prepared(out, resume)
    if plot is not None:
        ensure_drawable(plot)
    loaded = [(path, read(path)) for path in markets]
    cells = [Cell(market, name, options, reading, time_limit, seed) for _, market in loaded for name, options in plans]
    several = len(loaded) > 1
    if several and not json:
        print_header()

    found: dict[int, Row | None] = {}  # by cell; None where there is no outcome
    ended: dict[int, list[dict[str, Any]]] = {}  # by market

    def end(at: int) -> None:
        path, market = loaded[at]
        own = (found.get(number) for number in range(at * len(plans), (at + 1) * len(plans)))
        ended[at] = against_best([{"market": str(path), **row} for row in own if row is not None])
        say_contradictions(ended[at])
        if ended[at] and not json and several:
            print_market(ended[at], f"{market.tasks}x{market.providers}")
        elif ended[at] and not json:
            print_runs(ended[at])

    interrupted = False
    try:
        for number, row in _rows(cells, folder, processes, scheduler):
            at = number // len(plans)
            why = "its process was killed" if row is None else row["status"]
            if row is None or why.startswith((REFUSED, FAILED)):
                text = f"{loaded[at][0]}: {plans[number % len(plans)][0]} left out: {why.removeprefix(REFUSED)}"
                if solver:
                    raise InputError(text)
                stderr.print(printable(text), soft_wrap=True)
                found[number] = None
            else:
                found[number] = row
            if interrupted := why == "interrupted":
                break
            if all(other in found for other in range(at * len(plans), (at + 1) * len(plans))):
                end(at)
    except KeyboardInterrupt:  # of several processes: what they were at is lost, the rest is there
        interrupted = True
    for at in sorted({number // len(plans) for number in found} - ended.keys()):
        end(at)

    runs = [row for at in sorted(ended) for row in ended[at]]
    if out is not None:
        _write_table(out / RUNS, runs)
        _write_table(out / SUMMARY, summary(runs))
    if plot is not None and runs:
        draw(plot, [(printable(Path(rows[0]["market"]).stem), _outcomes(rows)) for rows in ended.values() if rows])
    if json:
        print_json(runs)
    elif several:
        print_summary(summary(runs))
    if interrupted:
        raise typer.Exit(INTERRUPTED)
    if any("contradicted_by" in row for row in runs):
        raise typer.Exit(1)


def _rows(
    cells: Sequence[Cell], folder: Path | None, processes: int, scheduler: str | None
) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Each cell's number and row as it ends: one after another under a clock, or side by side under a bar."""
    begun = count(1)
    side_by_side = processes > 1 or scheduler is not None

    def watched(cell: Cell) -> Any:
        assert isinstance(cell.market, Market)
        far = f"{next(begun)}/{len(cells)} " if len(cells) > 1 else ""
        limit = "" if cell.time_limit is None else f", at most {cell.time_limit:g} s"
        what = f"{far}{name_of(cell.solver)} on {cell.market.tasks} x {cell.market.providers}{limit}"
        with working(what), clean_stdout():
            return solved(cell)

    solved = partial(run, history=True)
    with on(scheduler):
        work = solved if side_by_side else watched
        frames = streamed(work, cells, Cell.described, folder, processes=processes)
        for number, frame in shown(frames, len(cells), "runs") if side_by_side else frames:
            if frame is None:
                yield number, None
                continue
            (row,) = rows_of(frame)
            yield number, row | {name: json_format.loads(row.get(name) or "[]") for name in ("options", "history")}


def _outcomes(rows: Sequence[Row]) -> list[tuple[str, Outcome]]:
    """Runs as outcomes, by solver; their pairs were not kept."""
    found = []
    for row in rows:
        given: dict[str, Any] = {field.name: row[field.name] for field in fields(Outcome) if field.name in row}
        given["history"] = tuple(Progress(*known) for known in row["history"])
        found.append((row["solver"], Outcome(**given, allocation=Allocation.empty())))
    return found


def _plans(
    names: Sequence[str], pairs: list[str], reading: str, time_limit: float | None, seed: int
) -> list[tuple[str, dict[str, Any]]]:
    """Each solver with its options, all checked; exact ones start warm where nothing else is asked."""
    asked: dict[str, dict[str, str]] = {name: {} for name in names}
    for key, value in key_values(pairs).items():
        name, dot, option = key.partition(".")
        if not dot:
            raise InputError(f"option {key!r} is not allowed; solver.key=value")
        if name not in asked:
            raise InputError(f"option {key!r}: {name!r} is not among the solvers; there are {', '.join(asked)}")
        asked[name][option] = value
    plans = []
    for name, own in asked.items():
        options = warm_started(name, own)
        solvers.prepare(name, reading, time_limit, seed, options)
        plans.append((name, options))
    return plans


def _comparable(reading: str) -> list[str]:
    """All solvers that take the reading, but for the tests' referee and the one that chooses among them."""
    names = (name for name in solvers.names() if name not in ("brute_force", "auto"))
    return [name for name in names if reading in solvers.load(name).READINGS]


def _prepared(out: Path, resume: bool) -> Path:
    """The folder of the runs below ``out``; all that will be written there can be."""
    begin(out / CELLS, resume=resume)
    for name in (RUNS, SUMMARY):
        ensure_writable(out / name)
    return out / CELLS


def _write_table(path: Path, rows: Sequence[Row]) -> None:
    """A CSV, one line a row; what is neither number nor text, as JSON."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows([_cell(row.get(name)) for name in names] for row in rows)


def _cell(value: Any) -> Any:
    return json_format.dumps(value) if isinstance(value, Mapping | list | bool) else value
