"""The commands about mechanisms: run one, measure its properties, list them."""

import json as json_format
from pathlib import Path
from typing import Annotated

import typer

from auction import mechanisms, registry
from auction.commands.arguments import Json, MarketFile, Options, Seed, options_in_words
from auction.commands.terminal import (
    NONE,
    clean_stdout,
    key_values,
    print_json,
    print_named,
    stdout,
    table_of,
    working,
)
from auction.errors import InputError
from auction.files import ensure_writable, read_market, replacing
from auction.incentives.properties import MISREPORTS, properties
from auction.market import MICRO

Name = Annotated[
    str, typer.Option("--mechanism", help="a name from `python -m auction mechanisms`", show_default=False)
]
Reading = Annotated[str | None, typer.Option(help="bundle or whole; the mechanism's own by default")]


def run_mechanism(
    market: MarketFile,
    mechanism: Name,
    reading: Reading = None,
    option: Options = None,
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option(help="where to write the settlement", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Allocate and price one market: who trades, what tasks pay, what providers receive.

    Example: python -m auction mechanism market.json --mechanism whitepaper --option printed=true --json
    """
    options = key_values(option or [])
    mechanisms.prepare(mechanism, reading, seed, options)
    if out is not None:
        ensure_writable(out)
    with working(f"{mechanism} on {market}"), clean_stdout():
        loaded = read_market(market)
        settled = mechanisms.run(loaded, mechanism, reading=reading, seed=seed, options=options)
    printed = mechanisms.summary(mechanism, loaded, settled)
    if out is not None:
        with replacing(out) as temporary:
            temporary.write_text(json_format.dumps(printed) + "\n")
    if json:
        print_json(printed)
        return
    table = table_of("mechanism", "welfare", "payments", "receipts", "surplus", "tasks won", caption="tokens")
    tokens = (printed["welfare"], sum(printed["payment"]), sum(printed["receipt"]), printed["budget_surplus"])
    table.add_row(mechanism, *(f"{amount / MICRO:,.6f}" for amount in tokens), str(len(set(printed["task"]))))
    stdout.print(table)


def measure_properties(
    market: MarketFile,
    mechanism: Name,
    reading: Reading = None,
    option: Options = None,
    misreports: Annotated[str, typer.Option(help="factors on values and demands")] = ",".join(map(str, MISREPORTS)),
    sample: Annotated[int, typer.Option(help="how many tasks misreport")] = 20,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Who loses, what is left over, welfare beside its bound, and what tasks gain by misreporting.

    Example: python -m auction properties market.json --mechanism vcg --misreports 0.5,2 --sample 10
    """
    options = key_values(option or [])
    mechanisms.prepare(mechanism, reading, seed, options)
    try:
        factors = [float(factor) for factor in misreports.split(",")]
    except ValueError:
        raise InputError(f"misreports: {misreports!r} is not allowed; numbers separated by commas") from None
    with working(f"properties of {mechanism} on {market}"), clean_stdout():
        measured = properties(
            read_market(market),
            mechanism,
            reading=reading,
            seed=seed,
            options=options,
            misreports=factors,
            sample=sample,
        )
    if json:
        print_json(measured)
        return
    table = table_of("property", "value", caption="micro-tokens")
    for name, value in measured.items():
        shown = f"{value:,.2f}" if isinstance(value, float) else NONE if value is None else f"{value:,}"
        table.add_row(name.replace("_", " "), shown)
    stdout.print(table)


def list_mechanisms() -> None:
    """The mechanisms there are, with their readings and options.

    Example: python -m auction mechanisms
    """
    for name in mechanisms.names():
        module = mechanisms.load(name)
        summary = registry.summary(module)
        print_named(name, summary, f"readings: {', '.join(module.READINGS)}", options_in_words(module.run))
