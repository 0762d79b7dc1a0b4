"""Float32 disputes on the tiny model: honest runs pass, faults are placed, a drift passes and moves what it says."""

import numpy as np
import pytest

from experiments.claims.determinism_makes_disputes_decidable.cheap_runs import cheap_runs
from experiments.claims.determinism_makes_disputes_decidable.float32_disputes import (
    first_outside,
    nodes,
    recompute,
    record,
    same_words,
    walk,
)
from experiments.claims.determinism_makes_disputes_decidable.float32_drift import drift, gradients
from inference.generate import generate, passes
from inference.models.llama import model
from inference.models.tiny import tiny
from inference.reference import Reference

IDS = list(b"The capital")


@pytest.fixture(scope="module", params=["float32", "exact"])
def arithmetic(request):
    return request.param


@pytest.fixture(scope="module")
def floats():
    return model("tiny", tiny(), "float32")


@pytest.mark.parametrize("temperature", [0, 0.8])
def test_a_trace_is_the_run_s_and_each_node_follows_from_its_operands(arithmetic, temperature):
    built = model("tiny", tiny(), arithmetic)
    trace = record(Reference(built), IDS, 4, temperature=temperature, seed=2)
    run = generate(Reference(built), IDS, limit=4, temperature=temperature, seed=2)
    assert [int(outputs["choice"][0]) for outputs in trace] == run.tokens
    for name, node, y in nodes(built, trace, IDS, temperature=temperature, seed=2):
        assert same_words(recompute(Reference(built), node), y), name


def test_an_honest_run_has_no_node_outside(floats):
    for temperature in (0, 0.8):
        trace = record(Reference(floats), IDS, 3, temperature=temperature, seed=2)
        assert first_outside(floats, trace, IDS, temperature=temperature, seed=2) is None


@pytest.mark.parametrize("at, part", [(0, "layer00.qkv"), (0, "layer01.cache"), (1, "layer01.gate"), (2, "logits")])
def test_a_fault_is_found_where_it_is(floats, at, part):
    trace = record(Reference(floats), IDS, 3)
    trace[at][part][0, -1] += 0.01 * np.abs(trace[at][part]).max()
    assert first_outside(floats, trace, IDS) == f"{('prompt000', 'step0001', 'step0002')[at]}.{part}"


def test_a_wrong_token_is_outside(floats):
    trace = record(Reference(floats), IDS, 2)
    trace[0]["choice"][0] ^= 1
    assert first_outside(floats, trace, IDS) == "prompt000.choice"


def test_cheaper_runs_of_the_tiny_model_are_found(arithmetic):
    built = model("tiny", tiny(), arithmetic)
    for cheat, trace in cheap_runs(tiny(), built, IDS, 1):
        wrong = [not same_words(recompute(Reference(built), node), y) for _, node, y in nodes(built, trace, IDS)]
        assert any(wrong), cheat
        assert arithmetic == "exact" or first_outside(built, trace, IDS), cheat


@pytest.mark.parametrize("part", ["embedding", "layer00.cache", "layer00.query", "layer01.attention", "norm"])
def test_gradients_are_those_of_differences(floats, part):
    generator = np.random.default_rng(1)
    [honest] = record(Reference(floats), IDS, 1)
    [each] = passes(floats, IDS, 1)
    known = list(walk(Reference(floats), each.graph, each.inputs(IDS), lambda node: honest[node.name]))
    towards = generator.standard_normal(honest["logits"].shape)
    slope = gradients(known, {"logits": towards})[part]
    direction = slope / np.linalg.norm(slope)

    def value(step):
        def patch(name, y):
            return (y + step * direction).astype(np.float32) if name == part else None

        [moved] = record(Reference(floats), IDS, 1, patch=patch)
        return (moved["logits"] * towards).sum()

    assert (value(5e-3) - value(-5e-3)) / 1e-2 == pytest.approx(np.linalg.norm(slope), rel=5e-3)


def test_a_drift_stays_within_everywhere_and_moves_in_proportion(floats):
    none, half, whole = drift(floats, IDS, [lambda op: 0.0, lambda op: 0.5, lambda op: 1.0])
    assert abs(none.moved) < whole.moved / 100
    assert half.moved == pytest.approx(whole.moved / 2, rel=0.05)
    for found in (none, half, whole):
        assert first_outside(floats, found.trace, IDS) is None
        assert found.changed == (found.moved > found.gap)
