"""People's tables become markets, exactly, in every format; and markets become tables again."""

import gzip
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import auction
from auction.market import FIELDS, Market
from auction.tables import template
from auction.tables.writing import market_tables, write_csv, write_parquet

WIDE = "task,value,Llama 8B,Größe M\nBericht Zürich,12.5,40,\nBilder,0.000001,0,25\n"
LONG = "task,value,type,requests\nBericht Zürich,12.5,Llama 8B,40\nBilder,0.000001,Größe M,25\nBilder,,Llama 8B,0\n"
PROVIDERS = "provider,cost,slots,Llama 8B,Größe M\nJürgens PC,1.2,2,20,20\nAnna,.75,1,,12\n"


def fields(market):
    return {name: np.asarray(getattr(market, name)).tolist() for name in FIELDS}


def written(folder, tasks=WIDE, providers=PROVIDERS):
    for name, text in (("tasks.csv", tasks), ("providers.csv", providers)):
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "tasks.csv", folder / "providers.csv"


def test_a_market_by_hand(tmp_path):
    market = auction.read(*written(tmp_path))
    assert fields(market) == {
        "demand": [[40, 0], [0, 25]],
        "value": [12_500_000, 1],
        "unit_work": [0.0, 0.0],
        "alpha": 2,
        "beta": 0,
        "resource": [[20, 20], [0, 12]],
        "slots": [2, 1],
        "cost": [1_200_000, 750_000],
        "ability": [[1.0, 1.0], [1.0, 1.0]],
    }
    assert market.net_bid.tolist() == [12_500_000, 1]  # nobody pays an extra cost that he did not ask for
    assert market.labels == (("Bericht Zürich", "Bilder"), ("Jürgens PC", "Anna"), ("Llama 8B", "Größe M"))


def test_everything_that_may_be_said(tmp_path):
    tasks = "Task,VALUE [milli],arrival,A,B\nx,1500.25,3.5,1,0\n"
    providers = "provider,slots,A,cost [micro],B,a.ability,B.Ability\np,3,1,7,2,,0.25\n"
    (tmp_path / "types.csv").write_text("type,unit_work\nB,0.5\nA,2\n")
    paths = written(tmp_path, tasks, providers.replace("a.ability", "A.ability"))
    market = auction.read(*paths, types=tmp_path / "types.csv", alpha=10, beta=3)
    assert market.value.tolist() == [1_500_250] and market.cost.tolist() == [7]
    assert market.arrival.tolist() == [3.5] and market.ability.tolist() == [[1.0, 0.25]]
    assert market.unit_work.tolist() == [2.0, 0.5] and (market.alpha, market.beta) == (10, 3)


@pytest.mark.parametrize(
    "form", ["long", "semicolon", "tab", "gz", "mark", "utf-16", "xlsx", "parquet", "frame", "empty"]
)
def test_every_format_says_the_same(tmp_path, form):
    tasks, providers = written(tmp_path)
    expected = auction.read(tasks, providers)
    frames = [pd.read_csv(path) for path in (tasks, providers)]
    match form:
        case "long":
            tasks.write_text(LONG, encoding="utf-8")
        case "semicolon":
            tasks.write_text(WIDE.replace(",", ";").replace(".", ","), encoding="utf-8")
        case "tab":
            tasks.rename(tasks := tmp_path / "tasks.tsv")
            tasks.write_text(WIDE.replace(",", "\t"), encoding="utf-8")
        case "gz":
            tasks = tmp_path / "tasks.csv.gz"
            tasks.write_bytes(gzip.compress(WIDE.encode()))
        case "mark":
            tasks.write_text(WIDE, encoding="utf-8-sig")
        case "utf-16":  # what spreadsheets call Unicode text
            tasks.write_text(WIDE.replace(",", "\t"), encoding="utf-16")
        case "xlsx":
            for name, frame in zip(("tasks", "providers"), frames, strict=True):
                frame.to_excel(tmp_path / f"{name}.xlsx", index=False)
            tasks, providers = tmp_path / "tasks.xlsx", tmp_path / "providers.xlsx"
        case "parquet":
            for name, frame in zip(("tasks", "providers"), frames, strict=True):
                frame.to_parquet(tmp_path / f"{name}.parquet")
            tasks, providers = tmp_path / "tasks.parquet", tmp_path / "providers.parquet"
        case "empty":
            tasks.write_text(WIDE.replace("\n", "\n\n ,,\n") + "\n\n", encoding="utf-8")
        case "frame":
            pass
        case _:
            pytest.fail(f"{form} writes nothing")
    market = Market.from_frames(*frames) if form == "frame" else auction.read(tasks, providers)
    assert market.digest == expected.digest and market.labels.tasks == expected.labels.tasks
    assert market.labels.types == expected.labels.types


@given(st.from_type(Market), st.sampled_from(["csv", "parquet"]))
def test_a_market_written_as_tables_is_read_again(tmp_path_factory, market, form):
    folder = tmp_path_factory.mktemp("tables")
    for name, table in market_tables(market).items():
        {"csv": write_csv, "parquet": write_parquet}[form](folder / f"{name}.{form}", table)
    paths = [folder / f"{name}.{form}" for name in ("tasks", "providers", "types")]
    again = auction.read(*paths[:2], types=paths[2], alpha=market.alpha, beta=market.beta)
    assert again.digest == market.digest and again.labels == market.labels


@pytest.mark.parametrize(
    "types, said",
    [
        (("value", "B"), "not fit"),
        (("task", "B"), "not fit"),
        (("arrival", "B"), "not fit"),
        (("cost", "B"), "not fit"),
        (("provider", "B"), "not fit"),
        (("A", "a"), "2 columns are called 'A'"),
        (("A", "A.ability"), "not fit"),
        (("type", "requests"), "not fit"),
        (("value [micro]", "B"), "'value' occurs twice"),
        ((" A", "B"), "not fit"),
        (("e\u0301", "B"), "not fit"),
    ],
)
def test_names_that_tables_would_turn_into_others_are_refused(generate, refusal, types, said):
    market = replace(generate("uniform", 3, 4, 2, 0), names={"types": types})
    line = refusal(market_tables, market)
    assert line.startswith("market: ") and said in line


@pytest.mark.parametrize("of", ["tasks", "providers"])
def test_names_of_rows_with_blanks_around_them_are_refused(generate, refusal, of):
    market = replace(generate("uniform", 2, 2, 2, 0), names={of: (" p", "p")})
    assert "' p' would be read as 'p'" in refusal(market_tables, market)


@pytest.mark.parametrize("name", ["a;b;c;d", "a|b|c", 'a"b', "a,b"])
def test_types_may_be_called_by_what_parts_columns(generate, tmp_path, name):
    market = replace(generate("uniform", 3, 4, 2, 0), names={"types": (name, "B")})
    for of, table in market_tables(market).items():
        write_csv(tmp_path / f"{of}.csv", table)
    again = auction.read(tmp_path / "tasks.csv", tmp_path / "providers.csv", types=tmp_path / "types.csv",
                         alpha=market.alpha, beta=market.beta)  # fmt: skip
    assert again.digest == market.digest and again.labels.types == (name, "B")


@pytest.mark.parametrize("requests, right", [("1.000", False), ("1,000", False), ("12.000", False), ("2.0", True)])
def test_requests_that_may_be_thousands_are_refused(tmp_path, refusal, requests, right):
    """A whole number needs no places; of three it is not known whether they are."""
    tasks, providers = written(tmp_path, f"task;value;A\nt;9;{requests}\n", "provider;cost;slots;A\np;1;1;3\n")
    if right:
        assert auction.read(tasks, providers).demand.tolist() == [[2]]
    else:
        assert "which may be thousands" in refusal(auction.read, tasks, providers)


@given(st.decimals(0, 10**9, places=6, allow_nan=False), st.sampled_from(["tokens", "milli", "micro"]))
def test_amounts_are_exact(amount, unit):
    places = {"tokens": 6, "milli": 3, "micro": 0}[unit]
    written = amount.scaleb(6 - places)
    tasks = pd.DataFrame({"task": ["t"], "value": [f"{written:f}"], "A": [1]})
    providers = pd.DataFrame({"provider": ["p"], "cost": [Decimal(written)], "slots": [1], "A": [1]})
    market = Market.from_frames(tasks, providers, unit=unit)
    assert market.value[0] == market.cost[0] == int(amount.scaleb(6))


def test_the_template_is_a_market(tmp_path):
    market = auction.read(*written(tmp_path, template.TASKS, template.PROVIDERS))
    assert market.tasks > 3 and market.types == 3


@pytest.mark.parametrize("kind", ["Int64", "Float64", "object", "float64"])
def test_what_a_frame_lacks_is_nothing(kind):
    """Of pandas' missing values one is unequal to itself, one neither equal nor unequal to anything."""
    tasks = pd.DataFrame({"task": ["a", "b"], "value": [1, 2], "A": pd.array([1, None], kind), "B": [1, 1]})
    providers = pd.DataFrame({"provider": ["p"], "cost": [1], "slots": [2], "A": [1], "B": [1]})
    assert Market.from_frames(tasks, providers).demand.tolist() == [[1, 1], [0, 1]]


def test_sums_of_a_spreadsheet_are_what_it_shows():
    """0.1 + 0.2 is 0.30000000000000004; a seventh place that is meant is refused, large amounts keep every digit."""
    providers = pd.DataFrame({"provider": ["p"], "cost": [0.1 + 0.2], "slots": [1], "A": [1]})
    tasks = pd.DataFrame({"task": ["t"], "value": ["1234567890123.000001"], "A": [1]})
    market = Market.from_frames(tasks, providers)
    assert (market.cost[0], market.value[0]) == (300_000, 1_234_567_890_123_000_001)
    with pytest.raises(auction.InputError, match="no finer than 0.000001"):
        Market.from_frames(tasks.assign(value=0.0000005), providers)
