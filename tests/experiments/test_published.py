"""What is published is whole, is what today's code makes of it, and is what README says."""

import hashlib
import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd
import pytest

from auction.errors import InputError
from experiments import claims, criteria, interval_coverage, published, records, stability
from experiments.claims import Verdict
from experiments.cli import write_published

REPOSITORY = Path(published.__file__).parents[2]
SIZES = published.sizes()


@pytest.mark.parametrize("size", SIZES)
def test_a_published_run_is_whole(size):
    folder = published.FOLDER / size
    assert published.origin(size)["checksum"] == published.checksum(folder)
    assert set(published.verdicts(size)["claim"]) <= set(claims.names())
    assert sum(path.stat().st_size for path in folder.iterdir()) < 3_000_000


@pytest.mark.parametrize("size, name", [(size, name) for size in SIZES for name in published.verdicts(size)["claim"]])
def test_published_verdicts_are_those_of_today_s_code_on_the_published_results(size, name):
    before = published.verdicts(size).set_index("claim").loc[name]
    verdict = published.judged(name, published.results(name, size), size)
    assert (verdict.verdict, verdict.figure, verdict.explanation) == tuple(
        before[["verdict", "figure", "explanation"]]
    ), "publish anew"


@pytest.mark.parametrize("size", SIZES)
def test_no_criterion_that_was_published_is_changed(size):
    """One that came before it may be told later on; those published stay, in their order."""
    for name, digests in published.origin(size)["criteria"].items():
        today = iter(entry.digest for entry in criteria.of(name))
        assert all(digest in today for digest in digests), name


def test_readme_shows_what_is_published():
    block, picture = published.finding()
    assert f"{published.MARKERS[0]}\n{block}\n{published.MARKERS[1]}" in (REPOSITORY / "README.md").read_text()
    assert picture == (REPOSITORY / "experiments" / "finding.svg").read_text()


@pytest.fixture
def whole(monkeypatch, tmp_path, tiny):
    """A run of two claims, and an empty folder to publish it to."""
    names = ["optimality_gap", "gap_on_real_input"]
    monkeypatch.setattr(claims, "names", lambda: names)
    monkeypatch.setattr(published, "FOLDER", tmp_path / "experiments" / "published")
    table = pd.DataFrame({"coverage": [0.95]})
    monkeypatch.setattr(interval_coverage, "table", lambda samples: table)
    monkeypatch.setattr(records, "commit", lambda: "abc")
    for name in names:
        results = tiny(name)
        monkeypatch.setattr(claims.load(name), "run", lambda size, block, results=results: results)
        records.perform(name, "tiny", tmp_path / "out")
    run = records.begin("tiny", tmp_path / "out")
    records.save_run(run | {"data": records.EMBEDDED}, tmp_path / "out")
    return tmp_path / "out"


def test_a_run_is_published_with_its_origin(whole):
    folder = published.publish(whole, "all of it")
    run = json.loads((folder / "run.json").read_text())
    total = hashlib.sha256()
    for path in sorted(folder.glob("*.parquet")):
        total.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    assert run["checksum"] == total.hexdigest() and run["changed"] == "all of it" and "replaces" not in run
    assert run["commit"] in published.cite("tiny") and run["checksum"] in published.cite("tiny")
    own = published.verdicts("tiny").set_index("claim").loc["optimality_gap"]
    verdict = claims.load("optimality_gap").check(published.results("optimality_gap", "tiny"))
    assert (own["verdict"], own["figure"]) == (verdict.verdict, verdict.figure)
    assert published.difference("optimality_gap", verdict, "tiny") == ""
    assert published.difference("optimality_gap", Verdict("upheld", "none", "so"), "tiny") == (
        f"{verdict.verdict}, {verdict.figure}"
    )
    assert published.difference("optimality_gap", verdict, "full") == "nothing"
    published.publish(whole, "nothing")
    assert published.origin("tiny")["replaces"] == run["checksum"]


def test_readme_s_block_is_written(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(published.finding, "__defaults__", ("tiny",))
    published.publish(whole, "all of it")
    (tmp_path / "README.md").write_text(f"before\n{published.MARKERS[0]}\nold\n{published.MARKERS[1]}\nafter\n")
    published.write_finding(tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert all(claims.load(name).TITLE in text for name in claims.names())
    assert (tmp_path / "experiments" / "finding.svg").read_text().startswith("<svg")


@pytest.mark.parametrize("wrong, said", [({"data": "files"}, "embedded"), ({"block": 1}, "block 0")])
def test_only_block_0_of_embedded_data_is_published(whole, wrong, said):
    records.save_run(records.last_run(whole) | wrong, whole)
    with pytest.raises(InputError, match=said):
        published.publish(whole, "")


def test_of_the_default_size_every_claim_is_needed(whole, monkeypatch):
    there = claims.names()
    monkeypatch.setattr(claims, "names", lambda: [*there, "complexity_map"])
    published.publish(whole, "")
    monkeypatch.setattr(published, "DEFAULT", "tiny")
    with pytest.raises(InputError, match="complexity_map"):
        published.publish(whole, "")


def test_of_other_sizes_what_was_published_of_other_claims_stays(whole):
    published.publish(whole, "both")
    before = published.verdicts("tiny")
    (whole / "raw" / "gap_on_real_input.json").unlink()
    record = records.record("optimality_gap", whole)
    records.write_json(whole / "raw" / "optimality_gap.json", vars(replace(record, commit="def")))
    folder = published.publish(whole, "one again")
    after = published.verdicts("tiny")
    assert after["commit"].to_list() == ["abc", "def"] and before["commit"].to_list() == ["abc", "abc"]
    pd.testing.assert_frame_equal(after.drop(columns="commit"), before.drop(columns="commit"))
    assert published.results("gap_on_real_input", "tiny") and published.origin("tiny")["checksum"] == (
        published.checksum(folder)
    )


@pytest.mark.parametrize("wrong", [{"failed": "so"}, {"commit": "abc-dirty"}])
def test_a_claim_that_failed_or_ran_on_uncommitted_changes_is_named(whole, wrong):
    record = records.record("optimality_gap", whole)
    records.write_json(whole / "raw" / "optimality_gap.json", vars(replace(record, **wrong)))
    with pytest.raises(InputError, match="optimality_gap"):
        published.publish(whole, "")


def test_verdicts_on_other_seeds_are_published_where_they_are_there(whole):
    published.publish(whole, "")
    assert published.blocks("optimality_gap", "tiny").empty
    alone = published.judged("optimality_gap", published.results("optimality_gap", "tiny"), "tiny")
    for name, others in (("gap_on_real_input", 1), ("optimality_gap", 1), ("optimality_gap", 2)):
        rows = [
            (name, block, "refuted" if block < others else "qualified", "", "abc", 1.0) for block in (*range(1, 10), 0)
        ]
        pd.DataFrame(rows, columns=stability.COLUMNS).to_csv(whole / "blocks-tiny.csv", index=False)
        published.publish(whole, "")
        assert published.blocks(name, "tiny")["block"].tolist() == list(range(10))
        verdict = published.judged(name, published.results(name, "tiny"), "tiny")
        assert (
            asdict(verdict) == published.verdicts("tiny").set_index("claim").loc[name, list(asdict(verdict))].to_dict()
        )
        if others == 1:
            assert verdict == claims.load(name).check(published.results(name, "tiny"))
    assert verdict.verdict == "undecided" and "8 of 10 qualified, 2 of 10 refuted" in verdict.explanation
    assert alone.figure in verdict.explanation and alone.verdict in verdict.explanation
    assert set(stability.stored(published.FOLDER, "tiny")["claim"]) == {"gap_on_real_input", "optimality_gap"}


def test_a_claim_is_told_at_the_largest_size_that_it_was_published_at(whole, monkeypatch):
    monkeypatch.setattr(published, "DEFAULT", "small")
    published.publish(whole, "")
    shutil.copytree(published.FOLDER / "tiny", published.FOLDER / "small")
    verdicts = pd.read_parquet(published.FOLDER / "tiny" / "verdicts.parquet")
    (published.FOLDER / "tiny").rename(published.FOLDER / "full")
    for path in (published.FOLDER / "full").glob("optimality_gap.*"):
        path.unlink()
    verdicts[verdicts["claim"] == "gap_on_real_input"].to_parquet(published.FOLDER / "full" / "verdicts.parquet")
    assert published.size_of("optimality_gap") == "small" and published.size_of("gap_on_real_input") == "full"
    assert published.told().index.to_list() == ["gap_on_real_input", "optimality_gap"]


def test_an_installed_package_publishes_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(published, "FOLDER", tmp_path / "experiments" / "published")
    with pytest.raises(InputError, match="checkout"):
        write_published("", tmp_path)
