"""The command ``run`` and its kin: what is printed and written, and that names do nothing to a terminal or a page."""

import json
import re
import shlex
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

import auction
from auction.files import read_market

TUTORIALS = Path(__file__).parents[3] / "docs" / "tutorials"


@pytest.fixture
def tables(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("tasks.csv", "providers.csv"):
        Path(name).write_bytes((TUTORIALS / name).read_bytes())
    return "tasks.csv", "providers.csv"


def test_run_answers_who_trades_what_and_why_not(cli, tables):
    code, printed, error = cli("run", *tables, "--solver", "ilp_cpsat", "--out", "report")
    assert code == 0 and "proven optimal" in printed and "whitepaper: welfare" in printed
    assert "…" not in printed and max(map(len, printed.splitlines())) <= 80
    assert "warning: 2 tasks ask for more than all providers complete together" in error
    tasks, providers = (pd.read_csv(f"report/{name}") for name in tables)
    assert len(tasks) == 30 and len(providers) == 20
    won = tasks[tasks["wins"]]
    assert won["providers"].notna().all() and won["why not"].isna().all()
    assert tasks[~tasks["wins"]]["why not"].notna().all()
    totals = pd.read_csv("report/summary.csv", index_col="what")["amount"]
    assert (
        totals["welfare"]
        == totals["upper bound of the optimum"]
        == pytest.approx(won["value"].sum() - (providers["cost"] * providers["slots used"]).sum())
    )
    assert won["pays"].sum() == pytest.approx(providers["receives"].sum())
    exact = pd.read_parquet("report/tasks.parquet")
    assert sum(exact["pays"]) == sum(pd.read_parquet("report/providers.parquet")["receives"])
    assert all(isinstance(amount, Decimal) for amount in exact["pays"])


def test_what_is_claimed_can_be_checked(cli, tables):
    printed = cli("run", *tables, "--solver", "column_generation", "--out", "report")[1]
    assert "prices certify that no allocation is worth more than 131.39" in printed.replace("\n", " ")
    files = [Path("report") / name for name in ("market.npz", "outcome.json", "certificate.json")]
    assert cli("check", *files[:2], "--certificate", files[2])[0] == 0


def test_json_holds_the_same_as_text(cli, tables):
    code, printed, _ = cli("run", *tables, "--solver", "ilp_cpsat", "--json")
    told = json.loads(printed)
    assert code == 0 and told["outcome"]["proven_optimal"] and set(told) == {
        "outcome", "mechanism", "tasks", "providers", "trades", "summary",
    }  # fmt: skip
    assert sum(map(Decimal, told["tasks"]["pays"])) == sum(map(Decimal, told["providers"]["receives"]))


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["run", "tasks.csv"], "tasks.csv: a table of providers is needed beside it"),
        (["run", "tasks.csv", "nowhere.csv"], "nowhere.csv: cannot be read"),
        (["run", "tasks.csv", "providers.csv", "--unit", "euro"], "unit: 'euro' is not allowed; tokens, milli, micro"),
        (["run", "tasks.csv", "providers.csv", "--alpha", "1"], "alpha: 1 is not allowed; an integer from 2"),
        (["run", "tasks.csv", "providers.csv", "--solver", "gredy"], "unknown solver 'gredy'"),
        (["run", "tasks.csv", "providers.csv", "--mechanism", "vgc"], "unknown mechanism 'vgc'"),
        (["run", "tasks.csv", "providers.csv", "--out", "tasks.csv"], "tasks.csv: is no folder"),
        (["import", "tasks.csv", "providers.csv", "--out", "market.csv"], "a market file ends in .json or .npz"),
        (["export", "tasks.csv", "--out", "there"], "a market file ends in .json or .npz"),
    ],
)
def test_bad_arguments_are_one_line_and_exit_code_2(cli, tables, arguments, said):
    code, printed, error = cli(*arguments)
    assert code == 2 and printed == "" and error.startswith("error: ") and said in error.splitlines()[0]
    assert sorted(path.name for path in Path().iterdir()) == ["providers.csv", "tasks.csv"]


def test_a_folder_that_cannot_take_a_file_is_said_before_anything_is_written(cli, tables):
    for name in ("report.html", "providers.csv"):
        Path("report", name).mkdir(parents=True)
        for command in (["run", *tables], ["export", "market.json"] if name == "providers.csv" else ["run", *tables]):
            cli("import", *tables, "--out", "market.json")
            code, printed, error = cli(*command, "--out", "report")
            assert (code, printed) == (2, "")
            assert error == f"error: report/{name}: is a directory; a file is needed\n"
            assert list(Path("report").iterdir()) == [Path("report", name)]
        Path("report", name).rmdir()


def test_what_is_printed_to_be_run_again_can_be(cli, tables):
    assert cli("import", *tables, "--out", "market.json")[0] == 0
    words = shlex.split(cli("export", "market.json", "--out", "my tables")[2])
    assert cli(*words[3:])[0] == 0 and words[4] == "my tables/tasks.csv"


def test_a_certificate_of_an_earlier_run_does_not_stay(cli, tables):
    for solver, there in (("column_generation", True), ("greedy", False)):
        assert cli("run", *tables, "--solver", solver, "--out", "report")[0] == 0
        assert Path("report/certificate.json").exists() == there


def test_import_export_and_run_of_a_market_file(cli, tables, tmp_path):
    assert cli("import", *tables, "--out", "market.json")[0] == 0
    assert cli("import", *tables, "--out", "market.npz")[0] == 0
    market, again = read_market(tmp_path / "market.json"), read_market(tmp_path / "market.npz")
    assert market.labels == again.labels and market.labels.providers[1] == "Rechenzentrum Köln"
    code, _, error = cli("export", "market.npz", "--out", "exported")
    assert code == 0
    words = error.split()
    assert words[:3] == ["python", "-m", "auction"] and cli(*words[3:])[0] == 0
    assert auction.read("market.json").digest == again.digest
    code, printed, _ = cli("run", "market.json", "--solver", "ilp_cpsat", "--mechanism", "vcg")
    assert code == 0 and "Rechenzentrum" in printed and "vcg: welfare 131.39, 0.0% of the optimum is lost" in printed


def test_a_template_runs_and_is_not_overwritten(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli("template")[0] == 0
    assert cli("run", "tasks.csv", "providers.csv")[0] == 0
    code, _, error = cli("template")
    assert code == 2 and "is there already" in error


class Tags(HTMLParser):
    """The names of all elements, and the text."""

    def __init__(self):
        super().__init__()
        self.names, self.text = [], []

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        assert not {"src", "href", "srcset"} & {name for name, _ in attrs}  # one page, nothing beside it

    def handle_data(self, data):
        self.text.append(data)


def test_a_page_says_what_it_leaves_out(cli, tables, monkeypatch):
    monkeypatch.setattr("auction.explain.page.LONGEST", 2)
    for name, at in zip(tables, (2, 3), strict=True):  # a first type that nobody asks for
        lines = [line.split(",", at) for line in Path(name).read_text("utf-8").splitlines()]
        rows = [",".join([*line[:at], "" if row else "Nobody's", line[at]]) for row, line in enumerate(lines)]
        Path(name).write_text("\n".join(rows), "utf-8")
    assert cli("run", *tables, "--solver", "greedy", "--out", "report")[0] == 0
    page = Path("report/report.html").read_text("utf-8")
    assert page.count("The first 2") == 3 and "11 model types" in page
    section = page[page.index("<h2>Model types") :]
    assert "Llama 3 8B" in section and "Mistral 7B" in section and "Nobody" not in section


def test_names_are_no_markup_and_no_escape_codes(cli, tables):
    evil = "<script>alert(1)</script> [bold]\u202eevil"
    for name, old in zip(tables, ("Bildarchiv", "Laptop vier"), strict=True):
        Path(name).write_text(Path(name).read_text("utf-8").replace(old, evil), encoding="utf-8")
    code, printed, error = cli("run", *tables, "--solver", "ilp_cpsat", "--out", "report")
    page = Path("report/report.html").read_text("utf-8")
    tags = Tags()
    tags.feed(page)
    assert code == 0 and "script" not in tags.names and evil in "".join(tags.text)
    assert "\u202e" not in printed + error and "[bold]" in printed
    assert not re.search(r"url\(|@import|https?:", page)


def test_amounts_of_another_unit_are_remarked_on(cli, tables):
    text = Path("tasks.csv").read_text("utf-8")
    Path("tasks.csv").write_text(text.replace("value", "value [micro]").replace(".", ""), encoding="utf-8")
    error = cli("import", *tables, "--out", "m.json")[2]
    assert "is one of them in another unit?" in error and "warning: no task can win: the highest bid is" in error


def test_the_extra_cost_is_said(cli, tables):
    error = cli("import", *tables, "--out", "m.json", "--beta", "1")[2]
    assert "extra cost: 1 tokens a task, 0.1" in error and "warning: 1 task bids nothing after the extra cost" in error
    assert "extra cost: none" in cli("import", *tables, "--out", "m.json")[2]
