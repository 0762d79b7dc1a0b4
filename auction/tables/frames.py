"""Frames of pandas as tables."""

from typing import TYPE_CHECKING, Any

from auction.tables.reading import text_of
from auction.tables.sheet import Sheet

if TYPE_CHECKING:
    import pandas as pd


def sheet_of(frame: "pd.DataFrame", name: str) -> Sheet:
    """A frame as a table; its rows count from 2, as if it were a file with a header. The index is left out."""
    columns = [_values(frame.iloc[:, at]) for at in range(frame.shape[1])]
    rows = ([text_of(value) for value in row] for row in zip(*columns, strict=True))
    lines: list[Any] = [(1, [str(title) for title in frame.columns])]
    return Sheet.of(name, [*lines, *enumerate(rows, 2)])


def _values(column: "pd.Series[Any]") -> list[Any]:
    """None where there is none: of pandas' kinds of missing values some equal nothing, not even themselves."""
    return column.astype(object).where(column.notna(), None).tolist()
