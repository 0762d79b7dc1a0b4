"""The command ``compare``: several solvers on several markets, a table, a summary, and files for machines."""

import csv
import json as json_format
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from auction import registry, solvers
from auction._interrupt import INTERRUPTED
from auction.commands.arguments import Json, ReadingName, Seed, TimeLimit
from auction.commands.solving import read, solved
from auction.commands.terminal import NONE, key_values, print_json, printable, stderr, stdout, table_of
from auction.comparison import SHIFT, Row, against_best, summary
from auction.errors import InputError
from auction.files import ensure_writable, replacing, summary_of
from auction.market import MICRO

RUNS, SUMMARY = "runs.csv", "summary.csv"
LINE = "{:<22} {:>11} {:>13} {:>13} {:>8} {:>8}"  # of a market: 80 columns


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
    out: Annotated[Path | None, typer.Option(help=f"directory for {RUNS} and {SUMMARY}", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Run several solvers on several markets, one after another; exact ones start from the best heuristic.

    Of one market it prints a line a solver; of several a line a market, then a summary a solver: seconds (geometric
    mean, shifted by 1 s), how far its welfare is from the best known and from the least bound, and its bound from the
    least, means over the markets, and the share of optima it proved. The JSON lists every run with its market's file.

    A bound, or an optimum called proven, that lies below the welfare another solver found is said to be false, in
    the table, in the JSON (contradicted_by) and on standard error; the exit code is then 1.

    Example: python -m auction compare a.json b.json --solvers bid_density,greedy,ilp_cpsat --time-limit 30
    --option ilp_cpsat.warm_start=false --out results
    """
    plans = _plans(solver.split(",") if solver else _comparable(reading), option or [], reading, time_limit, seed)
    if out is not None:
        _ensure_directory(out)
    loaded = [(path, read(path)) for path in markets]

    runs: list[dict[str, Any]] = []
    total, done, interrupted = len(loaded) * len(plans), 0, False
    if len(loaded) > 1 and not json:
        print(LINE.format("market", "size", "best welfare", "best bound", "gap", "seconds"))
    for path, market in loaded:
        of_market: list[dict[str, Any]] = []
        for name, options in plans:
            done += 1
            count = f"{done}/{total} " if total > 1 else ""
            try:
                outcome = solved(market, name, reading, time_limit, seed, options, count)
            except InputError as error:
                if solver:
                    raise
                stderr.print(printable(f"{path}: {name} left out: {error}"), soft_wrap=True)
                continue
            of_market.append({"market": str(path), **summary_of(outcome)})
            if interrupted := outcome.status == "interrupted":
                break
        of_market = against_best(of_market)
        _say_contradictions(of_market)
        if of_market and not json:
            if len(loaded) == 1:
                _print_runs(of_market)
            else:
                _print_market(of_market, f"{market.tasks}x{market.providers}")
        runs += of_market
        if interrupted:
            break
    if out is not None:
        _write_csv(out / RUNS, runs)
        _write_csv(out / SUMMARY, summary(runs))
    if json:
        print_json(runs)
    elif len(loaded) > 1:
        _print_summary(summary(runs))
    if interrupted:
        raise typer.Exit(INTERRUPTED)
    if any("contradicted_by" in run for run in runs):
        raise typer.Exit(1)


def _plans(
    names: Sequence[str], pairs: list[str], reading: str, time_limit: float | None, seed: int
) -> list[tuple[str, dict[str, str]]]:
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
        warm = "warm_start" in registry.options_of(solvers.load(name).solve)
        options = ({"warm_start": "true"} if warm else {}) | own
        solvers.prepare(name, reading, time_limit, seed, options)
        plans.append((name, options))
    return plans


def _comparable(reading: str) -> list[str]:
    """All solvers that take the reading, the tests' referee apart."""
    return [name for name in solvers.names() if name != "brute_force" and reading in solvers.load(name).READINGS]


def _ensure_directory(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror or error})") from None
    for name in (RUNS, SUMMARY):
        ensure_writable(out / name)


def _write_csv(path: Path, rows: Sequence[Row]) -> None:
    """One line a row; what is not a number or a text, as JSON."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows([_cell(row.get(name)) for name in names] for row in rows)


def _cell(value: Any) -> Any:
    return json_format.dumps(value) if isinstance(value, Mapping | bool) else value


def _say_contradictions(runs: Iterable[Row]) -> None:
    for run in runs:
        if "contradicted_by" in run:
            word = "proven optimum" if run["proven_optimal"] else "bound"
            other, most = run["contradicted_by"], run["best_welfare"]
            text = f"{run['market']}: {run['solver']}'s {word} {run['bound']} is false: {other} found {most}"
            stderr.print(printable(text), style="bold red", soft_wrap=True)


def print_outcome(run: Row) -> None:
    """The table of one run alone."""
    _print_runs(against_best([run]))


def _print_runs(runs: Sequence[Row]) -> None:
    caption = "welfare and bound in tokens; gap to the best bound of the table"
    stdout.print(printable(runs[0]["market"]), soft_wrap=True)
    table = table_of("solver", "welfare", "bound", "gap", "seconds", caption=caption)
    table.add_column("status", overflow="fold")
    for run in runs:
        table.add_row(
            run["solver"],
            NONE if run["status"] == "bound" else _tokens(run["welfare"]),
            _tokens(run["bound"]),
            _percent(run["gap_to_best_bound"]),
            f"{run['seconds']:.3f}",
            "FALSE" if "contradicted_by" in run else run["status"],
        )
    stdout.print(table)


def _print_market(runs: Sequence[Row], size: str) -> None:
    """A line of what is known of one market; a name too long for its column has a line of its own, whole."""
    name, welfare, bound = printable(runs[0]["market"]), runs[0]["best_welfare"], runs[0]["best_bound"]
    if len(name) > 22:
        print(name)
        name = ""
    best = next(run for run in runs if run["welfare"] == welfare)
    gap = "FALSE" if any("contradicted_by" in run for run in runs) else _percent(best["gap_to_best_bound"])
    seconds = sum(run["seconds"] for run in runs)
    print(LINE.format(name, size, _tokens(welfare), _tokens(bound), gap, f"{seconds:.2f}"), flush=True)


def _print_summary(rows: Sequence[Row]) -> None:
    table = table_of("solver", "seconds", "primal", "dual", "to bound", "worst", "proved")
    for row in rows:
        table.add_row(
            row["solver"],
            f"{row['seconds']:.3f}",
            *(_percent(row[name]) for name in ("primal_gap", "dual_gap", "gap_to_best_bound", "worst_gap")),
            f"{round(row['proved'] * row['markets'])}/{row['markets']}",
        )
    stdout.print(table)
    stdout.print(
        f"seconds: geometric mean, shifted by {SHIFT:g} s; gaps: means over the markets, primal of the welfare to the "
        "best known, dual of the bound to the least known, to bound of the welfare to the least bound, worst the "
        "largest of these. Welfare and bound of a market are in tokens, the best known; its seconds are of all solvers."
    )


def _tokens(amount: int | None) -> str:
    return NONE if amount is None else f"{amount / MICRO:,.6f}"


def _percent(share: float | None) -> str:
    return NONE if share is None else f"{share:.4%}"
