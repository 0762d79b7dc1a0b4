"""Ops of text encoders and transformers against formulas in float64, at the widths of SDXL, and attention by chunks."""

import numpy as np
import pytest
from scipy.special import erf, expit

from inference import ops
from inference.arithmetic import tables
from inference.arithmetic.scaled import NORM, narrowing
from inference.arithmetic.tolerance import within
from inference.device import adapters
from inference.device.program import program
from inference.device.runtime import Runtime
from inference.device.target import Target
from inference.ops import full_attention
from inference.ops.group_roots import epsilon_of
from inference.outputs import committed
from inference.reference import Reference
from inference.steps import LEAF
from inference.steps._vectors import leaf_of, walked

STACKS = adapters.stacks()


def tensor(values, bits=30):
    """Words of numbers, their largest of so many bits, and their scale."""
    exponent = int(np.frexp(np.abs(values).max())[1]) - bits
    words = np.rint(values * 2.0**-exponent).astype(np.int32)
    return words, np.array([[np.abs(words).max(), exponent]], np.int32)


@pytest.mark.parametrize("curve, function", [
    (tables.erf_gelu_curve, lambda t: t * (1 - (1 + erf(t / np.sqrt(2))) / 2)),
    (tables.quick_gelu_curve, lambda t: t * expit(-1.702 * t)),
])  # fmt: skip
def test_curves_are_rounded_to_the_nearest(curve, function):
    t = np.arange(257) / 16
    assert np.abs(curve() - 2**16 * function(t)).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("mean", [0.0, 1e3, -1e6])
def test_a_layer_norm_of_a_large_mean_is_as_near_as_the_words_are(mean):
    """Deviations of 10^-6 of the mean are nine bits of what is read of the words."""
    generator = np.random.default_rng(1)
    x, scale = tensor(mean + generator.standard_normal((4, 640)))
    affine, affine_scale = tensor(generator.standard_normal((2, 640)), 15)
    y = ops.load("layer_norm").exact(x, affine, scale, affine_scale, **epsilon_of(1e-5))
    wide = x * 2.0 ** scale[0, 1]
    d = wide - wide.mean(1, keepdims=True)
    gain, bias = affine * 2.0 ** affine_scale[0, 1]
    expected = d / np.sqrt((d * d).mean(1, keepdims=True) + 1e-5) * gain + bias
    exponent = narrowing(affine_scale, 15)[1] - 10
    unit = 2.0 ** narrowing(scale, NORM)[1]  # the deviation is 1
    assert np.abs(y * 2.0**exponent - expected).max() < (2.0**-9 + 2 * unit) * np.abs(gain).max()


def test_pixels_of_equal_numbers_have_no_deviation():
    x, scale = tensor(np.full((2, 8), 3.0))
    affine, affine_scale = tensor(np.stack((np.ones(8), np.full(8, 0.5))), 15)
    y = ops.load("layer_norm").exact(x, affine, scale, affine_scale, **epsilon_of(1e-5))
    np.testing.assert_allclose(y * 2.0 ** (narrowing(affine_scale, 15)[1] - 10), 0.5, atol=1e-3)


def test_geglu_is_a_product_with_gelu():
    x, scale = tensor(np.random.default_rng(2).standard_normal((6, 64)))
    y = ops.load("geglu").exact(x, scale, tables.erf_gelu_curve())
    a, g = np.split(x * 2.0 ** scale[0, 1], 2, axis=1)
    exponent = 2 * narrowing(scale, 15)[1]
    assert np.abs(y * 2.0**exponent - a * g * (1 + erf(g / np.sqrt(2))) / 2).max() < 4e-3


@pytest.mark.parametrize("image", [(2, 3, 320), (2, 2, 1280), (3, 768), (2, 2048)])
def test_derivations_at_widths_of_stable_diffusion(image):
    generator = np.random.default_rng(image[-1])
    x, scale = tensor(5 + generator.standard_normal(image))
    affine, affine_scale = tensor(generator.standard_normal((2, image[-1])), 15)
    constants = {"affine": affine, "affine_scale": affine_scale}
    followed("layer_norm", {"x": x, "scale": scale}, constants, epsilon_of(1e-5))
    gates, scale = tensor(generator.standard_normal((*image[:-1], 8 * image[-1])))
    followed("geglu", {"x": gates, "scale": scale}, {"curve": tables.erf_gelu_curve()}, {})


def followed(op, inputs, constants, attributes):
    """The first leaf and the last follow from their steps."""
    arrays = inputs | constants
    expected = ops.load(op).exact(*(arrays[name] for name in ops.arguments(op, "exact", attributes)), **attributes)
    rows, words = committed(expected.shape)
    for leaf in (0, rows * -(-words // LEAF) - 1):
        *_, last = walked(op, inputs, constants, attributes, leaf)
        assert (last.words == leaf_of(expected, leaf)).all()


@pytest.mark.parametrize("c", [1, 2])
def test_attention_in_several_dispatches_gives_the_same(c, device, monkeypatch, single):
    """Of itself, causal, and of another sequence."""
    if not STACKS:
        pytest.skip("no WebGPU adapter; make adapter")
    for arithmetic in ("exact", "float32"):
        model, built, operands = single("full_attention", arithmetic, 3, 11, 3, c)
        [expected] = Reference(model).run(built, operands, ["y"])
        keys = built.nodes[built.nodes["y"]["inputs"][1]]["shape"]
        heads = built.nodes["y"]["attributes"]["heads"]
        monkeypatch.setattr(full_attention, "WORKSPACE", 4 * np.prod(keys[:-1], dtype=int) * heads)
        each = 2 if arithmetic == "exact" else 1  # keys are narrowed before
        assert len(program(built, Target(64)).steps[0]) == each * -(-11 * c // 4)
        [found] = Runtime(model, device(STACKS[0])).run(built, operands, ["y"])
        if arithmetic == "exact":
            np.testing.assert_array_equal(found, expected)
        else:
            values = [operands[name] for name in built.nodes["y"]["inputs"]]
            assert within("full_attention", found, *values, **built.nodes["y"]["attributes"])


def test_a_query_sees_no_key_after_its_own():
    generator = np.random.default_rng(4)
    q, k, v = generator.standard_normal((3, 9, 8)).astype(np.float32)
    y = ops.load("full_attention").float32(q, k, v, heads=2, causal=True)
    for place in range(9):
        alone = ops.load("full_attention").float32(q[place : place + 1], k[: place + 1], v[: place + 1], heads=2)
        np.testing.assert_allclose(y[place], alone[0], rtol=1e-5)
