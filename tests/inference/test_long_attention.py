"""Attention over more positions than one block: the formula against float64, its steps and its kernels."""

import numpy as np
import pytest

from inference import ops
from inference.arithmetic import formats, tables
from inference.arithmetic.formats import BLOCKS, POSITIONS
from inference.device.runtime import Runtime
from inference.graph import add, new, source
from inference.model import Model
from inference.ops import _attention_kernels as kernels
from inference.ops import attention
from inference.ops._drawing import integers
from inference.reference import Reference
from inference.steps._vectors import leaf_of, walked

HEADS, KEYS, WIDTH = 4, 2, 32
FRACTION, VALUE = 8, 6
"""Bits of queries and keys, of values."""


def formulas(low=0, context=BLOCKS * POSITIONS):
    """The attributes of formats whose queries and keys have norms up to 40, values up to 100."""
    made = formats.attention("a", 40, 40, 100.0 if not low else 3000.0, WIDTH, context, 32767)
    assert made.attributes.get("low", 0) == low
    return made


def case(name, seen, *, low=0, window=0, tokens=1):
    """Inputs, constants and attributes; the last token sees so many positions."""
    generator, made = np.random.default_rng(seen), formulas(low)
    q = generator.normal(0, 2, (tokens, HEADS * WIDTH))
    cache = generator.normal(0, 2, (seen, 2 * KEYS * WIDTH))
    if name in ("flat", "loud"):
        cache[:, : KEYS * WIDTH] = 0
    if name == "one":  # all but one equal, that one a little larger
        cache[:, : KEYS * WIDTH] = 0
        cache[seen // 3, : KEYS * WIDTH] = 0.01 * np.sign(q[-1, : KEYS * WIDTH])
    if name == "late":  # all weight lies in the last block
        cache[: seen - 100, :WIDTH] = -4 * np.sign(q[-1, :WIDTH])
    cache[:, KEYS * WIDTH :] *= 3
    cache[0 if name != "loud" else slice(None), KEYS * WIDTH :] = 90 if not low else 2900
    fractions = np.repeat([made.key_fraction, made.value_fraction], KEYS * WIDTH)
    inputs = {
        "q": np.rint(q * 2.0**made.query_fraction).astype(np.int32),
        "cache": np.rint(cache * np.exp2(fractions)).astype(np.int32),
        "places": np.stack((np.zeros(tokens), np.arange(seen - tokens, seen)), 1).astype(np.int32),
    }
    attributes = {"heads": HEADS, "kv_heads": KEYS, "capacity": seen, **made.attributes}
    return inputs, {"exponential": tables.exponential()}, attributes | ({"window": window} if window else {})


CASES = {
    "drawn": ("drawn", POSITIONS + 1),
    "flat": ("flat", 40_000),
    "loud": ("loud", 40_000),  # sums of all blocks at one scale leave 32 bits, unless they are narrowed once more
    "one": ("one", BLOCKS * POSITIONS),
    "late": ("late", 3 * POSITIONS),
    "halves": ("drawn", 2 * POSITIONS + 77, 8),
    "window": ("drawn", 3 * POSITIONS, 0, POSITIONS + 5),
}


FAST = [pytest.param(name, marks=pytest.mark.slow) if name == "one" else name for name in CASES]


def made(name):
    kind, seen, low, window = (*CASES[name], 0, 0)[:4]
    return case(kind, seen, low=low, window=window)


def exact(inputs, constants, attributes):
    return attention.exact(*inputs.values(), *constants.values(), **attributes)


@pytest.mark.parametrize("name", CASES)
def test_it_is_near_the_softmax(name):
    inputs, constants, attributes = made(name)
    of = formulas(attributes.get("low", 0))
    real = {"q": inputs["q"] * 2.0**-of.query_fraction, "places": inputs["places"]}
    real["cache"] = inputs["cache"] * np.exp2(-np.repeat([of.key_fraction, of.value_fraction], KEYS * WIDTH))
    plain = {key: value for key, value in attributes.items() if key not in of.attributes}
    expected = attention.float32(real["q"], real["cache"], real["places"], **plain)
    found = exact(inputs, constants, attributes) * 2.0**-of.fraction
    spread = np.abs(real["cache"][1:, KEYS * WIDTH :]).mean()
    assert np.abs(found - expected).max() < 2.0**-of.fraction + 0.01 * spread


@pytest.mark.parametrize("name", FAST)
def test_its_leaves_follow_from_their_steps(name):
    inputs, constants, attributes = made(name)
    steps = list(walked("attention", inputs, constants, attributes, 0))
    assert (steps[-1].words == leaf_of(exact(inputs, constants, attributes), 0)).all()
    assert "merge" in {each.step.kind for each in steps}


def test_a_window_within_a_block_has_one_block_wherever_it_begins():
    inputs, constants, attributes = case("drawn", POSITIONS + 1000, window=2000)
    kinds = {each.step.kind for each in walked("attention", inputs, constants, attributes, 0)}
    assert "merge" not in kinds
    moved = {"q": inputs["q"], "cache": inputs["cache"][-2000:], "places": np.array([[0, 1999]], np.int32)}
    small = {key: value for key, value in attributes.items() if key != "window"} | {"capacity": 2000}
    np.testing.assert_array_equal(exact(moved, constants, small), exact(inputs, constants, attributes))


def run(inputs, constants, attributes, opened, arithmetic="exact"):
    """What a device gives, and the reference."""
    built = new(arithmetic)
    for name, value in inputs.items():
        source(built, name, "input", value.shape)
    for name, value in constants.items():
        source(built, name, "weight", value.shape)
    add(built, "y", "attention", [*inputs, *constants], **attributes)
    model = Model("single", arithmetic, {}, constants, {})
    [expected] = Reference(model).run(built, inputs, ["y"])
    short = {"cache": inputs["cache"].astype(np.int16)} if attributes.get("short") else {}
    [found] = Runtime(model, opened).run(built, inputs | short, ["y"])
    return found, expected


@pytest.mark.parametrize("name, lanes", [*((name, 64) for name in CASES), ("halves", 16)])
def test_the_kernel_gives_the_reference_s_bits(name, lanes, stack, device):
    found, expected = run(*made(name), device(stack, lanes))
    np.testing.assert_array_equal(found, expected)


def test_more_room_changes_no_bit(stack, device):
    inputs, constants, attributes = case("drawn", 300, tokens=3)
    found, expected = run(inputs, constants, attributes, device(stack))
    np.testing.assert_array_equal(found, expected)
    roomy = inputs | {"cache": integers(np.random.default_rng(0), (2 * POSITIONS, 2 * KEYS * WIDTH), 10)}
    roomy["cache"][:300] = inputs["cache"]
    found, _ = run(roomy, constants, attributes | {"capacity": 2 * POSITIONS}, device(stack))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "variant, low", [("", 0), ("", 8), ("tokens_subgroup", 0), ("wide", 0), ("wide", 8), ("long", 0), ("float32", 0)]
)
def test_tokens_in_several_dispatches(variant, low, stack, device, monkeypatch):
    opened = device(stack, 16)
    if variant == "tokens_subgroup" and not opened.subgroups:
        pytest.skip("this adapter has no subgroups of eight lanes")
    monkeypatch.setattr(kernels, "WORKSPACE", 6 * 80 * 32)  # scores of 32 tokens
    inputs, constants, attributes = case("drawn", 80, tokens=75, low=low)
    assert len(attention.pieces((75, HEADS * WIDTH), **attributes)) == 3
    if variant == "float32":
        inputs = {key: value.astype(np.float32) / 256 if key != "places" else value for key, value in inputs.items()}
        few = {key: attributes[key] for key in ("heads", "kv_heads", "capacity")}
        found, expected = run(inputs, {}, few, opened, "float32")
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
        return
    monkeypatch.setattr(ops.load("attention"), "variants", lambda *_, **__: [variant])
    found, expected = run(inputs, constants, attributes, opened)
    np.testing.assert_array_equal(found, expected)


def test_heads_whose_sums_a_step_cannot_hold_see_one_block():
    given = {"heads": 1, "kv_heads": 1}
    for width in (16, 512):
        shapes = (1, width), (2 * POSITIONS, 2 * width), (1, 2), (256,)
        with pytest.raises(ValueError, match="16384 positions are more than 8192"):
            attention.shape(*shapes, capacity=2 * POSITIONS, **given)
        attention.shape(*shapes, capacity=2 * POSITIONS, window=POSITIONS, **given)
