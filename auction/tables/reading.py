"""Tables in files: CSV, also packed by gzip, XLSX, Parquet."""

import codecs
import csv
import gzip
import re
import zipfile
import zlib
from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO, StringIO
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from auction.errors import InputError
from auction.readers import opened
from auction.tables.sheet import LARGEST_SHEET, Sheet

LARGEST_TABLE = 2**26  # bytes of a file and of what is unpacked from it
LARGEST_ROWS = 2**20  # of a workbook: what its format has
LONGEST_CELL = 10_000  # characters
SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".xlsx", ".parquet")


def read_sheet(path: Path) -> Sheet:
    """The table in a file, by its suffix; of a workbook the first sheet.

    Columns of a CSV are parted by the sign of "; tab ," that its header has most of outside of quotes; with ";" or a
    tab, numbers may have decimal commas.

    Raises:
        InputError: no such file, another suffix, too large, or not what its suffix says.
    """
    lower = path.name.lower()
    if not lower.endswith(SUFFIXES):
        raise InputError(f"{path}: a table ends in {', '.join(SUFFIXES)}")
    with opened(path, LARGEST_TABLE) as file:
        if lower.endswith(".xlsx"):
            return Sheet.of(str(path), _workbook_rows(path, file))
        if lower.endswith(".parquet"):
            return Sheet.of(str(path), _parquet_rows(path, file))
        content = _unpacked(path, file) if lower.endswith(".gz") else file.read(LARGEST_TABLE)
    text = _decoded(path, content)
    head = next((line for line in text.splitlines() if line.strip()), "")
    unquoted = re.sub('"[^"]*"', "", head)
    sign = max(";\t,", key=unquoted.count)
    if sign not in unquoted and "|" in unquoted:
        raise InputError(f"{path}: row 1: columns are parted by '|'; ',', ';' or a tab parts them")
    return Sheet.of(str(path), _csv_rows(path, text, sign), comma=sign != ",")


def _unpacked(path: Path, file: BinaryIO) -> bytes:
    try:
        with gzip.GzipFile(fileobj=file) as unpacked:
            content = unpacked.read(LARGEST_TABLE + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: is not a file packed by gzip ({_first_line(error)})") from None
    if len(content) > LARGEST_TABLE:
        raise InputError(f"{path}: has more than {LARGEST_TABLE} bytes when unpacked")
    return content


def _decoded(path: Path, content: bytes) -> str:
    utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # a spreadsheet's "Unicode text"
    try:
        return content.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        if utf16:
            raise InputError(f"{path}: begins as UTF-16 and ends as none; save the table as CSV UTF-8") from None
        row = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}: row {row}: byte {content[error.start]:#04x} is not UTF-8; save the table as CSV UTF-8, or as XLSX"
        ) from None


def _csv_rows(path: Path, text: str, sign: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(StringIO(text, newline=""), delimiter=sign, strict=True)
    begins = 1
    try:
        for cells in reader:
            yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{path}: row {begins}: is not CSV ({_first_line(error)})") from None


def _workbook_rows(path: Path, file: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(file) as archive:
            unpacked = sum(max(member.file_size, member.compress_size) for member in archive.infolist())
        if unpacked > LARGEST_TABLE:
            raise ValueError(f"{unpacked} bytes when unpacked, of which at most {LARGEST_TABLE} are read")
        file.seek(0)
        content = file.read(LARGEST_TABLE)
        stated = _has_formulas(file)
        sheets = [
            load_workbook(BytesIO(content), read_only=True, data_only=computed, keep_links=False).worksheets[0]
            for computed in ((True, False) if stated else (True,))
        ]
        for sheet in sheets:
            sheet.reset_dimensions()  # what a file says of its size need not be so
        cells = characters = 0
        for number, rows in enumerate(zip(*(sheet.iter_rows() for sheet in sheets), strict=True), 1):
            if number > LARGEST_ROWS or (cells := cells + len(rows[0])) > LARGEST_SHEET:
                raise ValueError(f"more than {LARGEST_ROWS} rows or {LARGEST_SHEET} cells")
            for result, typed in zip(*rows, strict=True) if stated else ():
                if result.value is None and result.data_type == "n" and typed.value is not None:
                    raise ValueError(f"row {number}: a formula without a result; a spreadsheet program works it out")
            texts = [text_of(cell.value) for cell in rows[0]]
            if (characters := characters + sum(map(len, texts))) > LARGEST_TABLE:  # one text may be many cells'
                raise ValueError(f"its cells have more than {LARGEST_TABLE} characters")
            yield number, texts
    except (InputError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - a damaged workbook fails in as many ways as its parts
        raise InputError(f"{path}: is not a workbook that can be read ({_first_line(error)})") from None


def _has_formulas(file: BinaryIO) -> bool:
    """Whether a workbook has any: those that no program has worked out yet look like empty cells, which are 0."""
    with zipfile.ZipFile(file) as archive:
        sheets = [member for member in archive.namelist() if member.startswith("xl/worksheets/")]
        return any(re.search(rb"<(\w+:)?f[\s/>]", archive.read(member)) for member in sheets)


def _parquet_rows(path: Path, file: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """Rows count from 2, as if there were a header above them."""
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(BytesIO(file.read(LARGEST_TABLE)))
        cells = table.metadata.num_rows * table.metadata.num_columns
        if cells > LARGEST_SHEET:
            raise ValueError(f"{cells} cells, of which at most {LARGEST_SHEET} are read")
        yield 1, table.schema_arrow.names
        number, characters = 2, 0
        for batch in table.iter_batches(10_000):
            for row in zip(*(each.to_pylist() for each in batch.columns), strict=True):
                texts = [text_of(value) for value in row]
                if (characters := characters + sum(map(len, texts))) > LARGEST_TABLE:
                    raise ValueError(f"its cells have more than {LARGEST_TABLE} characters")
                yield number, texts
                number += 1
    except (InputError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - a damaged file fails in as many ways as pyarrow has errors
        raise InputError(f"{path}: is not a Parquet file that can be read ({_first_line(error)})") from None


def text_of(value: Any) -> str:
    """A cell's value as a person would type it: of a float the shortest digits that are it."""
    if value is None or value != value:
        return ""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    if isinstance(value, float | Decimal) and -(2**53) < value < 2**53 and value == int(value):
        value = int(value)
    return str(value)[: LONGEST_CELL + 1]


def _first_line(error: BaseException) -> str:
    return next(islice((str(error) or type(error).__name__).splitlines(), 1), "")[:200]
