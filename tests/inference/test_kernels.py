"""Every kernel on every adapter present against its numpy reference, on drawn shapes: exact to the bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference import ops
from inference.arithmetic.tolerance import within
from inference.device.device import SUBGROUPS
from inference.device.runtime import Runtime
from inference.kernels import kernel, variants
from inference.reference import Reference

SHAPES = (st.integers(0, 2**32), st.integers(1, 5), st.integers(1, 5), st.integers(1, 4))


@pytest.mark.parametrize("op", ops.names())
def test_the_exact_kernel_gives_the_reference_s_bits(op, stack, device, single):
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
def test_the_float32_kernel_is_near_the_reference(op, stack, device, single):
    opened = device(stack)

    @settings(max_examples=6)
    @given(*SHAPES)
    def near(seed, a, b, c):
        model, built, operands = single(op, "float32", seed, a, b, c)
        [expected] = Reference(model).run(built, operands, ["y"])
        [found] = Runtime(model, opened).run(built, operands, ["y"])
        values = [(operands | model.constants)[name] for name in built.nodes["y"]["inputs"]]
        for y in (found, expected):
            assert within(op, y, *values, **built.nodes["y"]["attributes"])

    near()


def test_every_op_has_kernels_and_a_drawing_of_operands(operands):
    for op in ops.names():
        for arithmetic in ("exact", "float32"):
            if hasattr(ops.load(op), arithmetic):
                assert operands(op, arithmetic, 0, 1, 1, 1)
                assert {"params", "output"} <= kernel(arithmetic, op).bindings.keys()


VARIANTS = [(op, variant) for op in ops.names() for variant in variants("exact", op)]


@pytest.mark.parametrize("op, variant", VARIANTS)
def test_every_variant_gives_the_reference_s_bits(op, variant, stack, device, monkeypatch, single):
    opened = device(stack)
    if variant == "tokens_subgroup" and not opened.subgroups:
        pytest.skip("compiles for minutes: see the next test")
    check_variant(op, variant, opened, monkeypatch, single)


@pytest.mark.slow
@pytest.mark.parametrize("op", [op for op, variant in VARIANTS if variant == "tokens_subgroup"])
def test_lanes_that_are_missing_change_no_bit(op, stack, device, monkeypatch, single):
    opened = device(stack)
    if not opened.subgroups:
        check_variant(op, "tokens_subgroup", opened, monkeypatch, single)


def check_variant(op, variant, opened, monkeypatch, single):
    """On subgroups of any size: who finds that lanes are missing reads for itself."""
    if "subgroup" in variant and not any(feature in opened.adapter.features for feature in SUBGROUPS):
        pytest.skip("this adapter has no subgroups")
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
def test_the_workgroup_s_size_changes_no_bit(op, lanes, device, stack, single):
    model, built, operands = single(op, "exact", 7, 3, 4, 2)
    [expected] = Reference(model).run(built, operands, ["y"])
    [found] = Runtime(model, device(stack, lanes)).run(built, operands, ["y"])
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("op", [op for op in ops.names() if op != "attention"])
def test_only_attention_has_workgroups_in_three_dimensions(op):
    for arithmetic, variant in (("exact", ""), ("float32", ""), *(("exact", other) for other in variants("exact", op))):
        assert ops.load(op).workgroups((40, 200), lanes=64, arithmetic=arithmetic, variant=variant)[2:] == (1,)


TOKENS = (1, 7, 8, 31, 32)
CHOSEN = {  # the kernels of so many tokens, without and with subgroups
    "attention": (("",) * 5, ("", "", "", "", "tokens_subgroup")),
    "matmul_q4": (("", "", *["tokens"] * 3), ("subgroup", "subgroup", "tokens", "tokens", "tokens_subgroup")),
    "matmul_q8": (("", "", *["tokens"] * 3), ("subgroup", "subgroup", *["tokens"] * 3)),
}


@pytest.mark.parametrize("op", [op for op in ops.names() if hasattr(ops.load(op), "variant")])
@pytest.mark.parametrize("subgroups", [False, True])
def test_a_kernel_is_chosen_by_the_tokens_and_the_device(op, subgroups):
    choose = ops.load(op).variant
    for tokens, name in zip(TOKENS, CHOSEN[op][subgroups], strict=True):
        for width in (1, 1000):  # of the output
            assert choose((tokens, width), arithmetic="exact", subgroups=subgroups) == name
        assert choose((tokens, 1000), arithmetic="float32", subgroups=subgroups) == ""
        assert name in ("", *variants("exact", op))


def test_attention_over_several_sequences_reads_one_at_a_time():
    choose = ops.load("attention").variant
    assert choose((32, 1000), arithmetic="exact", subgroups=True, sequences=2) == ""
