"""Tables written for people and for programs: amounts are exact decimal tokens."""

import csv
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from unicodedata import normalize

from auction.errors import InputError
from auction.files import replacing
from auction.market import Int, Market
from auction.names import Labels
from auction.tables.fields import fields_of
from auction.tables.sheet import Sheet

Table = Mapping[str, Sequence[Any]]  # columns of one length: text, integers, floats, decimal tokens, None


def tokens(micro: Int) -> list[Decimal]:
    """Micro-tokens as exact tokens."""
    return [Decimal(amount).scaleb(-6) for amount in micro.tolist()]


def market_tables(market: Market) -> dict[str, Table]:
    """Tasks, providers and types as ``auction.read`` takes them.

    Raises:
        InputError: names that would be read as others, such as a type called ``value``.
    """
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
    tables: dict[str, Table] = {
        "tasks": tasks | {name: market.demand[:, k].tolist() for k, name in enumerate(types)},
        "providers": providers,
        "types": {"type": types, "unit_work": market.unit_work.tolist()},
    }
    _ensure_read_again(market.labels, tables)
    return tables


def _ensure_read_again(labels: Labels, tables: Mapping[str, Table]) -> None:
    """That names in tables are read as what they are: a task and a provider that tell the types apart are read."""
    for name in (*labels.tasks, *labels.providers):
        if (read := normalize("NFC", name.strip())) != name:
            raise InputError(f"market: the name {name[:40]!r} would be read as {read[:40]!r}; rename it")
    told = {name: str(number) for number, name in enumerate(labels.types, 1)}
    try:
        tasks, providers = (_one_row(of, dict.fromkeys(tables[of], "1") | told) for of in ("tasks", "providers"))
        fields = fields_of(tasks, providers, None, "tokens")
    except InputError as error:
        raise InputError(f"market: names of its types are not fit for columns: {error.lines[0]}") from None
    numbers = [list(range(1, len(told) + 1))]
    if fields["names"].types != labels.types or any(fields[of].tolist() != numbers for of in ("demand", "resource")):
        raise InputError(
            "market: names of its types are not fit for columns, such as task, value and slots; rename them"
        )


def _one_row(of: str, row: Mapping[str, str]) -> Sheet:
    return Sheet.of(f"{of}.csv", [(1, list(row)), (2, list(row.values()))])


def write_csv(path: Path, table: Table) -> None:
    """Write a table as CSV in UTF-8, with the mark by which spreadsheets know it."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if any(set(";\t|") & set(name) for name in table):  # what parts columns is read off the header, quotes left out
            csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(table)
        else:
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
