"""What follows from verdicts is read from events; each part that failed once refutes."""

from types import SimpleNamespace

import pandas as pd
import pytest

from experiments.claims import verdicts_have_consequences as claim

BARRED = {"winner": "challenger", "reason": "step-wrong", "barred": 0.5, "rounds": 1, "leases": 0, "seed": 0}
FELL = {"removed": True, "leases after": 0, "returned": 1.0, "whole": True, "waits": True, "raised": 1, "seed": 0}


def results(many=20, disputes=None, **fell):
    """So many disputes whose challenger won, one of them or of the results that fell unlike the others."""
    rows = [FELL | {"outcome": "served"} for _ in range(many)]
    rows[-1] |= fell
    ends = [dict(BARRED) for _ in range(many)]
    ends[-1] |= disputes or {}
    return {"disputes": pd.DataFrame(ends), "fallen": pd.DataFrame(rows)}


def test_all_parts_uphold():
    found = claim.check(results())
    assert found.verdict == "upheld" and found.figure.startswith("20 of 20 challenged devices")
    assert found.explanation.startswith("Of 20 disputes the others") and "100% were served" in found.explanation


def test_a_device_that_no_round_passed_by_shows_nothing():
    assert claim.check(results(disputes={"rounds": 0})).figure.startswith("19 of 19 challenged devices")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"disputes": {"leases": 1}}, "barred 19 of 20"),
        ({"removed": False}, "removed 19 of 20"),
        ({"leases after": 2}, "removed 19 of 20"),
        ({"returned": 0.9}, "reversed 19 of 20"),
        ({"whole": False}, "reversed 19 of 20"),
        ({"waits": False}, "returned with priority 19 of 20"),
        ({"raised": 0}, "returned with priority 19 of 20"),
    ],
)
def test_one_part_that_failed_once_refutes(other, said):
    found = claim.check(results(**other))
    assert found.verdict == "refuted" and found.figure == said


def test_few_results_decide_nothing():
    assert claim.check(results(many=9)).verdict == "undecided"


def event(kind, content=None, facts=(), moves=(), tick=0):
    return SimpleNamespace(
        request=SimpleNamespace(kind=kind, content=content or {}), facts=facts, moves=moves, tick=tick
    )


def test_events_tell_what_followed():
    order = {"user": "u", "waiting": [], "rank": 0}
    lease = {"order": "o", "device": "d", "price": 7}
    device = {"disputed": 0, "removed": False}
    assign = event("assign", {"leases": [{"device": "d"}]})
    begun = [
        event("order", facts=[("order", "o", order), ("device", "d", device)]),
        event("assign", {"leases": [{"device": "d"}]}, [("lease", "l", lease)]),
        event("claim", facts=[("claim", "c", {"lease": "l"}), ("device", "d", device | {"disputed": 1})], tick=60),
        assign,
    ]
    fell = [("device", "d", device | {"removed": True}), ("order", "o", order | {"waiting": [0], "rank": 1})]
    back = [("escrow:u:l", "escrow:u:o", 7), ("fee:u:l", "escrow:u:o", 2)]
    ended = event("verdict", {"claim": "c", "winner": "challenger", "reason": "step-wrong"}, fell, back, tick=180)
    found = claim.followed([*begun, ended, assign])
    assert found.disputes == [{"winner": "challenger", "reason": "step-wrong", "barred": 2.0, "rounds": 1, "leases": 1}]
    expected = FELL | {"leases after": 1, "order": "o"}
    assert found.fallen == [{name: value for name, value in expected.items() if name != "seed"}]
    kept = [("escrow:u:l", "escrow:u:o", 5), ("fee:u:l", "burnt", 2)]
    right = [("device", "d", device), ("order", "o", order)]
    other = event("verdict", {"claim": "c", "winner": "challenger", "reason": "step-wrong"}, right, kept, tick=180)
    [row] = claim.followed([*begun[:3], other]).fallen
    assert not (row["removed"] or row["whole"] or row["waits"] or row["raised"]) and row["returned"] == pytest.approx(
        5 / 7
    )
