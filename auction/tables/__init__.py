"""People's own tables: tasks and providers read from files or frames, and written again."""

import os
from pathlib import Path

from auction.errors import InputError
from auction.files import read_market
from auction.market import Market
from auction.tables.fields import fields_of
from auction.tables.reading import SUFFIXES, read_sheet

File = str | os.PathLike[str]


def read(
    tasks: File,
    providers: File | None = None,
    *,
    types: File | None = None,
    unit: str = "tokens",
    alpha: int = 2,
    beta: int = 0,
) -> Market:
    """The market of two tables, CSV (also .gz), XLSX or Parquet; or of one market.json or market.npz.

    Tasks: a row each with columns ``task`` (its name), ``value`` (what the whole task is worth), optionally
    ``arrival`` (seconds), and a column for each model type with the requests of it; or in long form a row for each
    task and type, ``task, value, type, requests``. Providers: ``provider``, ``cost`` (of one slot), ``slots``, a column
    for each type with the requests that one slot completes, optionally ``TYPE.ability``, 0 to 1. Empty cells of types
    are 0. Amounts are decimal tokens and become exact micro-tokens, 10^6 to a token; a header such as
    ``cost [micro]`` or ``unit`` says otherwise. Where ";" parts columns, decimal commas are understood.

    Args:
        tasks: the file of tasks, or a market's file alone.
        providers: the file of providers.
        types: a table ``type, unit_work``: work of one request, units of a reference device. Without it none, so that
            the extra cost is ``beta``.
        unit: of amounts whose header names none: tokens, milli (thousandths) or micro (millionths).
        alpha: base of the logarithm in the extra cost, 2 or more.
        beta: constant of the extra cost, whole tokens. The print has 1 or more; here nobody pays what he did not ask
            for, and it is 0.

    Raises:
        InputError: up to ten lines that each name file, row and column.
    """
    if providers is None:
        if Path(tasks).name.lower().endswith(SUFFIXES):
            raise InputError(f"{tasks}: a table of providers is needed beside it; or a market's file alone")
        return read_market(Path(tasks))
    work = None if types is None else read_sheet(Path(types))
    fields = fields_of(read_sheet(Path(tasks)), read_sheet(Path(providers)), work, unit)
    return Market(**fields, alpha=alpha, beta=beta)
