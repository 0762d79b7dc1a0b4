"""A report whose claims run on a scheduler's workers, one of which dies in the middle: complete, and as it is here."""

import pandas as pd
import pytest

from experiments import claims, records, report

TIMED = "heuristic_is_polynomial"  # what its solvers find within their limits depends on the machine
NAMES = ["complexity_map", "only_users_influence", "prices_are_fair_enough", TIMED]


@pytest.mark.slow
def test_a_report_is_complete_and_equal_though_a_worker_dies(scheduler, tiny, monkeypatch, tmp_path, capfd):
    address, workers = scheduler
    monkeypatch.setattr(claims, "names", lambda: NAMES)
    said = []

    def say(name, *_):
        if not said:
            workers[0].kill()
        said.append(name)

    monkeypatch.setattr(report, "_say", say)
    page = report.write("tiny", tmp_path, scheduler=address).read_text()
    assert sorted(said) == sorted(NAMES) and said[-1] == TIMED
    assert workers[0].poll() is not None and workers[1].poll() is None
    for name in NAMES:
        assert f'<section id="{name}">' in page and not records.record(name, tmp_path).failed
        found, here = records.saved(name, tmp_path), tiny(name)
        assert found.keys() == here.keys()
        for table, frame in ({} if name == TIMED else found).items():
            here_too = here[table].reset_index(drop=True).drop(columns="seconds", errors="ignore")
            pd.testing.assert_frame_equal(frame.drop(columns="seconds", errors="ignore"), here_too, check_dtype=False)
    assert not (tmp_path / "raw" / "cells").exists()
