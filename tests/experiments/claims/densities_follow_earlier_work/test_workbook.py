"""The scenario workbook: embedded as in its sheets, consistent with its own columns, refused in one line."""

import csv
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from experiments.claims.densities_follow_earlier_work.workbook import FOLDER, load


@pytest.fixture(scope="module")
def sheets() -> Path:
    """The directory above the workbook's sheets."""
    folder = os.environ.get("DISTRIBUTE_LAB_DATA")
    if not folder:
        pytest.skip("set DISTRIBUTE_LAB_DATA to the directory of public data")
    return Path(folder)


@pytest.fixture
def copied(sheets, tmp_path) -> Path:
    """The sheets, to be spoilt."""
    shutil.copytree(sheets / FOLDER, tmp_path / FOLDER, copy_function=shutil.copyfile)
    (tmp_path / FOLDER).chmod(0o755)
    return tmp_path


def test_the_embedded_numbers_are_those_of_the_sheets(sheets):
    for embedded, read in zip(load(None), load(sheets), strict=True):
        for field in vars(embedded):
            np.testing.assert_array_equal(getattr(embedded, field), getattr(read, field))


def test_there_are_20_users_and_7_providers_with_machines_by_rising_cpu():
    for side, (count, machines) in zip(load(None), ((20, 82), (7, 76)), strict=True):
        assert len(side.name) == side.printed_price.shape[1] == count and side.machines.sum() == machines
        for bidder in range(count):
            assert (np.diff(side.machine[side.bidder == bidder, 0]) > 0).all()


def test_totals_are_those_the_sheets_print(sheets):
    for side, sheet in zip(load(sheets), ("Brokers", "Datacenters"), strict=True):
        with (sheets / FOLDER / f"{sheet}.csv").open(newline="") as file:
            cells = list(csv.reader(file))
        for bidder in range(len(side.name)):
            rows = cells[2 + 4 * bidder : 6 + 4 * bidder]  # columns: 14 total capacity, 15 total cost, 17 total amount
            assert [float(row[14]) for row in rows] == side.capacity[bidder].tolist()
            assert float(rows[0][15]) == pytest.approx(side.price[bidder], rel=1e-12)
            assert float(rows[0][17]) == side.machines[bidder]


def spoil(path, row, column, text):
    with path.open(newline="") as file:
        cells = list(csv.reader(file))
    cells[row - 1][column - 1] = text
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(cells)


@pytest.mark.parametrize(
    "sheet, row, column, text, message",
    [("Brokers", 3, 3, "x", "row 3, column 3: 'x' is not allowed; a whole number above 0")]
    + [("Brokers", 4, 3, "", "row 4, column 3: '' is not allowed"), ("Brokers", 3, 4, "nan", "row 3, column 4: 'nan'")]
    + [("Brokers", 7, 21, "-1", "row 7, column 21: '-1'"), ("Datacenters", 3, 5, "inf", "row 3, column 5: 'inf'")]
    + [("Brokers", 3, 5, "0.5", "row 3, column 5: '0.5' is not allowed; a whole number")]
    + [("Brokers", 7, 5, "", "row 7: Broker 2 has no machine"), ("time_dasty", 3, 1, "B21", "'B21' is not allowed")]
    + [("Brokers", 11, 1, "Broker 4", "row 11: 'Broker 4' is not allowed; Broker 3")]
    + [("Sheet1", 2, 1, "Broker9", "has no density of Broker7"), ("Sheet2", 2, 3, "-", "row 2, column 3: '-'")],
)
def test_a_spoilt_cell_is_refused_in_a_line(copied, refusal, sheet, row, column, text, message):
    path = copied / FOLDER / f"{sheet}.csv"
    spoil(path, row, column, text)
    found = refusal(load, copied)
    assert found.startswith(f"{path}: ") and message in found


def test_a_missing_short_or_foreign_sheet_is_refused_in_a_line(copied, refusal, tmp_path):
    path = copied / FOLDER / "Datacenters.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:22]))
    assert "row 23: '' is not allowed; Datacenter 6" in refusal(load, copied)
    path.write_bytes(b"\xff\xfe\x00\x81")
    assert "UTF-8" in refusal(load, copied)
    path.unlink()
    assert "cannot be read (No such file" in refusal(load, copied)
    assert "cannot be read" in refusal(load, tmp_path / "nowhere")
