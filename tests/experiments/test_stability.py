"""Blocks of seeds have none in common; their verdicts are stored as they come, and not made twice."""

from itertools import combinations

import pandas as pd
import pytest

from experiments import claims, stability
from experiments.claims import Verdict
from experiments.sweep import seed_range

NAMES = ["complexity_map", "kernel_speed"]


def test_blocks_of_seeds_have_none_in_common():
    blocks = [set(seed_range(6, block)) for block in range(4)]
    assert all(len(block) == 6 for block in blocks) and blocks[0] == set(range(6))
    assert not any(first & second for first, second in combinations(blocks, 2))


@pytest.fixture
def made(monkeypatch):
    """Claims whose verdict is that of the block; the runs they made."""
    runs: list[tuple[str, int]] = []
    for name in NAMES:
        claim = claims.load(name)

        def run(size, block=0, name=name):
            runs.append((name, block))
            if block == 3:
                raise ValueError("of no\nuse")
            return {"block": pd.DataFrame({"block": [block]})}

        def check(results):
            return Verdict("refuted" if results["block"]["block"].item() == 2 else "upheld", "so many", "so")

        monkeypatch.setattr(claim, "run", run)
        monkeypatch.setattr(claim, "check", check)
    return runs


def test_each_block_is_judged_once(made, tmp_path):
    first = stability.judged(NAMES[:1], 2, "tiny", tmp_path)
    assert first["verdict"].tolist() == ["upheld", "upheld"] and len(made) == 2
    table = stability.judged(NAMES, 4, "tiny", tmp_path)
    assert sorted(made) == [(name, block) for name in sorted(NAMES) for block in range(4)]
    assert table["claim"].tolist() == [name for name in sorted(NAMES) for _ in range(4)]
    assert table["verdict"].tolist() == ["upheld", "upheld", "refuted", "failed"] * 2
    assert table["figure"].tolist() == ["so many"] * 3 + ["ValueError: of no use"] + ["so many"] * 3 + [
        "ValueError: of no use"
    ]
    assert made.index(("kernel_speed", 0)) > made.index(("complexity_map", 3))  # it measures time: after the others
    stability.judged(NAMES, 4, "tiny", tmp_path)
    assert len(made) == 8


def test_a_commit_or_a_figure_that_looks_like_a_number_stays_as_it_is(tmp_path):
    row = ("a", 0, "upheld", "007", "5166899161e5", 1.0)
    stability.keep(pd.DataFrame([row], columns=stability.COLUMNS), tmp_path, "tiny")
    assert stability.stored(tmp_path, "tiny").to_numpy().tolist() == [list(row)]


def test_the_table_says_how_often_each_verdict_came(made, tmp_path):
    shown = stability.shown(stability.judged(NAMES, 4, "tiny", tmp_path)).split("\n")
    assert [line.split() for line in shown] == [
        [name, "uurf", "2", "upheld,", "1", "refuted,", "1", "failed"] for name in NAMES
    ]
    assert all(len(line) <= 80 for line in shown)


def test_nine_in_ten_agree_and_who_is_undecided_contradicts_nobody():
    assert stability.agree([]) and stability.agree(["upheld"]) and stability.agree(["undecided"] * 3)
    assert stability.agree(["upheld"] * 9 + ["refuted"]) and not stability.agree(["upheld"] * 8 + ["refuted"] * 2)
    assert stability.agree(["upheld", "undecided", *["upheld"] * 7, "refuted"])
    assert not stability.agree(["upheld", "refuted"])


def test_what_is_found_of_a_claim_takes_the_place_of_what_was_known(tmp_path):
    for name, verdict in (("b", "refuted"), ("a", "upheld"), ("b", "upheld")):
        rows = [(name, block, verdict, "", "abc", 1.0) for block in (1, 0)]
        stability.keep(pd.DataFrame(rows, columns=stability.COLUMNS), tmp_path, "tiny")
    table = stability.stored(tmp_path, "tiny")
    assert table[["claim", "block", "verdict"]].to_numpy().tolist() == [
        [name, block, "upheld"] for name in "ab" for block in (0, 1)
    ]
    stability.keep(table[:0], tmp_path, "tiny")
    assert len(stability.stored(tmp_path, "tiny")) == 4
