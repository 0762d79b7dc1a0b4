"""The ladder is read as stored."""

import numpy as np
import pandas as pd
import pytest

from experiments.claims.zkml_is_impractical import ladder
from experiments.claims.zkml_is_impractical.perceptron import Perceptron
from verification.trace import record


def test_names_of_models_are_read_back():
    assert ladder.named((16, 16, 4)) == "16-16-4"
    assert all(ladder.parsed(ladder.named(widths)) == widths for widths in ladder.LADDER)
    assert ladder.macs((16, 16, 4)) == 320


def test_the_stored_ladder_is_whole_and_says_where_it_is_from():
    stored = ladder.stored()
    assert [ladder.macs(ladder.parsed(name)) for name in stored["widths"]] == stored["macs"].tolist()
    assert tuple(map(ladder.parsed, stored["widths"])) == ladder.LADDER[: len(stored)]
    assert stored[["date", "machine", "ezkl", "status"]].notna().all().all()
    assert (stored[["date", "machine", "ezkl"]].nunique() == 1).all()  # one machine, one day
    assert (stored[list(ladder.OPTIMISTIC)] > 0).all().all()
    proved = stored[stored["status"] == ladder.PROVED]
    assert len(proved) >= 7 and proved.notna().all().all()
    assert (proved["prove_cpu"] > proved["verify_cpu"]).all() and (proved["pk_bytes"] > proved["vk_bytes"]).all()


def test_optimistic_proofs_open_little():
    found = ladder.optimistic((256, 256, 64), 1)
    assert found["rounds"] <= 1 + 3 and 4 * 256 < found["opened_bytes"] < 10_000
    assert all(found[part] > 0 for part in ("infer_cpu", "commit_cpu", "dispute_cpu"))


@pytest.mark.parametrize("widths", [(16, 16, 4), (100, 130, 70, 1)])
def test_every_layer_of_a_perceptron_follows_from_its_steps(widths):
    perceptron = Perceptron(widths)
    trace = record(perceptron)
    before = perceptron.start[0]
    for node, weights in enumerate(perceptron.weights):
        before = np.clip(weights @ before // 128, 0, 127)
        assert np.array_equal(trace.leaf(node, 0), before)
        results = []
        for index, step in enumerate(perceptron.steps(node, 0)):
            inputs = [results[s] if isinstance(s, int) else trace.leaf(*s) for s in step.sources]
            results.append(perceptron.recompute(node, 0, index, inputs))
            assert len(results[-1]) == step.words
        assert np.array_equal(results[-1], before)
        assert sum(step.macs for step in perceptron.steps(node, 0)) == weights.size


@pytest.mark.slow
def test_small_models_are_proved_and_verified_with_one_reference_string(tmp_path):
    pytest.importorskip("ezkl")
    strings = {}
    rows = [pd.Series(ladder.prove(widths, tmp_path, strings)) for widths in ladder.LADDER[:2]]
    for row in rows:
        assert row["status"] == ladder.PROVED
        assert row["proof_bytes"] < 10_000 and row["pk_bytes"] > 10**8
    assert list(strings) == [15] and rows[0]["srs_cpu"] == rows[1]["srs_cpu"]
