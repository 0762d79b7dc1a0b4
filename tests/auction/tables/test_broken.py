"""Two good tables of names, umlauts and ten types, broken in every way that people break them: the lines they read."""

import gzip
import re
import zipfile
from pathlib import Path

import openpyxl
import pyarrow.parquet
import pytest

import auction
from auction.errors import InputError
from auction.tables.reading import read_sheet

TABLES = Path(__file__).parents[3] / "docs" / "tutorials"
TASKS, PROVIDERS = ((TABLES / name).read_text("utf-8") for name in ("tasks.csv", "providers.csv"))


SHARED = b"""<Override PartName="/xl/sharedStrings.xml"
ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml" /></Types>"""


def tasks(old, new, count=-1):
    assert old in TASKS
    return TASKS.replace(old, new, count), PROVIDERS


def providers(old, new, count=-1):
    assert old in PROVIDERS
    return TASKS, PROVIDERS.replace(old, new, count)


def _with_column(table, title, cell):
    head, first, *rows = table.splitlines()
    return "\n".join([f"{head},{title}", f"{first},{cell}", *(f"{row}," for row in rows), ""])


AMOUNT = "an amount in tokens, of at least 0 and no finer than 0.000001"
THOUSANDS = "nothing stands between thousands"
SEMICOLON = "decimal commas need ';' between the columns"
COUNT = "a whole number from 0 up"
ONE_SIGN = "one decimal sign a table, and nothing between thousands"
ONE_LINE = "one line of text, without control characters"
FITTING = "it must stay below 4611686018427387904 (2^62) to fit int64"
BROKEN = {
    "a word for an amount": (
        tasks("Newsletter März,0.57", "Newsletter März,cheap"),
        [f"tasks.csv: row 6, column 'value': 'cheap' is not allowed; {AMOUNT}"],
    ),
    "an amount below 0": (
        tasks("12.00", "-12.00"),
        [f"tasks.csv: row 2, column 'value': '-12.00' is not allowed; {AMOUNT}"],
    ),
    "finer than a micro-token": (
        tasks("12.00", "12.0000001"),
        [f"tasks.csv: row 2, column 'value': '12.0000001' is not allowed; {AMOUNT}"],
    ),
    "no amount": (tasks("12.00", ""), [f"tasks.csv: row 2, column 'value': is empty; {AMOUNT}"]),
    "a decimal comma among commas": (
        tasks("12.00", '"12,00"'),
        [f"tasks.csv: row 2, column 'value': '12,00' is not allowed ({SEMICOLON}); {AMOUNT}"],
    ),
    "thousands parted": (
        tasks("12.00", '"1,200.50"'),
        [f"tasks.csv: row 2, column 'value': '1,200.50' is not allowed ({THOUSANDS}); {AMOUNT}"],
    ),
    "a comma that may part thousands": (
        tasks("12.00", '"12,000"'),
        [f"tasks.csv: row 2, column 'value': '12,000' is not allowed ({THOUSANDS}; {SEMICOLON}); {AMOUNT}"],
    ),
    "bars between columns": (
        (TASKS.replace(",", "|"), PROVIDERS),
        ["tasks.csv: row 1: columns are parted by '|'; ',', ';' or a tab parts them"],
    ),
    "tables swapped": (
        (PROVIDERS, TASKS),
        ["tasks.csv has the columns of providers, providers.csv of tasks: name tasks first"],
    ),
    "a cell missing": (
        (TASKS + "Zuwenig,1,1\n", PROVIDERS),
        ["tasks.csv: row 32: has 3 cells where the header has 12"],
    ),
    "points and commas": (
        (TASKS.replace(",", ";").replace(".", ",").replace("12,00", "12.00"), PROVIDERS),
        [f"tasks.csv: row 2, column 'value': '12.00' has a point and row 3 ('1,16') a comma; {ONE_SIGN}"],
    ),
    "a currency": (
        tasks("12.00", "12.00 €"),
        [f"tasks.csv: row 2, column 'value': '12.00 €' is not allowed; {AMOUNT}"],
    ),
    "a vast exponent": (
        tasks("12.00", "1e999"),
        [f"tasks.csv: row 2, column 'value': '1e999' is not allowed; {AMOUNT}"],
    ),
    "half a slot": (
        providers("Köln,8.41,3", "Köln,8.41,2.5"),
        [f"providers.csv: row 3, column 'slots': '2.5' is not allowed; {COUNT}"],
    ),
    "a task twice": (
        tasks("Wetterdienst", "Bildarchiv"),
        ["tasks.csv: row 15, column 'task': 'Bildarchiv' is there already, in row 12"],
    ),
    "a provider without a name": (
        providers("Laptop vier", " "),
        ["providers.csv: row 6, column 'provider': is empty; a name is needed"],
    ),
    "a column misspelt": (
        providers("cost,slots", "costs,slots"),
        ["providers.csv: row 1: has no column 'cost'; is it 'costs'?"],
    ),
    "no such column": (
        tasks("task,value", "task,wert"),
        ["tasks.csv: row 1: has no column 'value'; it needs task, value"],
    ),
    "a type misspelt": (
        providers("Größe XL 70B", "Grösse XL 70B"),
        [
            "providers.csv: row 1: has no column 'Größe XL 70B', a type that tasks ask for; is it 'Grösse XL 70B'?",
        ],
    ),
    "a column twice": (tasks("Mistral 7B", "llama 3 8b"), ["tasks.csv: row 1: 2 columns are called 'Llama 3 8B'"]),
    "a column without a name": (tasks("Mistral 7B", ""), ["tasks.csv: row 1: column 4 has no name"]),
    "a unit that is none": (
        providers("cost,", "cost [euro],"),
        ["providers.csv: row 1, column 'cost [euro]': unit: 'euro' is not allowed; tokens, milli, micro"],
    ),
    "a cell too many": (
        (TASKS + "Zuviel,1,1,,,,,,,,,,7\n", PROVIDERS),
        [f"tasks.csv: row 32: has 13 cells where the header has 12; {SEMICOLON}"],
    ),
    "a decimal comma that adds a cell": (
        tasks("Wetterdienst,", "Wetterdienst,0,"),
        [f"tasks.csv: row 15: has 13 cells where the header has 12; {SEMICOLON}"],
    ),
    "an empty cell too many": (
        (TASKS + "Zuviel,1,1,,,,,,,,,,\n", PROVIDERS),
        [f"tasks.csv: row 32: has 13 cells where the header has 12; {SEMICOLON}"],
    ),
    "a task of nothing": (
        (TASKS + "Nichts,5,,,,,,,,,,\n", PROVIDERS),
        ["tasks.csv: row 32: the task asks for nothing; one request is needed"],
    ),
    "an ability beyond 1": (
        (TASKS, _with_column(PROVIDERS, "Phi mini.ability", "1.5")),
        ["providers.csv: row 2, column 'Phi mini.ability': '1.5' is not allowed; an ability from 0 to 1"],
    ),
    "an ability of no type": (
        (TASKS, _with_column(PROVIDERS, "Phi.ability", "1")),
        ["providers.csv: row 1, column 'Phi.ability': there is no type 'Phi'"],
    ),
    "an open quote": (tasks("Code Review", '"Code Review'), ["tasks.csv: row 8: is not CSV (unexpected end of data)"]),
    "empty": (("", PROVIDERS), ["tasks.csv: is empty; a row of column names is needed"]),
    "control characters in a name": (
        tasks("Bildarchiv", "Bild\x1b[2Jarchiv"),
        [rf"tasks.csv: row 12, column 'task': 'Bild\x1b[2Jarchiv' is not allowed; {ONE_LINE}"],
    ),
    "a name that cannot be seen": (
        tasks("Bildarchiv", "\u200b\u2060"),
        [r"tasks.csv: row 12, column 'task': '\u200b\u2060' is not allowed; a character that can be seen"],
    ),
    "an amount beyond int64": (
        tasks("12.00", "1e30"),
        ["tasks.csv: row 2, column 'value': '1e30' is not allowed; an amount of at most 9223372036854 tokens"],
    ),
    "slots beyond int64": (
        providers("Köln,8.41,3", "Köln,8.41,1e20"),
        [f"providers.csv: row 3, column 'slots': '1e20' is not allowed; a number of at most {2**63 - 1}"],
    ),
    "amounts beyond any market": (
        tasks("12.00", "9000000000000"),
        [f"value: the sum of all values and extra costs is 9e+18; {FITTING}"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN)
def test_each_fault_is_named_with_its_row_and_column(cli, tmp_path, monkeypatch, broken):
    monkeypatch.chdir(tmp_path)
    texts, lines = BROKEN[broken]
    for name, text in zip(("tasks.csv", "providers.csv"), texts, strict=True):
        Path(name).write_text(text, encoding="utf-8")
    code, printed, error = cli("run", "tasks.csv", "providers.csv", "--out", "report")
    assert (code, printed) == (2, "")
    assert error.splitlines() == [f"error: {line}" for line in lines]
    assert not Path("report").exists()


def refused(tmp_path, **files):
    paths = [tmp_path / name for name in files.pop("names", ("tasks.csv", "providers.csv"))]
    for path, content in zip(paths, (files.get("tasks", TASKS), files.get("providers", PROVIDERS)), strict=True):
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        auction.read(*paths)
    return [line.replace(f"{tmp_path}/", "") for line in caught.value.lines]


def test_ten_faults_are_told_at_once_of_both_tables(tmp_path):
    found = refused(
        tmp_path, tasks=TASKS.replace(".", ":"), providers=PROVIDERS.replace("Laptop vier,", "Laptop vier,x")
    )
    assert len(found) == 11 and found[10] == "and 21 more faults"
    assert found[0].startswith("tasks.csv: row 2, column 'value': '12:00'")


@pytest.mark.parametrize(
    "names, content, line",
    [
        (("tasks.csv", "p.csv"), TASKS.encode("utf-16")[:-1], "tasks.csv: begins as UTF-16 and ends as none; save"),
        (("tasks.csv", "p.csv"), TASKS.encode("cp1252"), "tasks.csv: row 1: byte 0xf6 is not UTF-8; save the table as"),
        (("tasks.csv.gz", "p.csv"), TASKS, "tasks.csv.gz: is not a file packed by gzip"),
        (("tasks.csv.gz", "p.csv"), gzip.compress(TASKS.encode())[:-9], "tasks.csv.gz: is not a file packed by gzip"),
        (("tasks.xlsx", "p.csv"), TASKS, "tasks.xlsx: is not a workbook that can be read"),
        (("tasks.parquet", "p.csv"), TASKS, "tasks.parquet: is not a Parquet file that can be read"),
        (("tasks.ods", "p.csv"), TASKS, "tasks.ods: a table ends in .csv, .csv.gz, .tsv, .tsv.gz, .xlsx, .parquet"),
    ],
)
def test_files_that_are_not_what_their_name_says(tmp_path, names, content, line):
    [found] = refused(tmp_path, tasks=content, names=names)
    assert found.startswith(line)


def workbook(path, *rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)


def test_a_formula_that_nobody_worked_out_is_not_an_empty_cell(tmp_path):
    path = tmp_path / "tasks.xlsx"
    workbook(path, ["task", "value", "A", "B"], ["a", 1, 1, 1], ["b", 1, "=C2+1", 1])
    with pytest.raises(InputError, match="row 3: a formula without a result"):
        read_sheet(path)
    results = tmp_path / "results.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(results, "w") as new:
        for name in old.namelist():
            new.writestr(name, re.sub(rb"(<f>C2\+1</f>)<v\s*/>", rb"\1<v>2</v>", old.read(name)))
    assert read_sheet(results).rows[1] == ["b", "1", "2", "1"]


def test_one_text_that_is_many_cells_is_not_read_as_often(tmp_path):
    """A kilobyte that stands for gigabytes: both formats keep a text once, however many cells it has."""
    wide, text = 70, "x" * 9_900
    workbook(tmp_path / "inline.xlsx", [f"c{at}" for at in range(wide)], *[["L"] * wide for _ in range(100)])
    with zipfile.ZipFile(tmp_path / "inline.xlsx") as old, zipfile.ZipFile(tmp_path / "a.xlsx", "w") as new:
        for member in old.namelist():
            content = re.sub(rb't="inlineStr"><is><t>L</t></is>', b't="s"><v>0</v>', old.read(member))
            new.writestr(member, content.replace(b"</Types>", SHARED))
        sheet = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        new.writestr("xl/sharedStrings.xml", f'<sst xmlns="{sheet}"><si><t>{text}</t></si></sst>')
    columns = {f"c{at}": pyarrow.array([text] * 100).dictionary_encode() for at in range(wide)}
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "a.parquet")
    for path in (tmp_path / "a.xlsx", tmp_path / "a.parquet"):
        assert path.stat().st_size < 10**6
        with pytest.raises(InputError, match="its cells have more than 67108864 characters"):
            read_sheet(path)


def test_text_of_a_workbook_is_not_told_to_part_its_columns(tmp_path):
    workbook(tmp_path / "tasks.xlsx", ["task", "value", "A"], ["a", "1,5", 1])
    (tmp_path / "p.csv").write_text("provider,cost,slots,A\np,1,1,1\n")
    with pytest.raises(InputError, match=r"'1,5' is not allowed; an amount"):
        auction.read(tmp_path / "tasks.xlsx", tmp_path / "p.csv")


@pytest.mark.parametrize("packed_or_not", [20, 24])
def test_a_workbook_that_only_promises_bytes_is_not_read(tmp_path, packed_or_not):
    path = tmp_path / "tasks.xlsx"
    workbook(path, ["task", "value", "A"], ["a", 1, 1])
    content = path.read_bytes()
    at = content.rindex(b"PK\x01\x02") + packed_or_not  # a size of a member in the directory
    path.write_bytes(content[:at] + (2**31).to_bytes(4, "little") + content[at + 4 :])
    with pytest.raises(InputError, match="bytes when unpacked, of which at most"):
        read_sheet(path)


def test_bytes_of_parquet_are_text(tmp_path):
    table = pyarrow.table({"task": ["Köln".encode(), b"\xff"], "A": [1, 2]})
    pyarrow.parquet.write_table(table, tmp_path / "tasks.parquet")
    assert read_sheet(tmp_path / "tasks.parquet").rows == [["Köln", "1"], [r"\xff", "2"]]


@pytest.mark.parametrize("head", ["task,value,A;x", 'task,value,"A;x;y;z"', "task;value;A,x", "task\tvalue\tA"])
def test_columns_are_parted_by_the_sign_there_is_most_of(tmp_path, head):
    (tmp_path / "tasks.csv").write_text(head)
    assert len(read_sheet(tmp_path / "tasks.csv").header) == 3


def long_form(*rows):
    return "task,value,type,requests\n" + "".join(f"{row}\n" for row in rows)


@pytest.mark.parametrize(
    "rows, line",
    [
        (["a,1,A,1", "a,2,B,1"], "row 3, column 'value': '2' is not what 'a' has above"),
        (["a,1,A,1", "a,,A,1"], "row 3, column 'type': 'A' is there already for 'a'"),
        (["a,,A,1"], "row 2, column 'value': is empty; one row of 'a' states it"),
        (["a,1,,1"], "row 2, column 'type': is empty; the name of a type is needed"),
        (["a,1,A,0"], "row 2: 'a' asks for nothing; one request is needed"),
        (["a,1,A,many"], "row 2, column 'requests': 'many' is not allowed; a whole number from 0 up"),
    ],
)
def test_faults_of_the_long_form(tmp_path, rows, line):
    assert refused(tmp_path, tasks=long_form(*rows), providers="provider,cost,slots,A,B\np,1,1,1,1\n") == [
        f"tasks.csv: {line}"
    ]


@pytest.mark.parametrize(
    "rows, line",
    [
        (["A,1"], "has no row for the type 'B'"),
        (["A,1", "B,1", "C,1"], "row 4, column 'type': there is no type 'C'"),
        (["A,-1", "B,1"], "row 2, column 'unit_work': '-1' is not allowed; work from 0 up"),
    ],
)
def test_faults_of_the_types(tmp_path, rows, line):
    names = {"t.csv": "task,value,A,B\na,1,1,0\n", "p.csv": "provider,cost,slots,A,B\np,1,1,1,1\n"}
    names["types.csv"] = "type,unit_work\n" + "".join(f"{row}\n" for row in rows)
    for name, text in names.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as caught:
        auction.read(tmp_path / "t.csv", tmp_path / "p.csv", types=tmp_path / "types.csv")
    assert [each.replace(f"{tmp_path}/", "") for each in caught.value.lines] == [f"types.csv: {line}"]
