"""Every kernel on every adapter present against its numpy reference, on drawn shapes: exact to the bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference import ops, tables
from inference.blocks import BLOCK
from inference.formats import linear, norm, rows
from inference.graph import add, new, source
from inference.kernels import kernel, variants
from inference.models.llama import Model
from inference.models.tiny import four_bits
from inference.ops import sample_partial
from inference.reference import Reference
from inference.runtime import Runtime

PLACES = "places"


def integers(generator, shape, bits):
    """int32 of up to ``bits`` bits, of all lengths, the ends among them."""
    values = generator.integers(-(2**bits) + 1, 2**bits, shape) >> generator.integers(0, bits, shape)
    return np.where(generator.random(shape) < 0.02, (1 - 2**bits) * np.sign(values | 1), values).astype(np.int32)


def floats(generator, shape):
    return generator.standard_normal(shape).astype(np.float32)


def weights(generator, outputs, blocks, eight):
    matrix = floats(generator, (outputs, blocks * BLOCK)) * np.exp(floats(generator, (outputs, 1)))
    if eight:
        from inference.blocks import eight_bits

        return eight_bits(matrix)
    return four_bits(matrix)


def draw_embedding(generator, exact, a, b, c):
    table = weights(generator, 8 * a + c, b, eight=True)
    tokens = generator.integers(0, 8 * a + c, c).astype(np.int32)
    if not exact:
        return {"tokens": tokens}, {"q": table.q, "blocks": table.d}, {}
    integer = linear("embedding", table)
    scales = {"rows": rows("embedding", integer.sigma * 2.0**-16)}
    return {"tokens": tokens}, {"q": integer.q, "blocks": integer.blocks} | scales, {}


def draw_rms_norm(generator, exact, a, b, c):
    gain = 1 + floats(generator, 32 * b) / 4
    if not exact:
        return {"x": floats(generator, (a, 32 * b))}, {"gain": gain}, {"epsilon": 1e-5, "first": c % a}
    integer = norm("norm", gain, 12, 1e-5, 32767)
    x = integers(generator, (a, 32 * b), int(generator.integers(1, 32)))
    return {"x": x}, {"gain": integer.gain}, integer.attributes | {"first": c % a}


def draw_matmul(generator, exact, a, b, c, eight):
    gated = exact and not eight and bool(generator.integers(0, 3) == 0)
    outputs = 16 * b if gated else 5 * b + c
    matrix = weights(generator, outputs, c, eight)
    adds = not gated and bool(generator.integers(0, 2))
    output = (a, outputs)
    if not exact:
        operands = {"a": floats(generator, (a, BLOCK * c))}
        blocks = matrix.d if matrix.m is None else np.stack((matrix.d, matrix.m), axis=2)
        constants = {"q": matrix.q, "blocks": blocks}
        return operands | ({"residual": floats(generator, output)} if adds else {}), constants, {"adds": adds}
    integer = linear("matmul", matrix)
    scaled = bool(generator.integers(0, 2))
    activations = np.clip(integers(generator, (a, BLOCK * c), 15), -integer.largest, integer.largest)
    if scaled:
        exponent = np.pad(generator.integers(0, 8, (a, 1)), ((0, 0), (0, 3))).astype(np.int32)
        activations = np.hstack((activations, exponent))
    constants = {"q": integer.q, "blocks": integer.blocks, "rows": rows("matmul", integer.sigma * 2.0**-14)}
    operands = {"a": activations} | ({"residual": integers(generator, output, 29)} if adds else {})
    attributes = {"adds": adds, "scaled": scaled, "residual_shift": 2}
    if gated:
        constants |= {"curve": tables.silu_curve()}
        attributes |= {"gated": True, "fraction": int(generator.integers(8, 13))}
    return operands, constants, attributes


def places(generator, tokens, sequences, capacity):
    """Distinct places of tokens."""
    chosen = generator.choice(sequences * capacity, tokens, replace=False)
    return np.stack((chosen // capacity, chosen % capacity), axis=1).astype(np.int32)


def draw_rope(generator, exact, a, b, c):
    width, attributes = 8 * b, {"offset": 4 * c, "heads": a, "copied": 8 * c}
    x = (a, 4 * c + width * a + 8 * c + 4)
    operands = {"x": integers(generator, x, 15) if exact else floats(generator, x), PLACES: places(generator, a, 1, 64)}
    angles = tables.angles(64, width, 10000.0)
    table = np.stack((np.cos(angles), np.sin(angles)), axis=2).astype(np.float32)
    return operands, {"table": tables.rotations(64, width, 10000.0) if exact else table}, attributes


def draw_attention(generator, exact, a, b, c):
    width, kv_heads, group, capacity = 4 * b, 1 + a % 2, c, 48
    q, cache = (a, kv_heads * group * width), (2 * capacity, 2 * kv_heads * width)
    attributes = {"heads": kv_heads * group, "kv_heads": kv_heads, "capacity": capacity, "sequences": 2}
    at = {PLACES: places(generator, a, 2, capacity)}
    if not exact:
        return {"q": floats(generator, q), "cache": floats(generator, cache)} | at, {}, attributes
    # |q·k| < 2^30, the weighted sum of values below 2^31.
    operands = {"q": integers(generator, q, 11), "cache": integers(generator, cache, 11)} | at
    scale = dict(zip(("mantissa", "shift"), rows("scale", np.array([2.0**-9]))[0].tolist(), strict=True))
    return operands, {"exponential": tables.exponential()}, attributes | scale | {"value_shift": 11}


def draw_silu_gate(generator, exact, a, b, c):
    shape = (a, 2 * 7 * b * c)
    if not exact:
        return {"x": 8 * floats(generator, shape)}, {}, {}
    fraction = int(generator.integers(8, 13))
    return {"x": integers(generator, shape, 20)}, {"curve": tables.silu_curve()}, {"fraction": fraction}


def draw_quantise(generator, exact, a, b, c):
    return {"z": integers(generator, (a, 4 * b * c), 30)}, {}, {"bits": int(generator.integers(10, 16))}


def logits(generator, exact, a, b, c):
    shape = (a, 600 * b + c)
    return integers(generator, shape, 3 if c == 1 else 19) if exact else floats(generator, shape)


def maxima(values, exact):
    module = ops.load("argmax_partial")
    return module.exact(values) if exact else module.float32(values)


def draw_argmax_partial(generator, exact, a, b, c):
    return {"logits": logits(generator, exact, a, b, c)}, {}, {}


def draw_argmax(generator, exact, a, b, c):
    return {"maxima": maxima(logits(generator, exact, a, b, c), exact)}, {}, {}


def draw_sample_partial(generator, exact, a, b, c):
    values = logits(generator, exact, a, b, c)
    operands = {"logits": values, "maxima": maxima(values, exact)}
    if not exact:
        return operands, {}, {"scale": 0.7}
    scale = dict(zip(("mantissa", "shift"), rows("scale", np.array([2.0**-6]))[0].tolist(), strict=True))
    return operands, {"exponential": tables.exponential()}, scale


def draw_sample(generator, exact, a, b, c):
    operands, constants, attributes = draw_sample_partial(generator, exact, a, b, c)
    reference = sample_partial.exact if exact else sample_partial.float32
    operands["sums"] = reference(*operands.values(), *constants.values(), **attributes)
    draws = generator.integers(0, 2**32, a, dtype=np.uint32)
    draws[0] = generator.choice(np.array([0, 2**32 - 1, draws[0]], np.uint32))
    return operands | {"draws": draws.view(np.int32)}, constants, attributes


DRAW = {
    "embedding": draw_embedding,
    "rms_norm": draw_rms_norm,
    "matmul_q4": lambda *given: draw_matmul(*given, eight=False),
    "matmul_q8": lambda *given: draw_matmul(*given, eight=True),
    "rope": draw_rope,
    "attention": draw_attention,
    "silu_gate": draw_silu_gate,
    "quantise": draw_quantise,
    "argmax_partial": draw_argmax_partial,
    "argmax": draw_argmax,
    "sample_partial": draw_sample_partial,
    "sample": draw_sample,
}
ORDER = ("tokens", "x", "a", "z", "logits", "maxima", "sums", "draws", "q", "cache", "blocks", "rows", "gain", "table")
ORDER += (PLACES, "exponential", "curve", "residual")


def single(op, arithmetic, seed, a, b, c):
    """A model and a graph of one op, and its inputs."""
    operands, constants, attributes = DRAW[op](np.random.default_rng(seed), arithmetic == "exact", a, b, c)
    built = new(arithmetic)
    for name, value in operands.items():
        source(built, name, "input", value.shape)
    for name, value in constants.items():
        source(built, name, "weight", value.shape)
    add(built, "y", op, sorted(operands | constants, key=ORDER.index), **attributes)
    return Model("single", arithmetic, {}, constants, {}), built, operands


SHAPES = (st.integers(0, 2**32), st.integers(1, 5), st.integers(1, 5), st.integers(1, 4))


@pytest.mark.parametrize("op", ops.names())
def test_the_exact_kernel_gives_the_reference_s_bits(op, stack, device):
    opened = device(stack)

    @settings(max_examples=12)
    @given(*SHAPES)
    def same(seed, a, b, c):
        model, built, operands = single(op, "exact", seed, a, b, c)
        [expected] = Reference(model).run(built, operands, ["y"])
        [found] = Runtime(model, opened).run(built, operands, ["y"])
        np.testing.assert_array_equal(found, expected)

    same()


@pytest.mark.parametrize("op", [op for op in ops.names() if hasattr(ops.load(op), "float32")])
def test_the_float32_kernel_is_near_the_reference(op, stack, device):
    opened = device(stack)

    @settings(max_examples=6)
    @given(*SHAPES)
    def near(seed, a, b, c):
        model, built, operands = single(op, "float32", seed, a, b, c)
        [expected] = Reference(model).run(built, operands, ["y"])
        [found] = Runtime(model, opened).run(built, operands, ["y"])
        if op.startswith("argmax"):
            np.testing.assert_array_equal(found, expected)
        elif op == "sample":
            assert (np.abs(found - expected) <= 1).mean() >= 0.5  # a threshold on an edge may fall either way
        else:
            np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-4 * np.abs(expected).max(initial=1e-3))

    near()


def test_every_op_has_kernels_and_a_drawing_of_operands():
    assert set(DRAW) == set(ops.names())
    for op in ops.names():
        for arithmetic in ("exact", "float32"):
            if hasattr(ops.load(op), arithmetic):
                assert {"params", "output"} <= kernel(arithmetic, op).bindings.keys()


@pytest.mark.parametrize("op, variant", [(op, variant) for op in ops.names() for variant in variants("exact", op)])
def test_every_variant_gives_the_reference_s_bits(op, variant, stack, device, monkeypatch):
    opened = device(stack)
    if "subgroup" in variant and not opened.subgroups:
        pytest.skip("this adapter has no subgroups of 8 lanes or more")
    monkeypatch.setattr(ops.load(op), "variant", lambda *_, **__: variant)

    @settings(max_examples=12)
    @given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 40), st.integers(1, 5))
    def same(seed, a, b, c):
        model, built, operands = single(op, "exact", seed, a, b, c)
        [expected] = Reference(model).run(built, operands, ["y"])
        [found] = Runtime(model, opened).run(built, operands, ["y"])
        np.testing.assert_array_equal(found, expected)

    same()


@pytest.mark.parametrize("lanes", [16, 32, 128, 256])
@pytest.mark.parametrize("op", ops.names())
def test_the_workgroup_s_size_changes_no_bit(op, lanes, device, stack):
    model, built, operands = single(op, "exact", 7, 3, 4, 2)
    [expected] = Reference(model).run(built, operands, ["y"])
    [found] = Runtime(model, device(stack, lanes)).run(built, operands, ["y"])
    np.testing.assert_array_equal(found, expected)
