"""Plans are held against the limits of desktop browsers, and nothing is upheld without a right run in a page."""

import pandas as pd
import pytest

from experiments.claims import _browser_plans
from experiments.claims import larger_models_in_a_browser as claim
from inference.planning.limits import DEFAULTS, DESKTOP


def results(beyond=(0, 0, 0, 0), right=True, ran=True):
    """Of every large model so many buffers beyond desktop limits; a small one that always fits beside them."""
    rows = []
    for name, many in [("smollm2", 0), *zip(claim.LARGE, beyond, strict=True)]:
        for limits, over in ((DEFAULTS, many + 1), (DESKTOP, many)):
            rows.append((name, limits.name, 2**34, 2**33, 2**29, limits.largest, over, 600, 10, 20, 40))
    runs = [("smollm2", "lavapipe", 2, True, ""), ("smollm2", "swiftshader", 2, right, "")] if ran else []
    columns = ["model", "adapter", "tokens", "as the reference", "error"]
    plans = pd.DataFrame(rows, columns=_browser_plans.COLUMNS)
    return {"plans": plans, "runs": _browser_plans.stamped(pd.DataFrame(runs, columns=columns))}


@pytest.mark.parametrize(
    ("beyond", "right", "verdict"),
    [
        ((0, 0, 0, 0), True, "upheld"),
        ((0, 0, 0, 3), True, "qualified"),
        ((1, 1, 1, 1), True, "refuted"),
        ((0, 0, 0, 0), False, "refuted"),
    ],
)
def test_plans_and_the_run_decide(beyond, right, verdict):
    found = claim.check(results(beyond, right))
    assert found.verdict == verdict and found.figure.startswith(f"{beyond.count(0)} of 4 models")
    assert ("the reference" in found.figure) == right
    assert ("llama-3.1-405b;" in found.explanation) == (beyond[-1] > 0)
    assert "everywhere 0 fit" in found.explanation and "16 GiB, which 10 of 40 cards" in found.explanation


def test_without_a_browser_nothing_is_decided():
    assert claim.check(results(ran=False)).verdict == "undecided"
    assert len(claim.tables(results(ran=False))) == 1


def test_a_page_has_the_reference_s_tokens(tiny):
    found = tiny("larger_models_in_a_browser")
    assert found["runs"]["as the reference"].all() and set(found["plans"]["model"]) == {"llama-2-7b"}
    own = found["plans"].set_index("limits")
    assert own.loc[DESKTOP.name, "largest"] <= DESKTOP.largest and own.loc[DESKTOP.name, "beyond"] == 0
