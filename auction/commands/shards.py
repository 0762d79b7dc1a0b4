"""The commands about one market in shards: part it, solve and certify the parts, derive their bound again."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from auction import shards
from auction.commands.arguments import Json, MarketFile, ReadingName, Scheduler, Seed, TimeLimit
from auction.commands.comparison_tables import LINE
from auction.commands.terminal import clean_stdout, print_json, printable, working
from auction.errors import InputError
from auction.files import (
    read_certificate,
    read_market,
    read_outcome,
    write_certificate,
    write_market,
    write_outcome,
)
from auction.market import MICRO
from auction.outcome import Outcome
from auction.workers import on

Shards = Annotated[list[Path], typer.Argument(help="the shards' market files", show_default=False)]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="processes; a processor each by default")]


def split_market(
    market: MarketFile,
    count: Annotated[int, typer.Option("--shards", min=1, help="how many", show_default=False)],
    out: Annotated[Path, typer.Option(help="directory for shard-0.npz and so on", show_default=False)],
    seed: Seed = 0,
) -> None:
    """Part a market's tasks and providers at random into shards, each a market file.

    Example: python -m auction split market.npz --shards 4 --out parts
    """
    _make(out)
    with working(f"parting {market}"):
        for number, shard in enumerate(shards.split(read_market(market), count, seed)):
            write_market(out / f"shard-{number}.npz", shard)


def solve_shards(
    markets: Shards,
    out: Annotated[Path, typer.Option(help="directory for each shard's outcome and certificate", show_default=False)],
    reading: ReadingName = "bundle",
    time_limit: TimeLimit = 60.0,
    seed: Seed = 0,
    check: Annotated[bool, typer.Option("--check", help="derive again the bound of what lies in --out")] = False,
    processes: Workers = None,
    scheduler: Scheduler = None,
    json: Json = False,
) -> None:
    """Solve the shards of one market, each by itself, and certify all by the same prices: their sums are the market's.

    No process holds more than a shard. Few model types, as column_generation has them with rows=vectors.

    Example: python -m auction shards parts/shard*.npz --out solved --workers 2
    """
    _make(out)
    names = [path.stem for path in markets]
    if len(set(names)) < len(names):
        raise InputError("market files: two have the same name; their outcomes need names of their own")
    with on(scheduler), working(f"{'checking' if check else 'solving'} {len(markets)} shards"), clean_stdout():
        if check:
            found = _checked(markets, out, processes)
        else:
            found = shards.solve(
                markets,
                reading=reading,  # type: ignore[arg-type]
                time_limit=time_limit,
                seed=seed,
                processes=processes,
            )
    for name, outcome in zip(names, found, strict=True):
        if not check and outcome.certificate is not None:
            write_outcome(out / f"{name}.outcome.json", outcome)
            write_certificate(out / f"{name}.certificate.json", outcome.certificate)
    rows = [_row(str(path), [one]) for path, one in zip(markets, found, strict=True)]
    total = _row("all", found)
    if json:
        print_json({"shards": rows, "total": total})
        return
    print(LINE.format("shard", "pairs", "welfare", "bound", "gap", "seconds"))
    for row in [*rows, total]:
        name = printable(row["market"])
        if len(name) > 22:
            print(name)
            name = ""
        tokens = (f"{row[amount] / MICRO:,.6f}" for amount in ("welfare", "bound"))
        print(LINE.format(name, row["pairs"], *tokens, f"{row['gap']:.4%}", f"{row['seconds']:.2f}"))


def _checked(markets: list[Path], out: Path, processes: int | None) -> list[Outcome]:
    """The outcomes in ``out``, their bounds derived again; all else of them is for ``check`` to say, shard by shard."""
    found = [read_outcome(out / f"{path.stem}.outcome.json") for path in markets]
    certificates = [read_certificate(out / f"{path.stem}.certificate.json") for path in markets]
    bounds = shards.derived(markets, certificates, processes)
    for path, one, bound in zip(markets, found, bounds, strict=True):
        if one.bound != bound:
            raise InputError(f"{path}: its outcome states the bound {one.bound}; the prices prove {bound} micro-tokens")
    return [replace(one, bound=bound) for one, bound in zip(found, bounds, strict=True)]


def _row(name: str, found: list[Outcome]) -> dict[str, Any]:
    welfare, bound = sum(one.welfare for one in found), sum(one.bound or 0 for one in found)
    return {
        "market": name,
        "pairs": sum(one.allocation.task.size for one in found),
        "welfare": welfare,
        "bound": bound,
        "gap": (bound - welfare) / bound if bound else 0.0,
        "seconds": sum(one.seconds for one in found),
    }


def _make(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror or error})") from None
