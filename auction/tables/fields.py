"""The fields of a market from tables of tasks, providers and, where they have work, model types."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from auction.arrays import FLOAT64_MAX
from auction.errors import InputError
from auction.names import Names, unfit
from auction.tables import cells
from auction.tables.sheet import Faults, Sheet, closest

ABILITY = ".ability"
AMOUNT = re.compile(r"(value|cost)\s*(?:\[(.*)\])?", re.IGNORECASE)
LONG = ("type", "requests")


def fields_of(tasks: Sheet, providers: Sheet, types: Sheet | None, unit: str) -> dict[str, Any]:
    """The fields of ``Market``, without alpha and beta, of tables as ``auction.read`` describes them.

    Raises:
        InputError: up to ten lines, each with table, row and column.
    """
    cells.amount(unit)  # refuses an unknown one
    faults = Faults()
    if tasks.has("provider", "slots") and providers.has("task") and not tasks.has("task"):
        raise InputError(f"{tasks.name} has the columns of providers, {providers.name} of tasks: name tasks first")
    offers = _Columns.of(providers, ("provider", "cost", "slots"), (), unit, faults)
    long = tasks.has(*LONG)
    needed = ("task", "value", *LONG) if long else ("task", "value")
    wants = _Columns.of(tasks, needed, ("arrival",), unit, faults)
    faults.refuse()

    offered = [title for title in offers.others if not title.casefold().endswith(ABILITY)]
    asked = _types_named(tasks, wants) if long else list(wants.others)
    if long:
        for title in wants.others:
            faults.add(f"{tasks.name}: row 1: column {title!r} is unknown{closest(title, needed)}")
    for name in asked:
        if name not in offered:
            known = closest(name, offered) or f"; it has {', '.join(offered)[:200] or 'none'}"
            faults.add(f"{providers.name}: row 1: has no column {name!r}, a type that tasks ask for{known}")
    names = list(dict.fromkeys(offered if long else [*asked, *offered]))
    for title in names:
        if why := unfit(title):
            faults.add(f"{providers.name}: row 1: {title[:40]!r} cannot be the name of a type; {why}")
    if not names:
        faults.add(f"{tasks.name}: row 1: names no model type; a column for each is needed")
    faults.refuse()

    every = (tasks, wants), (providers, offers)
    for sheet, columns in every:
        cells.ensure_one_decimal_sign(sheet, columns.of_numbers(), faults)
    if long:
        task_names, value, arrival, demand = _long_tasks(tasks, wants, names, faults)
    else:
        task_names = _names(tasks, wants.place["task"], faults)
        value = cells.column(tasks, wants.place["value"], wants.amount, faults)
        arrival = _arrivals(tasks, wants, faults)
        demand = _by_type(tasks, wants, names, cells.count(), 0, faults)
        for row in range(len(tasks.rows)):
            if asked and not any(demand[row]) and not faults.count:
                faults.add(f"{tasks.name}: row {tasks.numbers[row]}: the task asks for nothing; one request is needed")
    fields: dict[str, Any] = {
        "demand": demand,
        "value": value,
        "arrival": arrival,
        "slots": cells.column(providers, offers.place["slots"], cells.count(), faults),
        "cost": cells.column(providers, offers.place["cost"], offers.amount, faults),
        "resource": _by_type(providers, offers, names, cells.count(), 0, faults),
        "ability": _abilities(providers, offers, names, faults),
        "unit_work": [0.0] * len(names) if types is None else _work(types, names, faults),
    }
    provider_names = _names(providers, offers.place["provider"], faults)
    faults.refuse()
    shapes = {"demand": (len(task_names), len(names)), "resource": (len(provider_names), len(names))}
    for name, shape in (shapes | {"ability": shapes["resource"]}).items():
        fields[name] = np.array(fields[name]).reshape(shape)
    return fields | {"names": Names(tuple(task_names), tuple(provider_names), tuple(names))}


@dataclass(frozen=True)
class _Columns:
    """Where a table's own columns are, what its amounts are in, and the columns that are left: of model types."""

    place: dict[str, int]
    others: dict[str, int]
    amount: tuple[cells.Read, str]

    @classmethod
    def of(cls, sheet: Sheet, needed: Sequence[str], optional: Sequence[str], unit: str, faults: Faults) -> "_Columns":
        place: dict[str, int] = {}
        others: dict[str, int] = {}
        kind = cells.amount(unit)
        for at, title in enumerate(sheet.header):
            amount = AMOUNT.fullmatch(title)
            name = amount[1].casefold() if amount else title.casefold()
            if name not in (*needed, *optional):
                others[title] = at
                continue
            if name in place:
                faults.add(f"{sheet.name}: row 1: {name!r} occurs twice")
            place[name] = at
            if amount and amount[2] is not None:
                try:
                    kind = cells.amount(amount[2].strip().casefold())
                except InputError as error:
                    faults.add(f"{sheet.name}: row 1, column {title!r}: {error}")
        for name in needed:
            if name not in place:
                near = closest(name, list(others)) or f"; it needs {', '.join(needed)}"
                faults.add(f"{sheet.name}: row 1: has no column {name!r}{near}")
        return cls(place, others, kind)

    def of_numbers(self) -> list[int]:
        return [at for name, at in (self.place | self.others).items() if name not in ("task", "provider", "type")]


def _name_of(sheet: Sheet, row: int, at: int, faults: Faults) -> str:
    name = unicodedata.normalize("NFC", sheet.rows[row][at])
    if why := unfit(name):
        faults.add(f"{sheet.where(row, at)}: {name[:40]!r} is not allowed; {why}" if name else
                   f"{sheet.where(row, at)}: is empty; a name is needed")  # fmt: skip
    return name


def _names(sheet: Sheet, at: int, faults: Faults) -> list[str]:
    """A column of names, each of which occurs once."""
    found: dict[str, int] = {}
    for row in range(len(sheet.rows)):
        name = _name_of(sheet, row, at, faults)
        if name and name in found:
            faults.add(f"{sheet.where(row, at)}: {name[:40]!r} is there already, in row {sheet.numbers[found[name]]}")
        found.setdefault(name, row)
    return list(found)


def _types_named(tasks: Sheet, wants: _Columns) -> list[str]:
    """The types of the long form, in the order of their first row."""
    at = wants.place["type"]
    return [name for name in dict.fromkeys(unicodedata.normalize("NFC", row[at]) for row in tasks.rows) if name]


def _by_type(
    sheet: Sheet, columns: _Columns, names: Sequence[str], kind: tuple[cells.Read, str], absent: int, faults: Faults
) -> list[list[int]]:
    """A row of numbers for each row of the table, one a type: ``absent`` where it has no such column or cell."""
    by_type = [
        cells.column(sheet, columns.others[name], kind, faults, empty=absent)
        if name in columns.others
        else [absent] * len(sheet.rows)
        for name in names
    ]
    return [list(row) for row in zip(*by_type, strict=True)]


def _abilities(providers: Sheet, offers: _Columns, names: Sequence[str], faults: Faults) -> list[list[float]]:
    kind = cells.real(1.0, "an ability from 0 to 1")
    by_type: dict[str, list[float]] = {name: [1.0] * len(providers.rows) for name in names}
    for title, at in offers.others.items():
        if title.casefold().endswith(ABILITY):
            name = title[: -len(ABILITY)].rstrip()
            if name not in by_type:
                faults.add(
                    f"{providers.name}: row 1, column {title!r}: there is no type {name!r}{closest(name, names)}"
                )
            else:
                by_type[name] = cells.column(providers, at, kind, faults, empty=1.0)
    return [list(row) for row in zip(*by_type.values(), strict=True)]


def _arrivals(tasks: Sheet, wants: _Columns, faults: Faults) -> list[float] | None:
    if "arrival" not in wants.place:
        return None
    kind = cells.real(FLOAT64_MAX, "seconds from 0 up")
    return cells.column(tasks, wants.place["arrival"], kind, faults)


def _long_tasks(
    tasks: Sheet, wants: _Columns, names: Sequence[str], faults: Faults
) -> tuple[list[str], list[int], list[float] | None, list[list[int]]]:
    """A row a task and type: of the rows of a task one states its value and arrival, others the same or nothing."""
    place, of_type = wants.place, {name: k for k, name in enumerate(names)}
    requests = cells.column(tasks, place["requests"], cells.count(), faults)
    stated = {"value": cells.column(tasks, place["value"], wants.amount, faults, empty=-1)}
    if "arrival" in place:
        kind = cells.real(FLOAT64_MAX, "seconds from 0 up")
        stated["arrival"] = cells.column(tasks, place["arrival"], kind, faults, empty=-1)
    demand: dict[str, list[int]] = {}
    found: dict[str, dict[str, Any]] = {name: {} for name in stated}
    first: dict[str, int] = {}
    for row, line in enumerate(tasks.rows):
        task = _name_of(tasks, row, place["task"], faults)
        first.setdefault(task, row)
        asked = demand.setdefault(task, [0] * len(names))
        k = of_type.get(unicodedata.normalize("NFC", line[place["type"]]))
        if k is None:
            faults.add(f"{tasks.where(row, place['type'])}: is empty; the name of a type is needed")
        elif asked[k] and requests[row]:
            faults.add(f"{tasks.where(row, place['type'])}: {names[k]!r} is there already for {task[:40]!r}")
        else:
            asked[k] += requests[row]
        for name, column in stated.items():
            if column[row] == -1:
                continue
            if found[name].setdefault(task, column[row]) != column[row]:
                faults.add(
                    f"{tasks.where(row, place[name])}: {line[place[name]][:40]!r} is not what {task[:40]!r} has above"
                )
    for task, row in first.items():
        for name in stated:
            if task not in found[name]:
                faults.add(f"{tasks.where(row, place[name])}: is empty; one row of {task[:40]!r} states it")
        if not any(demand[task]) and not faults.count:
            faults.add(f"{tasks.name}: row {tasks.numbers[row]}: {task[:40]!r} asks for nothing; one request is needed")
    values = {name: [found[name].get(task, 0) for task in first] for name in stated}
    return list(first), values["value"], values.get("arrival"), [demand[task] for task in first]


def _work(types: Sheet, names: Sequence[str], faults: Faults) -> list[float]:
    """The work of one request of each type, from a table ``type,unit_work``."""
    columns = _Columns.of(types, ("type", "unit_work"), (), "tokens", faults)
    faults.refuse()
    for title in columns.others:
        faults.add(f"{types.name}: row 1: column {title!r} is unknown; it has type, unit_work")
    cells.ensure_one_decimal_sign(types, columns.of_numbers(), faults)
    kind = cells.real(FLOAT64_MAX, "work from 0 up")
    work = cells.column(types, columns.place["unit_work"], kind, faults)
    listed = _names(types, columns.place["type"], faults)
    for row, name in enumerate(listed):
        if name not in names:
            faults.add(
                f"{types.where(row, columns.place['type'])}: there is no type {name[:40]!r}{closest(name, names)}"
            )
    by_name = dict(zip(listed, work, strict=False))
    for name in names:
        if name not in by_name:
            faults.add(f"{types.name}: has no row for the type {name[:40]!r}")
    return [by_name.get(name, 0.0) for name in names]
