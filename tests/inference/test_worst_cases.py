"""Kernels on the inputs that reach their carries, clamps and ends, against Python's own integers."""

from bisect import bisect_right
from itertools import accumulate

import numpy as np
import pytest

from inference.arithmetic.tables import exponential
from inference.device.runtime import Runtime
from inference.graph import add, new, source
from inference.model import Model
from inference.ops import argmax_partial, sample_partial

SCALE = {"mantissa": 2**14, "shift": 6}


def run(op, stack, device, inputs, constants, **attributes):
    built = new("exact")
    for kind, arrays in (("input", inputs), ("weight", constants)):
        for name, array in arrays.items():
            source(built, name, kind, array.shape)
    add(built, "y", op, [*inputs, *constants], **attributes)
    return Runtime(Model("single", "exact", {}, constants, {}), device(stack)).run(built, inputs, ["y"])[0]


def weights(row):
    """p of a row of logits: 2^15 at the top, halved every 256 units of distance · mantissa / 2^(16 + shift)."""
    table = [int(entry) for entry in exponential()]
    distances = [max(row) - logit for logit in row]
    u = [((distance * SCALE["mantissa"] >> 16) + (1 << SCALE["shift"] - 1)) >> SCALE["shift"] for distance in distances]
    return [(table[each & 255] >> 3) >> min(each >> 8, 31) for each in u]


@pytest.fixture(scope="module")
def drawn():
    """2,500 logits, and draws just below and at the ends of tokens' pieces: every carry of the product decides."""
    generator = np.random.default_rng(1)
    row = generator.integers(0, 2**19, 2500)
    row[generator.integers(0, 2500, 40)] = 2**19 - 1
    row[7], row[1030] = -(2**30) + 1, 2**19
    ends = list(accumulate(weights(row.tolist())))
    edges = [end for end in sorted(set(ends[:-1])) if end][::17]
    at = [-(-(end << 32) // ends[-1]) for end in edges]
    return row, ends, [0, 2**32 - 1, *at, *(draw - 1 for draw in at)]


def test_a_draw_on_the_edge_of_a_token_s_piece_takes_it(drawn, stack, device):
    row, ends, draws = drawn
    logits = np.tile(row.astype(np.int32), (len(draws), 1))
    maxima = argmax_partial.exact(logits)
    sums = sample_partial.exact(logits, maxima, exponential(), **SCALE)
    inputs = {"logits": logits, "maxima": maxima, "sums": sums}
    inputs["draws"] = np.array(draws, np.uint32).view(np.int32)
    found = run("sample", stack, device, inputs, {"exponential": exponential()}, **SCALE)
    assert found.tolist() == [bisect_right(ends, draw * ends[-1] >> 32) for draw in draws]


def test_a_span_s_weight_is_the_sum_of_its_tokens(drawn, stack, device):
    row, _, _ = drawn
    logits = row.astype(np.int32)[None]
    inputs = {"logits": logits, "maxima": argmax_partial.exact(logits)}
    [found] = run("sample_partial", stack, device, inputs, {"exponential": exponential()}, **SCALE)
    p = weights(row.tolist())
    assert found.tolist() == [sum(p[at : at + 1024]) for at in range(0, 2500, 1024)]


def test_the_weights_of_a_large_vocabulary_fit_a_word(stack, device):
    logits = np.zeros((1, 2**17 + 1500), np.int32)
    inputs = {"logits": logits, "maxima": argmax_partial.exact(logits)}
    sums = run("sample_partial", stack, device, inputs, {"exponential": exponential()}, **SCALE)
    assert sums.tolist() == [[2**24] * 129 + [(2**17 + 1500 - 129 * 1024) * 2**14]]
    inputs |= {"sums": sums, "draws": np.array([2**32 - 1], np.uint32).view(np.int32)}
    assert run("sample", stack, device, inputs, {"exponential": exponential()}, **SCALE).tolist() == [logits.size - 1]
