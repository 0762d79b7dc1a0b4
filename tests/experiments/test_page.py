"""What the page shows of a claim where a fairer trial of it than the page's run was published."""

import pandas as pd
import pytest

from experiments import claims, page, published, records

NAME = "optimality_gap"


@pytest.fixture
def run(monkeypatch, tmp_path, tiny):
    """A run of the default size of one claim."""
    results = tiny(NAME)
    monkeypatch.setattr(claims.load(NAME), "run", lambda size, block: results)
    monkeypatch.setattr(published, "FOLDER", tmp_path / "published")
    records.perform(NAME, "small", tmp_path / "out")
    return tmp_path / "out"


def drawn(out):
    return page.render([page.section(NAME, out)], records.begin("small", out) | {"seconds": 60.0})


def test_without_one_the_run_is_told(run, tiny):
    found = page.section(NAME, run)
    assert found["larger"] is None and found["verdict"] == claims.load(NAME).check(tiny(NAME))
    assert "Of size full" not in drawn(run)


def test_it_is_told_and_the_run_beside_it(run, tiny, tmp_path, monkeypatch):
    folder = tmp_path / "published" / "full"
    folder.mkdir(parents=True)
    full = {table: pd.concat([frame, frame]) for table, frame in tiny(NAME).items()}
    for table, frame in full.items():
        frame.to_parquet(folder / f"{NAME}.{table}.parquet")
    verdict = claims.load(NAME).check(full)
    row = {"claim": NAME, **vars(verdict), "date": "2026-11-30T21:00", "commit": "abc", "machine": "a large one"}
    pd.DataFrame([row | {"versions": "Python 3", "seconds": 7200.0}]).to_parquet(folder / published.VERDICTS)
    (folder / published.RUN).write_text("{}")
    found = page.section(NAME, run)
    assert found["verdict"] == verdict and found["beside"]["verdict"] == claims.load(NAME).check(tiny(NAME))
    text = drawn(run)
    assert (
        "published 2026-11-30, commit abc, a large one" in text
        and "Of size full, which took 120 min: published" in text
    )
    assert text.count("<figure>") == 2 * len(found["figures"])
    assert f"What this run, of size small, came to: {found['beside']['verdict'].verdict}" in text
