"""Tables written for people and for programs: amounts are exact decimal tokens."""

import csv
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from auction.files import replacing
from auction.market import Int, Market

Table = Mapping[str, Sequence[Any]]  # columns of one length: text, integers, floats, decimal tokens, None


def tokens(micro: Int) -> list[Decimal]:
    """Micro-tokens as exact tokens."""
    return [Decimal(amount).scaleb(-6) for amount in micro.tolist()]


def market_tables(market: Market) -> dict[str, Table]:
    """Tasks, providers and types as ``auction.read`` takes them."""
    types = market.labels.types
    tasks: dict[str, Sequence[Any]] = {"task": market.labels.tasks, "value": tokens(market.value)}
    if market.arrival is not None:
        tasks["arrival"] = market.arrival.tolist()
    providers = {
        "provider": market.labels.providers,
        "cost": tokens(market.cost),
        "slots": market.slots.tolist(),
        **{name: market.resource[:, k].tolist() for k, name in enumerate(types)},
        **{f"{name}.ability": market.ability[:, k].tolist() for k, name in enumerate(types)},
    }
    return {
        "tasks": tasks | {name: market.demand[:, k].tolist() for k, name in enumerate(types)},
        "providers": providers,
        "types": {"type": types, "unit_work": market.unit_work.tolist()},
    }


def write_csv(path: Path, table: Table) -> None:
    """Write a table as CSV in UTF-8, with the mark by which spreadsheets know it."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table)
        writer.writerows(zip(*map(_written, table.values()), strict=True))


def _written(column: Sequence[Any]) -> list[Any]:
    return [f"{value:f}" if isinstance(value, Decimal) else value for value in column]


def write_parquet(path: Path, table: Table) -> None:
    """Write a table as Parquet: amounts are decimals of 6 places."""
    import pyarrow
    from pyarrow import parquet

    with replacing(path) as temporary:
        parquet.write_table(pyarrow.table({name: _column(list(values)) for name, values in table.items()}), temporary)


def _column(values: list[Any]) -> Any:
    import pyarrow

    decimal = any(isinstance(value, Decimal) for value in values)
    return pyarrow.array(values, pyarrow.decimal128(25, 6) if decimal else None)
