"""A table as people keep it: a header and rows of cells, with the row each had in its file."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from auction.errors import InputError

LARGEST_SHEET = 20_000_000  # cells
TOLD = 10  # faults that are told at once


class Faults:
    """What is wrong with a table, or two: gathered, told at once, at most TOLD of them."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.count = 0

    def add(self, line: str) -> None:
        self.count += 1
        if len(self.lines) < TOLD:
            self.lines.append(line)

    def refuse(self) -> None:
        """Raise InputError where there is a fault."""
        if self.count > len(self.lines):
            raise InputError(*self.lines, f"and {self.count - len(self.lines)} more faults")
        if self.lines:
            raise InputError(*self.lines)


@dataclass(frozen=True)
class Sheet:
    """A header and rows of text, as many cells each; ``numbers`` are the rows' places in the file, the header's 1."""

    name: str  # of the file, for messages
    header: tuple[str, ...]
    rows: list[list[str]]
    numbers: list[int]
    comma: bool | None  # whether numbers may have decimal commas; None where no sign parts the columns

    @classmethod
    def of(cls, name: str, lines: Iterable[tuple[int, Sequence[str]]], comma: bool | None = None) -> "Sheet":
        """The first line that is not empty is the header; empty lines and columns without a name are left out.

        A row of a CSV has as many cells as its header: one more or less, and it is not known which is which.

        Raises:
            InputError: no header, a column that occurs twice, cells to the right of the header, or too many of them.
        """
        filled = ((number, [cell.strip() for cell in cells]) for number, cells in lines)
        filled = ((number, cells) for number, cells in filled if any(cells))
        _, top = next(filled, (0, []))
        header = [unicodedata.normalize("NFC", title) for title in top]
        while header and not header[-1]:
            header.pop()
        if not header:
            raise InputError(f"{name}: is empty; a row of column names is needed")
        if len(header) > LARGEST_SHEET:
            raise InputError(f"{name}: has {len(header)} columns; at most {LARGEST_SHEET} cells are read")
        faults = Faults()
        for at, title in enumerate(header):
            if not title:
                faults.add(f"{name}: row 1: column {at + 1} has no name")
        times = Counter(title.casefold() for title in header if title)
        for title in {title.casefold(): title for title in reversed(header)}.values():
            if times[title.casefold()] > 1:
                faults.add(f"{name}: row 1: {times[title.casefold()]} columns are called {title!r}")
        width = len(header)
        rows: list[list[str]] = []
        numbers: list[int] = []
        for number, cells in filled:
            if any(cells[width:]) if comma is None else len(cells) != len(top):
                more = comma is False and len(cells) > len(top)
                hint = "; decimal commas need ';' between the columns" if more else ""
                faults.add(f"{name}: row {number}: has {len(cells)} cells where the header has {len(top)}{hint}")
                continue
            if (len(rows) + 1) * width > LARGEST_SHEET:
                raise InputError(f"{name}: has more than {LARGEST_SHEET} cells")
            rows.append(cells[:width] + [""] * (width - len(cells)))
            numbers.append(number)
        faults.refuse()
        return cls(name, tuple(header), rows, numbers, comma)

    def has(self, *titles: str) -> bool:
        """Whether there are columns of these names, large or small."""
        return set(titles) <= {title.casefold() for title in self.header}

    def where(self, row: int, column: int) -> str:
        """The place of a cell, for a message."""
        return f"{self.name}: row {self.numbers[row]}, column {self.header[column]!r}"


def closest(title: str, titles: Sequence[str]) -> str:
    """Words that suggest what may have been meant; empty where nothing is near."""
    near = get_close_matches(title.casefold(), [each.casefold() for each in titles], 1, 0.6)
    return "".join(f"; is it {each!r}?" for each in titles if near and each.casefold() == near[0])[:80]
