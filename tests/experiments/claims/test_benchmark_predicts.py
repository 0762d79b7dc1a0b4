"""The prediction is the benchmark's own rates; the criterion on tables built by hand."""

import numpy as np
import pandas as pd
import pytest

from auction.data import hardware
from experiments.claims import benchmark_predicts as claim
from experiments.claims.benchmark_predicts import CLOSE, NEAR, OTHER, SAME

ENTRY = {
    "name": "host",
    "adapter": "soft",
    "backend": "wgpu",
    "date": "2026-11-28",
    "memory_bytes": 2**34,
    "models": [
        {
            "name": SAME,
            "family": "llama",
            "arithmetic": "exact",
            "parameters": 10**8,
            "weight_bytes": 6 * 10**7,
            "prefill_tokens_per_second": 50.0,
            "decode_tokens_per_second": 20.0,
        }
    ],
}


def test_a_task_of_the_model_that_was_measured_takes_its_tokens_over_their_rates():
    cards, (offered, cost) = claim._bids(ENTRY)
    own = claim.shape(SAME, ENTRY["models"][0])
    seconds = hardware.seconds(own, np.array((100, 40)), cards.compute[0], cards.bandwidth[0])
    assert seconds == pytest.approx(100 / 50 + 40 / 20)
    assert offered > 0 and cost > 0


def results(same, other=(1.0,), processors=1.9):
    ratios = [(SAME, ratio) for ratio in same] + [(OTHER, ratio) for ratio in other]
    rows = [("wgpu", "soft", model, 16, 4, 2.0, 2.0 * ratio, processors) for model, ratio in ratios]
    columns = ["stack", "adapter", "model", "prompt", "answer", "predicted", "seconds", "processors"]
    bids = pd.DataFrame({"stack": ["wgpu"], "adapter": ["soft"], "requests a round": [3], "cost of a round": [128.0]})
    machine = pd.DataFrame({"processors": [2]})
    return {"tasks": pd.DataFrame(rows, columns=columns), "bids": bids, "machine": machine}


@pytest.mark.parametrize(
    "same, other, verdict",
    [
        ([1.0] * 10, [CLOSE, 1 / CLOSE], "upheld"),
        ([1.0] * 9 + [9.0], [1.0], "upheld"),  # nine of ten
        ([1.0] * 8 + [9.0] * 2, [1.0], "refuted"),
        ([1.0], [CLOSE + 0.01], "qualified"),  # either model
        ([NEAR], [1 / NEAR], "qualified"),
        ([NEAR + 0.01], [1.0], "refuted"),
    ],
)
def test_the_criterion_asks_nine_of_ten_tasks_of_either_model(same, other, verdict):
    assert claim.check(results(same, other)).verdict == verdict


def test_a_busy_machine_decides_nothing():
    found = claim.check(results([1.0], processors=1.1))
    assert found.verdict == "undecided"
    assert "The machine is busy: tasks got 1.1 of 2 processors" in found.explanation
