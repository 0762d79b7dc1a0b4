"""Formats: bounds hold for the worst inputs, scales are met, layers that do not fit are refused by name."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference import ops
from inference.arithmetic.formats import (
    LIMIT,
    attention,
    finest_residual,
    gate,
    head_bound,
    linear,
    norm,
    residual_fraction,
    row_bounds,
    rows,
    slack,
)
from inference.files.blocks import BLOCK, Weights, eight_bits, four_bits, halved
from inference.generate import passes, scores
from inference.models.llama import graph, model
from inference.models.tiny import tiny
from inference.ops import matmul_q8, rms_norm, silu_gate
from inference.reference import Reference

SEEDS = st.integers(0, 2**32)


OPS = {"matmul_q8": eight_bits, "matmul_q4": four_bits, "matmul_k": lambda matrix: in_halves(eight_bits(matrix))}


def in_halves(weights):
    """Steps of either half that differ, and an offset of a size with the steps."""
    made = halved(weights)
    made.d[:, 1::2] *= np.float32(0.7)
    made.m[:] = 9 * weights.d * np.sign(weights.q[:, ::BLOCK])
    return made


@given(SEEDS, st.sampled_from((1, 2, 18, 48, 128)), st.sampled_from(sorted(OPS)))
def test_no_activation_overflows_a_product(seed, blocks, op):
    generator = np.random.default_rng(seed)
    matrix = (generator.standard_normal((8, BLOCK * blocks)) * generator.exponential(1, (8, 1))).astype(np.float32)
    matrix[0] = 1  # all weights the same and large: the worst row
    weights = OPS[op](matrix)
    assert weights.op == op
    integer = linear("worst", weights)
    # The activations that push each row furthest; the reference asserts every register.
    worst = np.sign(weights.matrix()).astype(np.int32) * integer.largest
    for a in (worst, -worst, np.full_like(worst, integer.largest)):
        y = ops.load(op).exact(a, integer.q, integer.blocks, rows("worst", integer.sigma * 2.0**-14))
        real = a.astype(np.float64) @ weights.matrix().T.astype(np.float64) * 2.0**-14
        assert np.abs(y - real).max() <= 2 + 2e-4 * np.abs(real).max()


def product_at_the_edge():
    """Weights of 8 bits whose largest activation is 2^14 - 1: 2^14 of either sign would overflow i32."""
    q = np.full((1, BLOCK * 65), 127, np.int8)
    q[0, -BLOCK:] = 0
    q[0, -BLOCK:][:17] = [127] * 16 + [30]
    return linear("edge", Weights(q, np.ones((1, 65), np.float32)))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_narrowed_row_does_not_reach_what_overflows(sign):
    integer = product_at_the_edge()
    assert integer.largest == 2**14 - 1
    acc = [sum(map(int, integer.q[0, at : at + BLOCK])) * 32767 for at in range(0, integer.q.shape[1], BLOCK)]
    assert sum(part << 14 >> 16 for part in acc) >= 2**31
    z = np.full((1, integer.q.shape[1]), sign * (2**19 - 1), np.int32)
    y = matmul_q8.exact(z, integer.q, integer.blocks, np.array([[2**14, 14]], np.int32), bits=14)
    # The row's exponent is 5: y = acc · 2^(14 + 5 - 16 - 14), rounded.
    expected = sum(sign * (2**14 - 1) * part >> 16 for part in acc)
    assert y[0, 0] == (((expected >> 2) + (1 << 8)) >> 9)


def test_a_product_of_too_many_weights_is_refused_by_name(refusal):
    q, d = np.full((1, BLOCK * 4096), 127, np.int8), np.ones((1, 4096), np.float32)
    assert refusal(linear, "layer03.down", Weights(q, d)).startswith("layer03.down: rows of 131072 weights leave")


@given(st.floats(2.0**-44, 2.0**13))
def test_a_row_s_scale_is_met_to_15_bits(scale):
    [[mantissa, shift]] = rows("row", np.array([scale]))
    assert 0 <= mantissa < 2**15 and -15 <= shift <= 30
    assert abs(mantissa * 2.0 ** (-16 - shift) / scale - 1) <= 2.0**-14


def test_a_scale_beyond_a_shift_is_refused_and_none_is_zero(refusal):
    assert "layer00.qkv" in refusal(rows, "layer00.qkv", np.array([2.0**16]))
    assert rows("row", np.array([0.0])).tolist()[0][0] == 0


@given(SEEDS, st.sampled_from((32, 64, 96, 576, 1024, 2048, 4096)), st.integers(0, 14))
def test_a_norm_holds_at_every_size_and_for_the_worst_rows(seed, width, fraction):
    generator = np.random.default_rng(seed)
    gain = (1 + generator.standard_normal(width) / 3).astype(np.float32)
    integer = norm("norm", gain, fraction, 1e-5, 32767)
    ends = np.array([[2**31 - 1], [-(2**31) + 1], [1], [0]]) * np.ones((1, width), np.int64)
    single = np.zeros((2, width), np.int64)
    single[:, generator.integers(width)] = (2**31 - 1, 1 - 2**31)
    drawn = generator.standard_normal((6, width)) * 2.0 ** generator.uniform(0, 28, (6, 1))
    x = np.vstack((ends, single, drawn.astype(np.int64))).astype(np.int32)
    y = rms_norm.exact(x, integer.gain, **integer.attributes) * 2.0**-integer.fraction
    real = x * 2.0**-fraction
    expected = gain * real / np.sqrt((real**2).mean(1, keepdims=True) + 1e-5)
    unit = 2.0**-integer.fraction
    large = np.abs(x).max(1) >= 2**9  # below, x itself has few bits and the norm's error is that of x
    assert np.abs(y - expected)[large].max() <= unit + 4e-3 * np.abs(expected).max()


@pytest.mark.parametrize("width", [64, 576, 2048])
def test_a_norm_exceeds_the_real_one_by_less_than_its_slack(width):
    gain = np.ones(width, np.float32)
    integer = norm("norm", gain, 0, 1e-5, 32767)
    single = np.zeros((4096, width), np.int32)
    single[:, 0] = 2**14 + np.arange(4096)
    most = np.abs(rms_norm.exact(single, integer.gain, **integer.attributes)).max() * 2.0**-integer.fraction
    assert np.sqrt(width) < most <= np.sqrt(width) * slack(width)
    assert most <= row_bounds(np.eye(width, dtype=np.float32), gain)[0]
    assert most <= head_bound(np.eye(width, dtype=np.float32), gain, 1)


def test_a_norm_that_does_not_fit_is_refused_by_name(refusal):
    assert refusal(norm, "norm", np.ones(2**15, np.float32), 14, 1.0, 32767).startswith("norm: ")


@given(st.floats(0.1, 2000), st.floats(0.1, 2000))
def test_the_gate_s_product_fits_at_its_bounds(g, u):
    fraction = gate("gate", np.array([g]), np.array([u]))
    ends = np.array([[sg * g, su * u] for sg in (-1, 1) for su in (-1, 1)]) * 2.0**fraction
    silu_gate.exact(np.rint(ends).astype(np.int32), curve=_curve(), fraction=fraction)


def _curve():
    from inference.arithmetic.tables import silu_curve

    return silu_curve()


def test_silu_is_met_to_a_few_units(refusal):
    g = np.linspace(-20, 20, 4001)
    x = np.stack((g, np.ones_like(g)), axis=1) * 2**12
    z = silu_gate.exact(np.rint(x).astype(np.int32), _curve(), fraction=12)[:, 0] * 2.0**-14
    assert np.abs(z - g / (1 + np.exp(-g))).max() < 6e-4
    assert "layer01.gate" in refusal(gate, "layer01.gate", np.array([1e9]), np.array([1e9]))


def test_attention_that_leaves_no_bits_is_refused_by_name(refusal):
    loud = {"query": 1e9, "key": 1e9, "value": 1.0, "head_width": 64, "context": 8192, "largest": 32767}
    assert refusal(attention, "layer00.attention", **loud).startswith("layer00.attention: queries")
    assert refusal(attention, "layer00.attention", **(loud | {"query": 1.0, "key": 1.0, "value": 1e9})).count("values")
    assert refusal(residual_fraction, "layer02.down", 2.0**40).startswith("layer02.down: a residual")


def louder(factor):
    """The tiny model, every weight so many times as large."""
    llama = tiny(3)
    loud = {
        name: replace(w, d=w.d * factor, m=None if w.m is None else w.m * factor) for name, w in llama.matrices.items()
    }
    return replace(llama, matrices=loud | {"head": loud["embedding"]})


@pytest.mark.parametrize("factor", [1.0, 8.0, 20.0])
def test_loud_weights_overflow_nothing(factor):
    """The reference asserts every register on the way; formats are derived, so louder weights only lose bits."""
    built = model("loud", louder(factor), "exact")
    ids = np.random.default_rng(4).integers(0, 256, 24).astype(np.int32)
    places = np.stack((np.zeros(24), np.arange(24)), axis=1).astype(np.int32)
    outputs = {}

    def observe(shown):
        outputs.update(shown.items())

    Reference(built).run(graph(built, 24, capacity=24), {"tokens": ids, "places": places}, ["choice"], observe)
    assert max(np.abs(output.astype(np.int64)).max() for output in outputs.values()) <= LIMIT


def test_weights_too_loud_for_32_bits_are_refused_by_name(refusal):
    assert refusal(model, "loud", louder(100.0), "exact").startswith("layer00.down: a residual of up to")


def test_bounds_of_products_beyond_float32_are_finite():
    """Both factors are numbers of a file; what they come to is for the caller to refuse."""
    matrix, gain = np.full((4, 4), 1e30, np.float32), np.full(4, 1e30, np.float32)
    exact = 4 * float(np.float32(1e30)) ** 2  # sqrt(4) times a row's norm, which is 2·10^60
    assert exact <= row_bounds(matrix, gain).min() <= row_bounds(matrix, gain).max() <= 1.01 * exact
    assert 2 * exact <= head_bound(matrix, gain, 1) <= 2.02 * exact  # of rank one: two rows' norm


def small(factor):
    """The tiny model with its embedding, and head, so much smaller."""
    read = tiny()
    table = eight_bits(read.matrices["embedding"].matrix() * np.float32(factor))
    return replace(read, matrices={**read.matrices, "embedding": table, "head": table})


def test_small_embeddings_have_as_many_bits_as_large_ones():
    """Their root mean square is 5e-4: 8 units of 14 bits."""
    read, ids = small(1e-3), list(range(40, 60))
    found = {}
    for arithmetic in ("float32", "exact"):
        built = model("small", read, arithmetic)
        [each] = passes(built, ids, 0, every=True)
        found[arithmetic] = scores(built, Reference(built).run(each.graph, each.inputs(ids), ["logits"])[0])
    error = np.sqrt(((found["exact"] - found["float32"]) ** 2).mean(1)) / found["float32"].std(1)
    assert np.median(error) < 0.02


def test_embeddings_that_no_bits_are_left_for_are_refused(refusal):
    assert finest_residual("embedding", 0.1, 3.0, 0.006) == 14
    assert finest_residual("embedding", 5e-4, 3.0, 0.006) == 18
    assert "embedding: values of 5e-06 are too small for 19 fraction bits" in refusal(
        finest_residual, "embedding", 5e-6, 3.0, 0.006
    )
