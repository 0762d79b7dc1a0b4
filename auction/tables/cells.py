"""Numbers as people write them: exact micro-tokens, counts, shares; and why a cell is none."""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from typing import Any

from auction.arrays import INT64_MAX
from auction.errors import InputError
from auction.tables.sheet import Faults, Sheet

UNITS = {"tokens": 6, "milli": 3, "micro": 0}  # places to the right of each one's point that micro-tokens fill
NUMBER = re.compile(r"\+?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
THOUSANDS = re.compile(r"\d{1,3}([,. '’\u00a0\u2009\u202f]\d{3})+([,.]\d+)?", re.ASCII)
LONGEST = 60  # characters of a number
DIGITS = 15  # of a spreadsheet's numbers; a sum such as 0.30000000000000004 has more
ROOM = 400  # digits: of the longest number with the largest exponent
Read = Callable[[Decimal], Any]


def amount(unit: str) -> tuple[Read, str]:
    """How an amount in a unit is read, to exact micro-tokens, and what is allowed."""
    if unit not in UNITS:
        raise InputError(f"unit: {unit!r} is not allowed; {', '.join(UNITS)}")

    def read(number: Decimal) -> int:
        with localcontext(prec=ROOM):
            micro = number.scaleb(UNITS[unit])
        if micro != int(micro):
            with localcontext(prec=DIGITS):
                micro = +micro
        if micro > INT64_MAX:
            raise ValueError(f"an amount of at most {INT64_MAX // 10 ** UNITS[unit]} {unit}")
        if micro != int(micro):
            raise ValueError
        return int(micro)

    finest = {"tokens": "0.000001", "milli": "0.001", "micro": "1"}[unit]
    return read, f"an amount in {unit}, of at least 0 and no finer than {finest}"


def count() -> tuple[Read, str]:
    """How a number of requests or slots is read."""

    def read(number: Decimal) -> int:
        if number > INT64_MAX:
            raise ValueError(f"a number of at most {INT64_MAX}")
        if number != int(number):
            raise ValueError
        if number.as_tuple().exponent == -3:
            raise ValueError("a whole number without three places, which may be thousands")
        return int(number)

    return read, "a whole number from 0 up"


def real(upper: float, allowed: str) -> tuple[Read, str]:
    """How a number that need not be exact is read."""

    def read(number: Decimal) -> float:
        if not (value := float(number)) <= upper:
            raise ValueError
        return value

    return read, allowed


def column(sheet: Sheet, at: int, kind: tuple[Read, str], faults: Faults, empty: Any = None) -> list[Any]:
    """A column's numbers; ``empty`` where a cell is, which is a fault where that is None."""
    read, allowed = kind
    values = []
    for row, cells in enumerate(sheet.rows):
        text = cells[at]
        if not text and empty is not None:
            values.append(empty)
            continue
        try:
            values.append(read(_decimal(text, sheet.comma)))
        except ValueError as error:
            faults.add(f"{sheet.where(row, at)}: {_described(text, sheet.comma)}; {str(error) or allowed}")
            values.append(0)
    return values


def ensure_one_decimal_sign(sheet: Sheet, columns: Sequence[int], faults: Faults) -> None:
    """Where a table has decimal commas, a point may be one too or part a number's thousands: it is refused."""
    if not sheet.comma:
        return
    signs: dict[str, tuple[int, int]] = {}
    for at in columns:
        for row, cells in enumerate(sheet.rows):
            for sign in ",.":
                if sign in cells[at]:
                    signs.setdefault(sign, (row, at))
    if len(signs) == 2:
        (row, at), (other, of) = signs["."], signs[","]
        faults.add(
            f"{sheet.where(row, at)}: {sheet.rows[row][at][:LONGEST]!r} has a point and row {sheet.numbers[other]} "
            f"({sheet.rows[other][of][:LONGEST]!r}) a comma; one decimal sign a table, and nothing between thousands"
        )


def _decimal(text: str, comma: bool | None) -> Decimal:
    text = text.replace(",", ".") if comma and text.count(",") == 1 else text
    if len(text) > LONGEST or not NUMBER.fullmatch(text):
        raise ValueError
    number = Decimal(text)
    if number and number.adjusted() > ROOM - LONGEST:
        raise ValueError
    return number


def _described(text: str, comma: bool | None) -> str:
    if not text:
        return "is empty"
    hints = []
    if THOUSANDS.fullmatch(text):
        hints.append("nothing stands between thousands")
    if comma is False and text.count(",") == 1 and "." not in text:
        hints.append("decimal commas need ';' between the columns")
    return f"{text[:LONGEST]!r} is not allowed" + (f" ({'; '.join(hints)})" if hints else "")
