"""Models of the shapes there are, walked without weights: no opening, step or dispute is large."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference import ops
from inference.computation import Inference
from inference.derivation import Constant, Operand
from inference.measure.steps import SHAPES, walk, without_weights
from inference.reference import Reference
from inference.steps import LEAF, WORK

SLOW = [("Llama-3-70B", False), ("Llama-3-8B", True)]
CASES = [(name, False) for name in SHAPES] + [("SmolLM2-135M", True), ("Llama-3-8B", True)]


@pytest.mark.parametrize(
    "name, eight", [pytest.param(*case, marks=[pytest.mark.slow] * (case in SLOW)) for case in CASES]
)
def test_disputes_over_any_shape_are_small(name, eight):
    _, *measures = SHAPES[name]
    shape = Inference(Reference(without_weights((1, *measures), eight=eight)), [0] * 8160, limit=32, temperature=0.8)
    leaves = list(walk(shape))
    assert {leaf.op for leaf in leaves} >= {"attention", "matmul_q8", "rms_norm", "sample", "output"}
    assert max(leaf.opening for leaf in leaves) <= 55_000 and max(leaf.macs for leaf in leaves) <= WORK
    assert max(leaf.steps for leaf in leaves) <= 3_100 and max(leaf.rounds for leaf in leaves) <= 20
    assert max(leaf.macs for leaf in leaves) > WORK / 2  # no smaller than need be


def test_a_referee_s_share_of_a_run_of_32_tokens():
    computation = Inference(Reference(without_weights(SHAPES["SmolLM2-135M"])), [0] * 8, limit=32)
    assert max(leaf.macs for leaf in walk(computation)) <= 1e-4 * computation.macs


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.integers(1, 9), st.one_of(st.integers(1, 16), st.integers(60, LEAF)), st.integers(1, 40))
def test_attention_of_any_heads_can_be_derived(kv_heads, group, width, seen):
    words, scale = kv_heads * group * width, {"mantissa": 2**14, "shift": 9, "value_shift": 9}
    q, cache = (Operand(n, lambda row, n=n: (n, row)) for n in (words, 2 * kv_heads * width))
    places, heads = np.array([[0, seen - 1]]), {"heads": kv_heads * group, "kv_heads": kv_heads}
    table = Constant("exponential", (256,))
    for start in range(0, words, LEAF):
        stop = min(start + LEAF, words)
        steps = ops.load("attention").derivation(0, start, stop, q, cache, places, table, **heads, **scale)
        assert steps[-1].words == stop - start
        mixed = [tuple(step.numbers["columns"]) for step in steps if step.kind == "mix"]
        assert sum(stop - start for start, stop in mixed) == seen
