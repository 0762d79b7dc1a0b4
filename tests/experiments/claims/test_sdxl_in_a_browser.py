"""A plan within limits, cards that hold it and a right picture decide; a stage at a time counts for less."""

import pandas as pd
import pytest

from experiments.claims import _browser_plans
from experiments.claims import sdxl_in_a_browser as claim
from inference.errors import InputError
from inference.planning.limits import DEFAULTS, DESKTOP


def results(cards=60, stage=80, beyond=0, right=True, ran=True):
    """Cards of a hundred that hold it, and that hold a stage; a lighter model beside it."""
    rows = []
    for limits, over in ((DEFAULTS, beyond + 7), (DESKTOP, beyond)):
        rows.append((claim.MODEL, limits.name, 2**33, 2**32, 2**29, limits.largest, over, 900, cards, stage, 100))
        rows.append(("sd15", limits.name, 2**32, 2**31, 2**28, limits.largest, 0, 700, 99, 99, 100))
    runs = [("terrain", "swiftshader", 16384, right, "")] if ran else []
    columns = ["model", "adapter", "numbers", "as the reference", "error"]
    plans = pd.DataFrame(rows, columns=_browser_plans.COLUMNS)
    return {"plans": plans, "runs": _browser_plans.stamped(pd.DataFrame(runs, columns=columns))}


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({}, "upheld"),
        ({"cards": 50}, "upheld"),
        ({"cards": 49, "stage": 49}, "qualified"),
        ({"cards": 9, "stage": 50}, "qualified"),
        ({"cards": 9, "stage": 49}, "refuted"),
        ({"beyond": 1}, "refuted"),
        ({"right": False}, "refuted"),
    ],
)
def test_memory_limits_and_the_run_decide(given, verdict):
    found = claim.check(results(**given))
    assert found.verdict == verdict
    assert found.figure.startswith(f"{given.get('cards', 60)}% of 100 cards") and "8.0 GiB" in found.figure
    assert f"{given.get('beyond', 0)} of 900 buffers" in found.figure
    assert f"{given.get('beyond', 0) + 7} buffers are too large" in found.explanation
    assert ("bit for bit" in found.explanation) == given.get("right", True)


def test_without_a_page_nothing_is_decided():
    assert claim.check(results(ran=False)).verdict == "undecided"
    assert len(claim.tables(results(ran=False))) == 1 and len(claim.tables(results())) == 2


def test_a_page_that_does_not_answer_in_time_says_nothing(monkeypatch):
    def late(*_, **__):
        raise InputError("chromium has not answered within 300 seconds")

    monkeypatch.setattr(_browser_plans.headless, "installed", lambda: {"chromium": "chromium"})
    monkeypatch.setattr(_browser_plans.headless, "results", late)
    assert _browser_plans.answered("/") is None
    monkeypatch.setattr(_browser_plans.headless, "installed", dict)
    assert _browser_plans.answered("/") is None
