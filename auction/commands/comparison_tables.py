"""What ``compare`` and ``solve`` print of runs: a table of one market, a line of each of several, a summary."""

from collections.abc import Iterable, Sequence

from auction.commands.terminal import NONE, printable, stderr, stdout, table_of
from auction.comparison import SHIFT, Row, against_best
from auction.market import MICRO

LINE = "{:<22} {:>11} {:>13} {:>13} {:>8} {:>8}"  # of a market: 80 columns


def print_header() -> None:
    """Above the lines of several markets."""
    print(LINE.format("market", "size", "best welfare", "best bound", "gap", "seconds"))


def say_contradictions(runs: Iterable[Row]) -> None:
    """A line on standard error for each bound that another solver's welfare refutes."""
    for run in runs:
        if "contradicted_by" in run:
            word = "proven optimum" if run["proven_optimal"] else "bound"
            other, most = run["contradicted_by"], run["best_welfare"]
            text = f"{run['market']}: {run['solver']}'s {word} {run['bound']} is false: {other} found {most}"
            stderr.print(printable(text), style="bold red", soft_wrap=True)


def print_outcome(run: Row) -> None:
    """The table of one run alone."""
    print_runs(against_best([run]))


def print_runs(runs: Sequence[Row]) -> None:
    """The market's name and a line a run."""
    caption = "welfare and bound in tokens" + ("; gap to the best bound of the table" if len(runs) > 1 else "")
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
    for run in runs:
        if run["remark"]:
            stdout.print(
                printable(f"{run['solver']} chose {run['remark']}" if run["solver"] == "auto" else run["remark"])
            )


def print_market(runs: Sequence[Row], size: str) -> None:
    """A line of what is known of one market; a name too long for its column has a line of its own, whole."""
    name, welfare, bound = printable(runs[0]["market"]), runs[0]["best_welfare"], runs[0]["best_bound"]
    if len(name) > 22:
        print(name)
        name = ""
    best = next(run for run in runs if run["welfare"] == welfare)
    gap = "FALSE" if any("contradicted_by" in run for run in runs) else _percent(best["gap_to_best_bound"])
    seconds = sum(run["seconds"] for run in runs)
    print(LINE.format(name, size, _tokens(welfare), _tokens(bound), gap, f"{seconds:.2f}"), flush=True)


def print_summary(rows: Sequence[Row]) -> None:
    """A line a solver, and what its columns mean."""
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
