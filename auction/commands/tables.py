"""The commands about people's own tables: read them into a market, write them again, two to start from."""

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from auction.commands.arguments import MarketFile
from auction.commands.terminal import printable, stderr, working
from auction.errors import InputError
from auction.files import ensure_market_name, ensure_writable, read_market, replacing, write_market
from auction.market import Market
from auction.tables import notes, read, template
from auction.tables.writing import market_tables, write_csv

Tasks = Annotated[Path, typer.Argument(help="tasks: .csv, .csv.gz, .tsv, .xlsx or .parquet", show_default=False)]
Providers = Annotated[Path, typer.Argument(help="providers: likewise", show_default=False)]
Types = Annotated[Path | None, typer.Option(help="a table type,unit_work: the work of one request", show_default=False)]
Unit = Annotated[str, typer.Option(help="of amounts whose header names none: tokens, milli or micro")]
Alpha = Annotated[int, typer.Option(help="base of the logarithm in the extra cost")]
Beta = Annotated[int, typer.Option(help="constant of the extra cost, whole tokens")]


def say_notes(market: Market) -> None:
    """On standard error, a line each: what was taken for granted, what looks wrong."""
    for note in notes.taken_for_granted(market):
        stderr.print(printable(note), soft_wrap=True)
    for warning in notes.warnings(market):
        stderr.print(printable(f"warning: {warning}"), style="yellow", soft_wrap=True)


def import_tables(
    tasks: Tasks,
    providers: Providers,
    out: Annotated[Path, typer.Option(help="market.json or market.npz", show_default=False)],
    types: Types = None,
    unit: Unit = "tokens",
    alpha: Alpha = 2,
    beta: Beta = 0,
) -> None:
    """Read two tables into a market's file, names and all.

    Example: python -m auction import tasks.csv providers.csv --out market.json
    """
    ensure_market_name(out)
    ensure_writable(out)
    with working(f"reading {tasks} and {providers}"):
        market = read(tasks, providers, types=types, unit=unit, alpha=alpha, beta=beta)
    say_notes(market)
    write_market(out, market)
    stderr.print(printable(f"{out}: {market.tasks} tasks, {market.providers} providers, {market.types} types"))


def export_tables(
    market: MarketFile,
    out: Annotated[Path, typer.Option(help="a folder; made where it is not", show_default=False)],
) -> None:
    """Write a market's file as tables of tasks, providers and types; says how to read them again.

    Example: python -m auction export market.json --out tables
    """
    with working(f"reading {market}"):
        loaded = read_market(market)
    tables = market_tables(loaded)
    folder(out, [f"{name}.csv" for name in tables])
    for name, table in tables.items():
        write_csv(out / f"{name}.csv", table)
    work = ["--types", out / "types.csv"] if loaded.unit_work.any() else []
    again = ["python", "-m", "auction", "import", out / "tasks.csv", out / "providers.csv", *work]
    again += ["--alpha", loaded.alpha, "--beta", loaded.beta, "--out", "market.json"]
    stderr.print(printable(shlex.join(map(str, again))), soft_wrap=True)


def write_template(
    out: Annotated[Path, typer.Option(help="the folder to write them to")] = Path("."),
) -> None:
    """Write tasks.csv and providers.csv, two small tables to start from.

    Example: python -m auction template && python -m auction run tasks.csv providers.csv
    """
    folder(out)
    texts = {"tasks.csv": template.TASKS, "providers.csv": template.PROVIDERS}
    for name in texts:
        if (out / name).exists():
            raise InputError(f"{out / name}: is there already; another folder is needed (--out)")
    for name, text in texts.items():
        with replacing(out / name) as temporary:
            temporary.write_text(text, encoding="utf-8-sig")
    stderr.print(printable(f"{out / 'tasks.csv'}, {out / 'providers.csv'}"), soft_wrap=True)


def folder(path: Path, files: Iterable[str] = ()) -> None:
    """Make a folder where there is none.

    Raises:
        InputError: it cannot be made, or files of these names not be written there.
    """
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(f"{path}: is no folder and cannot be made one ({error.strerror or error})") from None
    for name in files:
        ensure_writable(path / name)
