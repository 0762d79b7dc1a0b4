"""Every kernel on every adapter present against its numpy reference, on drawn shapes: exact to the bit."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference import ops
from inference.arithmetic.tolerance import within
from inference.device import adapters
from inference.device.device import SUBGROUPS
from inference.device.runtime import Runtime
from inference.device.target import DOT4, INVOCATIONS, Target
from inference.kernels import kernel, variants
from inference.reference import Reference

STACKS = adapters.stacks()
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


@pytest.mark.parametrize(
    "op, variant",
    [(op, "tile") for op in ("conv", "matmul_q4", "matmul_q8", "matmul_k")]
    + [
        ("conv", "subgroup"),
        ("matmul_q4", "wide"),
        ("matmul_q8", "wide"),
        ("matmul_k", "wide"),
    ],
)
def test_float32_s_variants_are_near_the_reference(op, variant, stack, device, monkeypatch, single):
    if "subgroup" in variant and not any(feature in device(stack).adapter.features for feature in SUBGROUPS):
        pytest.skip("this adapter has no subgroups")
    monkeypatch.setattr(ops.load(op), "variants", lambda *_, **__: [variant])
    for seed, *shape in ((0, 3, 9, 3), (1, 66, 14, 2), (2, 1, 1, 9), (5, 70, 3, 1)):  # tiles that are not full
        model, built, operands = single(op, "float32", seed, *shape)
        [found] = Runtime(model, device(stack)).run(built, operands, ["y"])
        values = [(operands | model.constants)[name] for name in built.nodes["y"]["inputs"]]
        assert within(op, found, *values, **built.nodes["y"]["attributes"])


def test_every_op_has_kernels_and_a_drawing_of_operands(operands):
    for op in ops.names():
        for arithmetic in ("exact", "float32"):
            if hasattr(ops.load(op), arithmetic):
                assert operands(op, arithmetic, 0, 1, 1, 1)
                assert {"params", "output"} <= kernel(arithmetic, op).bindings.keys()


TARGETS = [
    Target(lanes, subgroups, features)
    for lanes in (16, 64)
    for subgroups in (False, True)
    for features in (frozenset[str](), frozenset([DOT4]))
]
TOKENS = (1, 7, 8, 16, 31, 32, 64, 65, 512)
GPU_SHAPES = ((4, 40, 40, 2), (0, 64, 9, 3), (1, 1, 20, 5), (2, 3, 1, 1), (11, 64, 5, 3))
"""Seed and sizes; the seeds draw a gate, heads, a residual, heads and nothing after a product of 4 bits."""


def needed(op, variant, arithmetic="exact"):
    """The variants dispatched before one."""
    return ops.load(op).before(variant, arithmetic) if hasattr(ops.load(op), "before") else []


PARTS = {(op, part) for op in ops.names() for variant in variants("exact", op) for part in needed(op, variant)}
VARIANTS = [(op, each) for op in ops.names() for each in variants("exact", op) if (op, each) not in PARTS]


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
    admitting = ops.load(op).variants
    monkeypatch.setattr(ops.load(op), "variants", lambda *_, **__: [variant])

    def same(seed, a, b, c):
        model, built, operands = single(op, "exact", seed, a, b, c)
        node = built.nodes["y"]
        attributes = node["attributes"] | {"arithmetic": "exact", "sequences": 1}
        attributes["inputs"] = [built.nodes[source]["shape"] for source in node["inputs"]]
        shapes = [(tokens, *node["shape"][1:]) for tokens in TOKENS]
        if not any(variant in admitting(shape, target=each, **attributes) for shape in shapes for each in TARGETS):
            return  # it is not for these attributes
        [expected] = Reference(model).run(built, operands, ["y"])
        [found] = Runtime(model, opened).run(built, operands, ["y"])
        np.testing.assert_array_equal(found, expected)

    if not variant.startswith(("tile", "wide", "split")):
        drawn = given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 40), st.integers(1, 5))
        settings(max_examples=12)(drawn(same))()
    # Every entry point, tiles that are not full, blocks that not every invocation has; where compiling is slow, one.
    for seed, *shape in (
        GPU_SHAPES if opened.name == STACKS[0][1] and opened.backend == STACKS[0][0] else GPU_SHAPES[:1]
    ):
        same(seed, *shape)


@pytest.mark.parametrize("lanes", [16, 256, *(pytest.param(lanes, marks=pytest.mark.slow) for lanes in (32, 128))])
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


@pytest.mark.parametrize("arithmetic", ["exact", "float32"])
@pytest.mark.parametrize("op", [op for op in ops.names() if hasattr(ops.load(op), "variants")])
def test_every_variant_is_somebody_s_first_choice(op, arithmetic):
    """What no target takes of itself would be compiled, measured and shipped for nobody."""
    module, chosen = ops.load(op), set[str]()
    for target, capacity in itertools.product(TARGETS, (100, 20_000)):
        for tokens in TOKENS:
            given = {"heads": 10, "capacity": capacity, "inputs": [(tokens, 1000)]}
            admitted = module.variants((tokens, 1000), arithmetic=arithmetic, target=target, **given)
            assert len(set(admitted)) == len(admitted) and {*admitted} <= {"", *variants(arithmetic, op)}
            assert target.features or not any("dot4" in name for name in admitted)
            assert target.subgroups or not any("subgroup" in name for name in admitted)
            of_gpus = {name for name in admitted if name.startswith(("wide", "tile", "split"))}
            assert not (of_gpus if target.rasteriser else [name for name in admitted if name.startswith("tokens")])
            chosen |= {admitted[0], *needed(op, admitted[0], arithmetic)}
    assert chosen >= {*variants(arithmetic, op)}


def test_attention_over_several_sequences_reads_one_at_a_time():
    choose = ops.load("attention").variants
    assert choose((32, 1000), arithmetic="exact", target=Target(16, True), heads=4, sequences=2) == [""]


def test_a_head_wider_than_a_workgroup_holds_is_for_the_first_kernel():
    choose = ops.load("attention").variants
    assert choose((1, 1040), arithmetic="exact", target=Target(64), heads=4) == [""]
    assert choose((1, 1024), arithmetic="exact", target=Target(64), heads=4) == ["split", "wide", ""]


def test_a_workgroup_is_no_larger_than_the_limit():
    few = Target(64, limits={INVOCATIONS: 128})
    for op in ("matmul_q4", "matmul_q8", "matmul_k"):
        for tokens in TOKENS:
            for name in ops.load(op).variants((tokens, 1000), arithmetic="exact", target=few):
                assert ops.load(op).lanes((tokens, 4096), target=few, variant=name) <= 128
