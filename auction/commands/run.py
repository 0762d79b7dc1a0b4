"""The command ``run``: people's own tables, or a market's file, solved, priced and explained."""

from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table

from auction import mechanisms, solvers
from auction._interrupt import INTERRUPTED
from auction.commands.arguments import Json, ReadingName, Seed, TimeLimit
from auction.commands.solving import solved
from auction.commands.tables import Alpha, Beta, Types, Unit, folder, say_notes
from auction.commands.terminal import clean_stdout, print_json, printable, stderr, stdout, working
from auction.explain.page import render
from auction.explain.report import Report, report
from auction.explain.tables import partners, tables_of
from auction.explain.words import (
    aligned,
    certified,
    gains,
    lost,
    places_of,
    proof,
    trades_below,
    wins_above,
)
from auction.files import replacing, summary_of, write_certificate, write_market, write_outcome
from auction.market import Int
from auction.tables import read
from auction.tables.notes import count, listed, tokens
from auction.tables.writing import write_csv, write_parquet
from auction.welfare import winners

Tasks = Annotated[
    Path, typer.Argument(help="tasks: .csv, .csv.gz, .tsv, .xlsx, .parquet; or a market's file", show_default=False)
]
Providers = Annotated[
    Path | None, typer.Argument(help="providers, likewise; none beside a market's file", show_default=False)
]
Out = Annotated[
    Path | None,
    typer.Option(help="a folder for a page, tables in CSV and Parquet, and what `check` takes", show_default=False),
]
PAGE = "report.html"
MARKET, OUTCOME, CERTIFICATE = "market.npz", "outcome.json", "certificate.json"
TABLES = [f"{name}.{kind}" for name in ("tasks", "providers", "trades", "summary") for kind in ("csv", "parquet")]
LONGEST = 100  # rows of a table in the terminal


def run_tables(
    tasks: Tasks,
    providers: Providers = None,
    solver: Annotated[str, typer.Option(help="a name from `python -m auction solvers`")] = "auto",
    mechanism: Annotated[str, typer.Option(help="a name from `python -m auction mechanisms`")] = "whitepaper",
    out: Out = None,
    types: Types = None,
    unit: Unit = "tokens",
    alpha: Alpha = 2,
    beta: Beta = 0,
    reading: ReadingName = "bundle",
    time_limit: TimeLimit = 60.0,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Solve a market of people's own tables, price it, and say who trades, who does not and what would change it.

    The best allocation is found and bounded by the solver and priced at the midpoint of bid and cost; a mechanism's
    own allocation and prices stand beside it. What a loser would have had to bid, and an idle provider to ask, is for
    the best allocation: above it, or below it, every optimum has them trade. The limit holds for the solver and again
    for all such questions together.

    Example: python -m auction template && python -m auction run tasks.csv providers.csv --out report
    """
    solvers.prepare(solver, reading, time_limit, seed, {})
    mechanisms.prepare(mechanism, None, seed, {})
    with working(f"reading {tasks}" + (f" and {providers}" if providers else "")):
        market = read(tasks, providers, types=types, unit=unit, alpha=alpha, beta=beta)
    if out is not None:
        folder(out, [PAGE, MARKET, OUTCOME, CERTIFICATE, *TABLES])  # said before, not after, the solving
    say_notes(market)
    outcome = solved(market, solver, reading, time_limit, seed, {})
    with working("reasons") as say, clean_stdout():
        made = report(market, outcome, mechanism, seed=seed, time_limit=time_limit, progress=say)
    if out is not None:
        _write(out, made, _title(tasks, providers))
    if json:
        print_json(_plain(made))
    else:
        _print(made)
    if made.unasked:
        left = count(made.unasked, "task or provider that does not trade", "tasks and providers that do not trade")
        stderr.print(f"of {left} it is not known what would change that: there was no time left", soft_wrap=True)
    if made.interrupted:
        raise typer.Exit(INTERRUPTED)


def _write(out: Path, made: Report, title: str) -> None:
    """The page, the tables, and what ``check`` takes."""
    write_market(out / MARKET, made.market)
    write_outcome(out / OUTCOME, made.outcome)
    (out / CERTIFICATE).unlink(missing_ok=True)  # an earlier run's
    if made.outcome.certificate is not None:
        write_certificate(out / CERTIFICATE, made.outcome.certificate)
    for name, table in tables_of(made).items():
        write_csv(out / f"{name}.csv", table)
        write_parquet(out / f"{name}.parquet", table)
    with replacing(out / PAGE) as temporary:
        temporary.write_text(render(made, title), encoding="utf-8")


def _title(tasks: Path, providers: Path | None) -> str:
    return "The market of " + printable(tasks.name if providers is None else f"{tasks.name} and {providers.name}")


def _plain(made: Report) -> dict[str, Any]:
    """The tables for machines: amounts as exact decimal text."""
    written = {
        name: {title: [_json(value) for value in column] for title, column in table.items()}
        for name, table in tables_of(made).items()
    }
    return {"outcome": summary_of(made.outcome), "mechanism": made.mechanism, **written}


def _json(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | str) else f"{value:f}"


def _print(made: Report) -> None:
    """A summary, then four tables: who wins, who does not, who trades, who does not."""
    _print_summary(made)
    market, best, names = made.market, made.best, made.market.labels
    of_task, of_provider = partners(made)
    auction, other, places = made.auction, made.mechanism, places_of(market)
    in_auction = set(winners(auction.allocation).tolist()), set(auction.allocation.provider.tolist())

    def elsewhere(who: list[int], side: int, amounts: Int) -> list[str]:
        shown = aligned(int(amounts[at]) if at in in_auction[side] else None for at in who)
        return [text or "-" for text in shown]

    won, losing = sorted(of_task), list(made.losing)
    traded, idle = sorted(of_provider), list(made.idle)
    _print_table(
        f"{len(won)} of {count(market.tasks, 'task wins', 'tasks win')}",
        {
            "task": [names.tasks[i] for i in won],
            "value": aligned(market.value[won].tolist(), places),
            "pays": aligned(best.payment[won].tolist(), places),
            "from": [listed(of_task[i]) for i in won],
            other: elsewhere(won, 0, auction.payment),
        },
    )
    _print_table(
        count(len(losing), "task does not win", "tasks do not win"),
        {
            "task": [names.tasks[i] for i in losing],
            "value": aligned(market.value[losing].tolist(), places),
            "wins above": [wins_above(made.bids[i], int(market.extra_cost[i]), places) for i in losing],
            "why": [made.losing[i] for i in losing],
            other: elsewhere(losing, 0, auction.payment),
        },
    )
    _print_table(
        f"{len(traded)} of {count(market.providers, 'provider trades', 'providers trade')}",
        {
            "provider": [names.providers[j] for j in traded],
            "slot cost": aligned(market.cost[traded].tolist(), places),
            "slots": [f"{len(of_provider[j])}/{market.slots[j]}" for j in traded],
            "receives": aligned(best.receipt[traded].tolist(), places),
            "for": [listed(of_provider[j]) for j in traded],
            other: elsewhere(traded, 1, auction.receipt),
        },
    )
    _print_table(
        count(len(idle), "provider does not trade", "providers do not trade"),
        {
            "provider": [names.providers[j] for j in idle],
            "slot cost": aligned(market.cost[idle].tolist(), places),
            "trades below": [trades_below(made.costs[j], places) for j in idle],
            "why": [made.idle[j] for j in idle],
            other: elsewhere(idle, 1, auction.receipt),
        },
    )


def _print_summary(made: Report) -> None:
    market, outcome = made.market, made.outcome
    kinds = ("task", "tasks"), ("provider", "providers"), ("model type", "model types")
    sizes = (market.tasks, market.providers, market.types)
    print(", ".join(count(size, *kind) for size, kind in zip(sizes, kinds, strict=True)) + "; amounts in tokens")
    users, sellers, _ = gains(market, made.best)
    print(f"best allocation: welfare {tokens(outcome.welfare)}, {proof(made)} ({outcome.solver})")
    if outcome.remark:
        print(printable(f"  {outcome.remark}"))
    if words := certified(made):
        print(f"  {words}")
    print(f"  at midpoint prices tasks gain {tokens(users)}, providers {tokens(sellers)}")
    users, sellers, platform = gains(market, made.auction)
    nothing = "which is the optimum" if outcome.proven_optimal and not outcome.bound else "compared with nothing proven"
    print(f"{made.mechanism}: welfare {tokens(made.auction_welfare)}, {lost(made) or nothing}")
    print(f"  at its prices tasks gain {tokens(users)}, providers {tokens(sellers)}, the platform {tokens(platform)}")


def _print_table(title: str, columns: dict[str, list[str]]) -> None:
    """A table that cuts nothing: texts are folded, amounts are whole."""
    if not next(iter(columns.values())):
        return
    table = Table(box=box.SIMPLE_HEAD, collapse_padding=True, pad_edge=False, title=title, title_justify="left")
    for at, name in enumerate(columns):
        text = at == 0 or name in ("from", "for", "why")
        table.add_column(name, justify="left" if text else "right", overflow="fold", min_width=12 if text else None)
    for row in islice(zip(*columns.values(), strict=True), LONGEST):
        table.add_row(*map(printable, row))
    stdout.print(table)
    if (more := len(next(iter(columns.values()))) - LONGEST) > 0:
        print(f" and {more:,} more; --out writes all\n")
