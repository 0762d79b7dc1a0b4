"""The scenario workbook of CDARA: 20 users' and 7 providers' machines, and the densities and prices it prints.

Samimi, Teimouri and Mukhtar, 'A combinatorial double auction resource allocation model in cloud computing', doi
10.1016/j.ins.2014.02.008. The numbers are embedded; ``load`` reads them from the sheets, one CSV each, as well.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from auction.arrays import frozen
from auction.errors import InputError
from auction.market import Float, Int

FOLDER = "cdara"
RUNS = ("density", "density x time")  # sheets Sheet2 and Sheet3, time_dasty and time_dasty_dc
RESOURCES = ("CPU", "Memory", "Storage", "BW")

# Name, time (users: their priority in the second run), printed density, printed prices of the two runs (- where it
# wins nothing); then of each machine type: amount, CPU, memory, storage, bandwidth, price of its CPU.
USERS = """
B1 20 0.00097 0.0264 0.026;2 250 256 10000 400 3.1;1 500 256 1500 250 3
B2 22 0.000387 - 0.0165;3 500 512 4000 300 2.5
B3 26 0.000812 0.029 -;1 240 256 1700 130 3.1;2 400 512 3000 120 2.75;1 500 1024 15000 500 2.6
B4 25 0.000299 0.0195 0.0196;2 500 512 6500 200 2.8;1 1000 2048 9000 250 2.2
B5 30 0.000567 - -;1 250 512 2500 150 3;1 400 512 10000 450 2.8;1 500 1024 15000 500 2.6;1 1000 2048 30000 8500 2.1
B6 23 0.000266 - -;1 330 512 7000 200 2.8;2 1000 1024 30000 500 2.2
B7 19 0.00164 0.0267 0.0312;3 220 256 2000 100 3.1
B8 28 0.000435 - -;1 250 256 1800 120 3.1;1 400 1024 15000 350 2.4;2 1000 512 3000 400 2
B9 15 0.00046 - -;1 240 256 1700 100 3.2;1 900 512 3500 400 2
B10 34 0.000951 0.0382 -;2 230 256 5000 300 4;2 500 1024 4000 500 2.6;1 1000 512 3000 450 2
B11 60 0.000602 - 0.0393;3 350 512 7000 250 3;1 500 256 1500 250 2.9;2 1000 2048 7500 500 2.2
B12 38 0.000719 0.034 -;2 300 512 4000 180 3.1;1 400 512 3000 140 3;1 500 256 1500 300 2.9;1 1000 512 3500 400 2
B13 55 0.000831 0.0413 0.0348;1 240 256 1800 100 3.2;4 400 512 3600 256 2.9;1 1000 512 3800 450 2
B14 50 0.000927 0.0396 0.0388;1 300 256 1800 100 3.2;3 390 512 9000 350 3.1;2 500 256 1900 280 2.9
B15 36 0.000627 - -;1 400 256 1800 100 3.4;3 500 512 9000 350 3.6;1 1000 256 1900 280 3.7
B16 33 0.000779 0.0342 0.0355;1 300 256 1800 100 3.1;2 400 512 9000 350 3;2 500 256 1900 280 2.6
B17 14 0.000766 0.0168 -;1 300 256 1800 100 3.5;1 390 512 9000 350 3.3
B18 24 0.000676 0.0218 -;1 300 256 1800 100 3;1 390 512 9000 350 3.1;1 500 256 1900 280 2.7
B19 27 0.000285 - -;1 500 256 1800 100 3.5;3 1000 512 9000 350 3.3
B20 45 0.00109 0.0432 0.043;1 300 256 1800 100 3.5;4 390 512 9000 350 3.4;1 500 256 1900 280 3.4
"""
PROVIDERS = """
d1 0.00124 0.0847 0.0802;5 250 256 10000 400 3;3 400 512 10000 400 3;3 500 1024 20000 600 2.5;3 1000 2048 40000 1000 2
d2 0.00135 0.0078 0.015;3 300 512 4000 200 2.9;5 350 512 8000 250 2.72;2 400 1024 16000 400 2.4
d3 0.00152 0.0195 0.0196;6 250 256 2000 100 3;3 400 512 4000 150 2.75;2 500 1024 7000 200 2.5;1 1000 2048 10000 300 2
d4 0.000433 0.0699 0.0567;5 500 256 2000 300 2.8;5 1000 512 4000 500 1.9
d5 0.000973 0.0712 0.015;2 250 256 2000 150 3;4 400 512 4000 300 2.8;4 500 1024 5000 500 2.5;2 1000 2048 10000 600 2
d6 0.000859 0.0677 0.0871;2 300 256 2000 150 3.5;2 400 512 4000 300 3;3 500 1024 5000 500 2.8;2 1000 2048 10000 600 2.5
d7 0.000901 0.0475 0.0246;2 250 256 2000 150 2.5;3 400 512 4000 300 2.3;4 500 1024 5000 500 2.2
"""


@dataclass(frozen=True, eq=False)
class Side:
    """The users or the providers of the scenario, and what the workbook prints of them."""

    name: tuple[str, ...]  # (bidders,)
    priority: Float  # (bidders,) time, which multiplies a user's density in the second run; 1 for providers
    printed_density: tuple[str, ...]  # (bidders,) as printed, digits and all
    printed_price: Float  # (2, bidders) trade price by run; NaN where it wins nothing
    bidder: Int  # (types,) whose machine type it is, ascending, by rising CPU
    amount: Int  # (types,) machines
    machine: Int  # (types, 4) CPU, memory, storage and bandwidth of one machine
    rate: Float  # (types,) price of its CPU

    @property
    def capacity(self) -> Int:
        """(bidders, 4) of all machines together."""
        total = np.zeros((len(self.name), len(RESOURCES)), dtype=np.int64)
        np.add.at(total, self.bidder, self.amount[:, None] * self.machine)
        return total

    @property
    def machines(self) -> Int:
        """(bidders,) how many."""
        return np.bincount(self.bidder, self.amount).astype(np.int64)

    @property
    def price(self) -> Float:
        """(bidders,) the bid or ask for all machines together: amount x rate / CPU, summed over types."""
        return np.asarray(np.bincount(self.bidder, self.amount * self.rate / self.machine[:, 0]), dtype=np.float64)


def load(directory: Path | None) -> tuple[Side, Side]:
    """Users and providers from the sheets below a directory; the embedded numbers where it is None.

    Raises:
        InputError: a sheet that is missing or no CSV, a bidder that is not where it should be, a cell that is no
            positive number.
    """
    if directory is None:
        return _side(_embedded(USERS)), _side(_embedded(PROVIDERS))
    folder = directory / FOLDER
    users = _read(folder, "Brokers.csv", "Broker", 20, 0, ("Sheet2.csv", "time_dasty.csv"))
    providers = _read(folder, "Datacenters.csv", "Datacenter", 7, 4, ("Sheet3.csv", "time_dasty_dc.csv"))
    return _side(users), _side(providers)


Row = tuple[str, str, str, list[str], list[list[str]]]  # name, time, density, prices, machine types


def _embedded(text: str) -> list[Row]:
    rows: list[Row] = []
    for line in text.strip().splitlines():
        (name, *time, density, first, second), *types = (part.split() for part in line.split(";"))
        rows.append((name, time[0] if time else "1", density, [first, second], types))
    return rows


def _side(rows: list[Row]) -> Side:
    types = np.array([machine for *_, machines in rows for machine in machines], dtype=float)
    prices = [[np.nan if price == "-" else float(price) for price in pair] for *_, pair, _ in rows]
    return Side(
        name=tuple(name for name, *_ in rows),
        priority=frozen(np.array([float(time) for _, time, *_ in rows])),
        printed_density=tuple(density for _, _, density, *_ in rows),
        printed_price=frozen(np.array(prices).T),
        bidder=frozen(np.repeat(np.arange(len(rows)), [len(machines) for *_, machines in rows])),
        amount=frozen(types[:, 0].astype(np.int64)),
        machine=frozen(types[:, 1:5].astype(np.int64)),
        rate=frozen(types[:, 5].copy()),
    )


def _read(folder: Path, sheet: str, kind: str, count: int, column: int, results: tuple[str, str]) -> list[Row]:
    """Bidders are blocks of four lines, one a resource, below two lines of headings, in the order of their numbers."""
    path, cells = folder / sheet, _cells(folder / sheet)
    names = [f"{'B' if kind == 'Broker' else 'd'}{number + 1}" for number in range(count)]
    densities = _column(folder / "Sheet1.csv", column, 1)
    prices = [_column(folder / result, 0, 2) for result in results]
    for result, found in zip(results, prices, strict=True):
        if not found.keys() <= set(names):
            raise InputError(f"{folder / result}: {min(found.keys() - set(names))!r} is not allowed; one of {names}")
    rows: list[Row] = []
    for number, name in enumerate(names, 1):
        top = 4 * number - 2
        if _cell(cells, top, 0) != f"{kind} {number}":
            raise InputError(f"{path}: row {top + 1}: {_cell(cells, top, 0)!r} is not allowed; {kind} {number}")
        if f"{kind}{number}" not in densities:
            raise InputError(f"{folder / 'Sheet1.csv'}: has no density of {kind}{number}")
        types = []
        for first in (2, 5, 8, 11):
            if _cell(cells, top, first + 2) not in ("", "0.0"):
                whole = [(top, first + 2), *((top + r, first) for r in range(len(RESOURCES)))]
                counts = [_positive(path, cells, *place, whole=True) for place in whole]
                types.append([*counts, _positive(path, cells, top, first + 1)])
        if not types:
            raise InputError(f"{path}: row {top + 1}: {kind} {number} has no machine; at least one is needed")
        time = _positive(path, cells, top, 20) if kind == "Broker" else "1"
        rows.append((name, time, densities[f"{kind}{number}"], [price.get(name, "-") for price in prices], types))
    return rows


def _column(path: Path, key: int, value: int) -> dict[str, str]:
    """Positive numbers ``value`` columns right of their keys; lines without both are no part of the table."""
    cells = _cells(path)
    lines = [line for line in range(1, len(cells)) if _cell(cells, line, key) and _cell(cells, line, key + value)]
    return {_cell(cells, line, key): _positive(path, cells, line, key + value) for line in lines}


def _cells(path: Path) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: is not a CSV file in UTF-8 ({error})") from None


def _cell(cells: list[list[str]], row: int, column: int) -> str:
    return cells[row][column].strip() if row < len(cells) and column < len(cells[row]) else ""


def _positive(path: Path, cells: list[list[str]], row: int, column: int, whole: bool = False) -> str:
    text = _cell(cells, row, column)
    try:
        allowed = 0 < float(text) < 1e9 and (not whole or float(text).is_integer())
    except ValueError:
        allowed = False
    if not allowed:
        where = f"row {row + 1}, column {column + 1}"
        number = "whole number" if whole else "number"
        raise InputError(f"{path}: {where}: {text[:40]!r} is not allowed; a {number} above 0, below 1e9")
    return text
