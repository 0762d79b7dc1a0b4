"""The command ``run``: people's own tables, or a market's file, solved, priced and explained."""

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
from auction.commands.terminal import clean_stdout, print_json, printable, stdout, working
from auction.explain.report import Report, report
from auction.explain.tables import partners, tables_of
from auction.explain.thresholds import Threshold
from auction.files import summary_of
from auction.tables import read
from auction.tables.notes import tokens
from auction.tables.writing import write_csv, write_parquet
from auction.welfare import provider_utility, user_utility, winners

Tasks = Annotated[
    Path, typer.Argument(help="tasks: .csv, .csv.gz, .tsv, .xlsx, .parquet; or a market's file", show_default=False)
]
Providers = Annotated[
    Path | None, typer.Argument(help="providers, likewise; none beside a market's file", show_default=False)
]
WIDTH = 80


def run_tables(
    tasks: Tasks,
    providers: Providers = None,
    solver: Annotated[str, typer.Option(help="a name from `python -m auction solvers`")] = "column_generation",
    mechanism: Annotated[str, typer.Option(help="a name from `python -m auction mechanisms`")] = "whitepaper",
    out: Annotated[
        Path | None, typer.Option(help="a folder for report.html and tables, CSV and Parquet", show_default=False)
    ] = None,
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
    if out is not None:
        folder(out)
    with working(f"reading {tasks}" + (f" and {providers}" if providers else "")):
        market = read(tasks, providers, types=types, unit=unit, alpha=alpha, beta=beta)
    say_notes(market)
    outcome = solved(market, solver, reading, time_limit, seed, {})
    with working("reasons") as say, clean_stdout():
        made = report(market, outcome, mechanism, seed=seed, time_limit=time_limit, progress=say)
    if out is not None:
        for name, table in tables_of(made).items():
            write_csv(out / f"{name}.csv", table)
            write_parquet(out / f"{name}.parquet", table)
    if json:
        print_json(_plain(made))
    else:
        _print(made)
    if outcome.status == "interrupted":
        raise typer.Exit(INTERRUPTED)


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
    _print_summary(made)
    market, best, names = made.market, made.best, made.market.labels
    of_task, of_provider = partners(made)
    won = winners(best.allocation).tolist()
    if won:
        table = _table(f"{len(won)} of {market.tasks} tasks win", "task", "pays", "value", last="from")
        for i in won:
            table.add_row(
                *map(printable, (names.tasks[i], tokens(best.payment[i]), tokens(market.value[i]))),
                printable(", ".join(of_task[i])),
            )
        stdout.print(table)
    if made.losing:
        table = _table(f"{len(made.losing)} tasks do not win", "task", "value", "wins above", last="why")
        for i, why in made.losing.items():
            extra = int(market.extra_cost[i])
            table.add_row(
                printable(names.tasks[i]), tokens(market.value[i]), above(made.bids[i], extra), printable(why)
            )
        stdout.print(table)
    trading = sorted(of_provider)
    if trading:
        table = _table(
            f"{len(trading)} of {market.providers} providers trade",
            "provider",
            "receives",
            "cost of a slot",
            "slots",
            last="for",
        )
        for j in trading:
            table.add_row(
                printable(names.providers[j]),
                tokens(best.receipt[j]),
                tokens(market.cost[j]),
                f"{len(of_provider[j])} of {market.slots[j]}",
                printable(", ".join(of_provider[j])),
            )
        stdout.print(table)
    if made.idle:
        table = _table(
            f"{len(made.idle)} providers trade nothing", "provider", "cost of a slot", "trades below", last="why"
        )
        for j, why in made.idle.items():
            table.add_row(printable(names.providers[j]), tokens(market.cost[j]), below(made.costs[j]), printable(why))
        stdout.print(table)


def above(found: Threshold, extra: int) -> str:
    """The value above which a task wins in every optimum, or what is proven of it."""
    if found.most is not None:
        return ("" if found.exact else "at most ") + tokens(found.most + extra)
    return "" if found.least is None else f"at least {tokens(found.least + extra)}"


def below(found: Threshold) -> str:
    """The cost below which a provider trades in every optimum, or what is proven of it."""
    if found.most is not None and found.most <= 0:
        return "never"
    if found.least is not None:
        return ("" if found.exact else "at least ") + tokens(found.least)
    return "" if found.most is None else f"at most {tokens(found.most)}"


def _print_summary(made: Report) -> None:
    market, outcome, best, auction = made.market, made.outcome, made.best, made.auction
    print(f"{market.tasks} tasks, {market.providers} providers, {market.types} model types; amounts in tokens")
    users = int(user_utility(market, best.allocation, best.payment).sum())
    sellers = int(provider_utility(market, best.allocation, best.receipt).sum())
    if outcome.proven_optimal:
        proof = "proven optimal"
    elif outcome.bound is None:
        proof = "nothing is proven of the optimum"
    else:
        proof = f"the optimum is at most {tokens(outcome.bound)}, {outcome.gap:.2%} more at the most"
    print(f"best allocation ({outcome.solver}): welfare {tokens(outcome.welfare)}, {proof}")
    print(f"  at midpoint prices tasks gain {tokens(users)}, providers {tokens(sellers)}")
    lost = (
        ""
        if made.auction_gap is None
        else f", {made.auction_gap:.2%} of the {'optimum' if outcome.proven_optimal else 'bound'} is lost"
    )
    print(
        f"{made.mechanism}: welfare {tokens(made.auction_welfare)}{lost}; {winners(auction.allocation).size} tasks win"
    )
    users = int(user_utility(market, auction.allocation, auction.payment).sum())
    sellers = int(provider_utility(market, auction.allocation, auction.receipt).sum())
    platform = tokens(auction.budget_surplus)
    print(f"  at its prices tasks gain {tokens(users)}, providers {tokens(sellers)}, the platform {platform}")


def _table(title: str, name: str, *numbers: str, last: str) -> Table:
    """A table of at most WIDTH columns that cuts nothing: names and reasons are folded."""
    table = Table(box=box.SIMPLE_HEAD, collapse_padding=True, pad_edge=False, title=title, title_justify="left")
    table.add_column(name, overflow="fold", min_width=14)
    for number in numbers:
        table.add_column(number, justify="right", overflow="fold")
    table.add_column(last, overflow="fold", min_width=20)
    return table
