"""Raw results come back as they were, whole or not at all, with what they came to and where they are from."""

import json
import subprocess
import sys

import pandas as pd
import pytest

from auction.errors import InputError
from experiments import claims, records
from experiments.claims import Verdict

NAME = "complexity_map"


@pytest.fixture
def made(monkeypatch):
    """A claim that is run without any work."""
    frame = pd.DataFrame({"what": ["a", "b"], "share": [0.1, None], "many": pd.array([2**60, None], dtype="Int64")})
    results = {"some": frame, "other": pd.DataFrame({"x": [1]})}
    monkeypatch.setattr(claims.load(NAME), "run", lambda size, block: results)
    monkeypatch.setattr(claims.load(NAME), "check", lambda results: Verdict("upheld", "so many", "so"))
    return results


def test_results_come_back_as_they_were(made, tmp_path):
    record = records.perform(NAME, "tiny", tmp_path, 3)
    assert (record.size, record.block, record.verdict, record.figure, record.failed) == (
        "tiny",
        3,
        "upheld",
        "so many",
        "",
    )
    assert records.record(NAME, tmp_path) == record
    back = records.saved(NAME, tmp_path)
    assert set(back) == set(made)
    for table, frame in made.items():
        pd.testing.assert_frame_equal(back[table], frame)
        assert len(pd.read_csv(tmp_path / "raw" / f"{NAME}.{table}.csv")) == len(frame)


def test_tables_of_an_earlier_run_are_gone(made, tmp_path):
    records.save({"old": pd.DataFrame({"x": [1]})}, NAME, tmp_path)
    records.perform(NAME, "tiny", tmp_path)
    assert set(records.saved(NAME, tmp_path)) == set(made)


def test_a_failure_is_written_down_and_nothing_is_nothing(tmp_path):
    assert records.record(NAME, tmp_path) is None
    records.failed(NAME, "tiny", tmp_path, "of no use")
    assert records.record(NAME, tmp_path).failed == "of no use"
    with pytest.raises(InputError, match=NAME):
        records.saved(NAME, tmp_path)
    with pytest.raises(InputError, match="report"):
        records.last_run(tmp_path)


BUSY = "import time\nwhile time.process_time() < 0.4: pass\nprint(flush=True)\ninput()"


def test_processor_seconds_are_those_of_processes_that_still_run_too():
    before = records.processor_seconds()
    with subprocess.Popen([sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        running = records.processor_seconds() - before
        child.communicate(b"\n")
    ended = records.processor_seconds() - before
    assert 0.35 <= running <= ended < running + 10


def test_origins_name_commit_machine_releases_and_data(monkeypatch, tmp_path):
    for named, said in (("", records.EMBEDDED), (str(tmp_path), "files named by DISTRIBUTE_LAB_DATA")):
        monkeypatch.setenv("DISTRIBUTE_LAB_DATA", named)
        found = records.provenance()
        assert found["data"] == said and found["commit"] and "processors" in found["machine"]
        assert "numpy" in found["versions"]


def test_results_of_another_size_or_block_are_not_mixed(tmp_path):
    run = records.join("tiny", tmp_path)
    assert records.join("tiny", tmp_path) == run == records.last_run(tmp_path)
    for size, block in (("small", 0), ("tiny", 1)):
        with pytest.raises(InputError, match="another --out"):
            records.join(size, tmp_path, block)
    assert records.begin("small", tmp_path, 1)["size"] == records.last_run(tmp_path)["size"] == "small"


def test_cells_are_kept_until_the_claim_has_ended(monkeypatch, tmp_path, made):
    folder, seen = records.cells(NAME, tmp_path), []

    def run(size, block):
        seen.append(sorted(path.name for path in folder.iterdir()))
        (folder / "a.parquet").touch()
        if len(seen) == 1:
            raise KeyboardInterrupt
        return made

    monkeypatch.setattr(claims.load(NAME), "run", run)
    with pytest.raises(KeyboardInterrupt):
        records.perform(NAME, "tiny", tmp_path)
    records.perform(NAME, "tiny", tmp_path)
    assert seen == [[], ["a.parquet"]] and not folder.parent.exists()


@pytest.mark.parametrize(
    "text, said",
    [
        ("{", "not valid JSON"),
        ('{"size": "tiny"}', "lacks 'date'"),
        ("whole", "block is True, not int"),
    ],
)
def test_what_is_written_of_a_run_may_be_damaged(made, tmp_path, text, said):
    run, path = records.begin("tiny", tmp_path), tmp_path / "raw" / "run.json"
    records.perform(NAME, "tiny", tmp_path)
    assert records.last_run(tmp_path) == run
    path.write_text(text.replace("whole", json.dumps(run | {"block": True})))
    for call in (records.last_run, lambda out: records.join("tiny", out)):
        with pytest.raises(InputError) as caught:
            call(tmp_path)
        assert str(caught.value).startswith(f"{path}: {said}")
    (tmp_path / "raw" / f"{NAME}.json").write_text("[]")
    with pytest.raises(InputError, match="a JSON object is needed"):
        records.record(NAME, tmp_path)
