"""Derivations of the ops of pictures at the widths of Stable Diffusion XL: leaves of one pixel, of parts of one."""

import numpy as np
import pytest

from inference import ops
from inference.arithmetic import tables
from inference.derivation import Constant
from inference.files.conv_weights import integer_weights
from inference.ops._images import draw_scaled
from inference.ops.full_attention import softmax_scale
from inference.outputs import LEAF, committed
from inference.steps import result
from inference.steps._operands import Tiles
from inference.steps._vectors import leaf_of, walked


def check(op, inputs, constants, attributes):
    """The first leaf, one between and the last."""
    arrays = inputs | constants
    operands = [arrays[name] for name in ops.arguments(op, "exact", attributes) if name in arrays]
    expected = ops.load(op).exact(*operands, **attributes)
    rows, words = committed(expected.shape)
    leaves = rows * -(-words // LEAF)
    for leaf in sorted({0, leaves // 2, leaves - 1}):
        steps = list(walked(op, inputs, constants, attributes, leaf))
        assert (steps[-1].words == leaf_of(expected, leaf)).all()


CONVOLUTIONS = [((3, 2, 2560), 1280, 9, 1), ((4, 4, 1280), 640, 9, 2), ((2, 4, 1920), 64, 1, 1), ((5, 6, 4), 320, 9, 1)]


@pytest.mark.parametrize("image, outputs, taps, stride", CONVOLUTIONS)
def test_convolutions(image, outputs, taps, stride):
    generator = np.random.default_rng(outputs)
    x, scale = draw_scaled(generator, image)
    weight = generator.standard_normal((outputs, taps, image[2])).astype(np.float32)
    constants, attributes = integer_weights(weight, generator.standard_normal(outputs).astype(np.float32))
    check("conv", {"x": x, "scale": scale}, constants, attributes | {"stride": stride})


ATTENTIONS = [((2, 2, 1280), (77, 1280), 20), ((2, 8, 640), (2, 8, 640), 10), ((4, 4, 512), (4, 4, 512), 1)]


@pytest.mark.parametrize("queries, keys, heads", ATTENTIONS)
def test_attention(queries, keys, heads):
    generator, inputs = np.random.default_rng(heads), {}
    for name, shape in (("q", queries), ("k", keys), ("v", keys)):
        inputs[name], scale = draw_scaled(generator, shape, 14 if name == "v" else 0)
        if name != "v":
            inputs[f"scale_{name}"] = scale
            scale[0, 1] = -20
    attributes = {"heads": heads} | softmax_scale(queries[-1] // heads)
    check("full_attention", inputs, {"exponential": tables.exponential()}, attributes)


def test_what_moves_norms_and_adds_wide_images():
    generator, channels, groups = np.random.default_rng(9), 1280, 32
    (x, scale), (z, scale_z) = draw_scaled(generator, (4, 4, channels)), draw_scaled(generator, (4, 4, 640))
    for op in ("maxima", "resize", "average_pool"):
        check(op, {"x": x}, {}, {})
    check("concatenate", {"x": x, "z": z, "scale": scale, "scale_z": scale_z}, {}, {})
    mean = generator.integers(-(2**20), 2**20, (1, groups)).astype(np.int32)
    check("group_sums", {"x": x, "scale": scale}, {}, {"groups": groups})
    check("group_squares", {"x": x, "mean": mean, "scale": scale}, {}, {"groups": groups})
    roots = np.concatenate(
        (generator.integers(2**14, 2**15, (1, groups)), generator.integers(-9, 1, (1, groups))), axis=1
    )
    affine, affine_scale = draw_scaled(generator, (2, channels))
    inputs = {"x": x, "mean": mean, "roots": roots.astype(np.int32), "scale": scale}
    constants = {"affine": affine, "affine_scale": affine_scale, "curve": tables.silu_curve()}
    check("group_norm", inputs, constants, {"groups": groups, "silu": True})
    row, scale_row = draw_scaled(generator, (1, channels))
    factors = {"terms": 2, "mantissa": 2**14, "unit": 2, "mantissa_z": -(2**14), "unit_z": 3}
    check("combine", {"x": x, "z": row, "scale": scale, "scale_z": scale_row}, {}, factors)


def test_a_product_reads_what_is_public_as_it_stands():
    generator = np.random.default_rng(2)
    constants, attributes = integer_weights(generator.standard_normal((64, 1, 3)), generator.standard_normal(64))
    x, scale = draw_scaled(generator, (1, 3))
    named = [Constant(name, constants[name].shape) for name in ("weight", "bias")]
    rest = [Constant("scale", scale.shape), Constant("rows", constants["rows"].shape)]
    steps = ops.load("conv").derivation(0, 0, 64, x, *named, *rest, **attributes)
    made = []
    for step in steps:
        made.append(result(step, Tiles({**constants, "scale": scale}), [made[source] for source in step.sources]))
    expected = ops.load("conv").exact(x, constants["weight"], constants["bias"], scale, constants["rows"], **attributes)
    assert (made[-1] == expected.ravel()).all()
