"""Derivations of every op give what its reference gives, bit for bit, on drawn shapes, at the ends and at wide ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference import derivation, ops
from inference.arithmetic import formats, tables
from inference.arithmetic.fixed_point import BoundError
from inference.files.blocks import BLOCK
from inference.ops._drawing import integers, scale_of
from inference.steps import LEAF, kinds
from inference.steps._vectors import leaf_of, walked


def exact(op, inputs, constants, attributes):
    """The op's reference on all of its operands."""
    arrays = inputs | constants
    operands = [arrays[name] for name in ops.arguments(op, "exact", attributes) if name in arrays]
    return ops.load(op).exact(*operands, **attributes)


def check(op, inputs, constants, attributes, leaves=None):
    """The last step of every leaf, or of some, is the leaf; all kinds that were met."""
    expected = exact(op, inputs, constants, attributes)
    each = -(-int(np.prod(expected.shape[1:], dtype=int)) // LEAF)
    met = set()
    for leaf in range(len(expected) * each) if leaves is None else leaves:
        steps = list(walked(op, inputs, constants, attributes, leaf))
        assert (steps[-1].words == leaf_of(expected, leaf)).all()
        met |= {made.step.kind for made in steps}
    return met


@pytest.mark.parametrize("op", ops.names())
def test_every_leaf_of_drawn_operands_follows_from_its_steps(op, operands):
    @settings(max_examples=25)
    @given(st.integers(0, 2**32), st.integers(1, 5), st.integers(1, 5), st.integers(1, 4))
    def same(seed, a, b, c):
        check(op, *operands(op, "exact", seed, a, b, c))

    same()


def product(generator, outputs, columns, *, op="matmul_q4", **attributes):
    """Operands of a product whose largest sums are near the end of 32 bits."""
    each = {"matmul_q4": (2,), "matmul_q8": (), "matmul_k": (3,)}[op]
    q = generator.integers(*((0, 16) if op == "matmul_q4" else (-127, 128)), (outputs, columns))
    blocks = generator.integers(-(2**15) + 1, 2**15, (outputs, columns // BLOCK, *each))
    steps = np.abs(blocks).reshape(outputs, columns // BLOCK, -1)
    D, M = (steps[..., :-1], steps[..., -1]) if each else (steps, 0)
    counts = np.abs(q.reshape(*D.shape, -1)).sum(3)
    bound = ((counts * D).sum(2) / 2 ** (15 if each else 16) + BLOCK * M / 2**11).sum(1).max()
    largest = min(2**15 - 1, int((formats.LIMIT - 2 * columns) / bound))
    bits = (largest + 1).bit_length() - 1
    a = integers(generator, (1, columns), 29 if attributes.get("bits") else bits)
    a[0, ::3] = (2**bits - 1) * np.sign(a[0, ::3] | 1)
    shifts = (24, 29) if attributes.get("bits") else (4, 12)
    rows = np.stack((generator.integers(2**14, 2**15, outputs), generator.integers(*shifts, outputs)), axis=1)
    constants = {"q": q.astype(np.uint8 if op == "matmul_q4" else np.int8), "blocks": blocks.astype(np.int16)}
    if attributes.get("bits"):
        attributes["bits"] = bits
    return {"a": a}, constants | {"rows": rows.astype(np.int32)}, attributes


PRODUCTS = [("matmul_q4", 16384), ("matmul_q8", 16384), ("matmul_k", 16384), ("matmul_q4", 53248)]


@pytest.mark.parametrize("op, columns", PRODUCTS)
@pytest.mark.parametrize("bits", [0, 1])
def test_products_over_wide_rows(op, columns, bits):
    generator = np.random.default_rng(columns + bits)
    inputs, constants, attributes = product(generator, 150, columns, op=op, bits=bits)
    inputs["residual"] = integers(generator, (1, 150), 29)
    met = check(op, inputs, constants, attributes | {"adds": True, "residual_shift": 3})
    assert met >= {op.replace("matmul", "product"), "sum", "requantise", "concatenate"}


def test_products_with_what_is_fused_over_several_leaves():
    generator = np.random.default_rng(1)
    inputs, constants, attributes = product(generator, 2 * 1040, 2048)
    constants["curve"] = tables.silu_curve()
    constants["rows"][:, 1] = 13
    check("matmul_q4", inputs, constants, attributes | {"gated": True, "fraction": 12})
    inputs, constants, attributes = product(generator, 16 * 80 + 96, 1056)
    constants["table"], inputs["places"] = tables.rotations(64, 80, 10000.0), np.array([[0, 63]], np.int32)
    constants["rows"][:, 1] = 13
    check("matmul_q4", inputs, constants, attributes | {"heads": 16})


@pytest.mark.parametrize("width", [16384, 8192, 5120, 576])
@pytest.mark.parametrize("bits", [30, 11, 1])
def test_norms_of_wide_rows(width, bits):
    generator = np.random.default_rng(width + bits)
    gain = generator.standard_normal(width).astype(np.float32)
    norm = formats.norm("norm", gain, 12, 1e-5, 32767)
    x = integers(generator, (2, width), bits)
    x[1] = np.where(generator.random(width) < 0.5, 1 - 2**bits, 2**bits - 1)
    check("rms_norm", {"x": x}, {"gain": norm.gain}, norm.attributes | {"first": 1})
    check("rms_norm", {"x": x[:1]}, {"gain": norm.gain}, dict(norm.attributes))
    check("rms_norm", {"x": 0 * x[:1]}, {"gain": norm.gain}, dict(norm.attributes))


ATTENTION = {"llama-3-405b": (128, 8, 128), "falcon-7b": (71, 1, 64), "llama-2-7b": (32, 32, 128), "cut": (26, 13, 80)}


@pytest.mark.parametrize("heads, kv_heads, width", ATTENTION.values(), ids=ATTENTION)
@pytest.mark.parametrize("seen", [1, 19, 700])
def test_attention_of_many_heads(heads, kv_heads, width, seen):
    generator = np.random.default_rng(seen)
    q, cache = ((1, heads * width), 8), ((seen + 3, 2 * kv_heads * width), 8)
    inputs = {"q": integers(generator, *q), "cache": integers(generator, *cache)}
    inputs["places"] = np.array([[0, seen - 1]], np.int32)
    attributes = {"heads": heads, "kv_heads": kv_heads, "capacity": seen + 3, "value_shift": 7, **scale_of(2.0**-9)}
    last = -(-heads * width // LEAF) - 1
    constants = {"exponential": tables.exponential()}
    met = check("attention", inputs, constants, attributes, leaves=sorted({0, last // 2, last}))
    assert met >= {"scores", "exponential", "narrow", "mix", "attend"}


def test_attention_over_all_positions_there_may_be():
    """8,192 equal scores: the sum of the weights is 2^31, which has no sign."""
    heads, width, seen = 16, 64, formats.POSITIONS
    inputs = {"q": np.zeros((1, heads * width), np.int32), "places": np.array([[0, seen - 1]], np.int32)}
    inputs["cache"] = np.full((seen, 2 * width), -(2**13), np.int32)
    attributes = {"heads": heads, "kv_heads": 1, "capacity": seen, "value_shift": 13, **scale_of(2.0**-9)}
    check("attention", inputs, {"exponential": tables.exponential()}, attributes)


@pytest.mark.parametrize("vocabulary", [128256, 49152, 1025])
@pytest.mark.parametrize("equal", [False, True])
def test_choices_among_many_tokens(vocabulary, equal):
    generator = np.random.default_rng(vocabulary)
    logits = integers(generator, (1, vocabulary), 20) if not equal else np.full((1, vocabulary), -(2**29), np.int32)
    inputs = {"logits": logits}
    check("argmax_partial", inputs, {}, {})
    inputs["maxima"] = exact("argmax_partial", inputs, {}, {})
    check("argmax", {"maxima": inputs["maxima"]}, {}, {})
    scale, constants = scale_of(2.0**-8), {"exponential": tables.exponential()}
    check("sample_partial", inputs, constants, scale)
    inputs["sums"] = exact("sample_partial", inputs, constants, scale)
    for draw in (0, 2**32 - 1, 2**31, int(generator.integers(2**32))):
        inputs["draws"] = np.array([draw], np.uint32).view(np.int32)
        check("sample", inputs, constants, scale)


@pytest.mark.parametrize("equal", [False, True])
@pytest.mark.parametrize(
    "wanted", [{"count": 40, "share": 0}, {"count": 0, "share": 3 * 2**30}], ids=["count", "share"]
)
def test_the_likeliest_of_the_largest_vocabulary(equal, wanted):
    logits = integers(np.random.default_rng(9), (1, 2**18), 20) if not equal else np.full((1, 2**18), 7, np.int32)
    inputs = {"logits": logits, "maxima": exact("argmax_partial", {"logits": logits}, {}, {})}
    constants, scale = {"exponential": tables.exponential()}, scale_of(2.0**-8)
    met = check("cut", inputs, constants, wanted | scale)
    assert met == {"largest", "bin_weights", "sum", "bin_found", "concatenate"}
    check("kept", {"logits": logits, "last": exact("cut", inputs, constants, wanted | scale)}, {}, {}, leaves=[0, 255])


@pytest.mark.parametrize("op", ["matmul_q4", "matmul_k"])
def test_what_the_reference_refuses_a_step_refuses(op):
    inputs, constants, attributes = product(np.random.default_rng(2), 32, 4096, op=op)
    inputs["a"] = np.full((1, 4096), 32767, np.int32)
    constants["q"][:], constants["blocks"][:] = 15, 32767
    for gives in (exact, check):
        with pytest.raises(BoundError):
            gives(op, inputs, constants, attributes)


def test_every_kind_is_of_a_derivation_and_in_the_table(operands):
    met = {"tokens", "merge"}  # of contexts beyond a block: test_long_attention
    for op in ops.names():
        for seed in range(6):
            met |= check(op, *operands(op, "exact", seed, 2, 2, 2))
    inputs, constants, _ = product(np.random.default_rng(1), 32, 1056)
    met |= check("matmul_q4", inputs, constants | {"curve": tables.silu_curve()}, {"gated": True, "fraction": 12})
    assert met == set(kinds())
    rows = {name.strip() for line in derivation.__doc__.splitlines() for name in line.split("|")[1:2]}
    assert set(ops.names()) <= {name for row in rows for name in row.split(", ")}
    assert all(f"``{kind}``" in derivation.__doc__ for kind in kinds())
