"""The reproduction of CDARA's workbook: utilities as its sheets have them, agreements counted, remarks where due."""

import csv
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments.claims.densities_follow_earlier_work import reproduction
from experiments.claims.densities_follow_earlier_work.reproduction import agreement, density_table
from experiments.claims.densities_follow_earlier_work.workbook import FOLDER, RUNS, load


@pytest.fixture(scope="module")
def prices():
    return reproduction.price_table(*load(None))


def test_all_densities_agree_and_a_changed_one_does_not():
    users, providers = load(None)
    table = density_table(users, providers)
    assert len(table) == 27 and table["agrees"].all()
    dearer = replace(users, rate=users.rate * np.where(users.bidder == 0, 1.01, 1.0))
    assert density_table(dearer, providers)["agrees"].tolist() == [False] + [True] * 26


def test_printed_utilities_are_those_of_the_sheets(prices):
    folder = os.environ.get("DISTRIBUTE_LAB_DATA")
    if not folder:
        pytest.skip("set DISTRIBUTE_LAB_DATA to the directory of public data")
    found = prices.set_index(["run", "bidder"])
    for run, sheets in zip(RUNS, (("Sheet2", "Sheet3"), ("time_dasty", "time_dasty_dc")), strict=True):
        for sheet in sheets:
            with (Path(folder) / FOLDER / f"{sheet}.csv").open(newline="") as file:
                rows = [row for row in csv.reader(file) if row[0][:1] in ("B", "d") and row[1] not in ("", "Bid")]
            assert len(rows) in (7, 9, 12)
            for name, bid, price, utility, _ in rows:
                row = found.loc[(run, name)]
                assert row["printed price"] == float(price)
                assert 0 <= row["offer"] - float(bid) < 1e-4  # bids are cut to four decimals
                assert row["printed utility"] == pytest.approx(float(utility), abs=1e-4)


def test_the_table_counts_what_agrees(prices):
    table = agreement(prices)
    table = table[table["run"] == "density"]
    first = table[table["role"] == "user"]
    assert first["printed"].tolist() == [12] * 3 and first["both"].tolist() == [8, 8, 12]
    assert first["printed only"].tolist() == [4, 4, 0] and first["served only"].tolist() == [1, 1, 0]
    assert table["equal prices"].tolist()[2:] == [10, 0, 0, 5]


def test_utilities_count_what_is_sold_and_remarks_say_what_is_not_the_rule(prices):
    row = prices.set_index(["run", "bidder"]).loc["density"]
    assert row.loc["d1", "printed utility"] < 0 < row.loc["d1", "utility"]  # it sells 11 of the 14 machines it offers
    assert row.loc["d3", "utility"] == pytest.approx(0.0195 - 3 * 0.104625 / 12)
    assert row.loc["B4", "remark"] == "served only below the ask; pays more than its bid"
    assert row.loc["B1", "remark"] == "its matches add up to 0.0246" and row.loc["B9", "remark"] == "the rule serves it"
    assert row.loc["B7", "remark"] == row.loc["B5", "remark"] == ""
    users = row[row["role"] == "user"]
    np.testing.assert_allclose(users["utility"], users["printed utility"])  # a user gets all it asks for
