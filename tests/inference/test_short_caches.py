"""Caches of 16 bits: keys and values that fit them by the bounds they are derived from lie two in a word."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference import ops
from inference.arithmetic import tables
from inference.arithmetic.formats import attention
from inference.computation import Inference
from inference.device.device import SUBGROUPS
from inference.device.program import program
from inference.device.runtime import Runtime
from inference.device.target import Target
from inference.generate import generate
from inference.graph import add, new, source
from inference.model import Model
from inference.models.llama import graph, model
from inference.models.tiny import tiny
from inference.ops._drawing import integers, scale_of
from inference.reference import Reference

HEADS, KEYS, WIDTH, CAPACITY = 6, 2, 20, 40
LOUD = 2.0**13


def keys_and_values(tokens, window):
    """A graph: heads rotated into a short cache, and attention that reads it."""
    built, columns = new("exact"), 2 * KEYS * WIDTH
    for name, kind, shape in (
        ("x", "input", (tokens, columns)),
        ("q", "input", (tokens, HEADS * WIDTH)),
        ("places", "input", (tokens, 2)),
        ("table", "weight", (64, WIDTH // 2, 2)),
        ("exponential", "weight", (256,)),
    ):
        source(built, name, kind, shape)
    stored = {"capacity": CAPACITY, "sequences": 1, "short": 1}
    of = {"heads": KEYS, "copied": KEYS * WIDTH, "offset": 0}
    add(built, "cache", "rope", ["x", "table", "places"], state="cache", **of, **stored)
    scale = scale_of(2.0**-9) | {"value_shift": 11, "window": window}
    add(built, "y", "attention", ["q", "cache", "places", "exponential"], heads=HEADS, kv_heads=KEYS, **stored, **scale)
    return built


CONSTANTS = {"table": tables.rotations(64, WIDTH, 10000.0), "exponential": tables.exponential()}


@pytest.mark.parametrize("window", [0, 7])
@pytest.mark.parametrize("variant", ["", "tokens_subgroup", "wide", "split", "long"])
def test_attention_reads_what_was_put_in_a_short_cache(variant, window, stack, device, monkeypatch):
    opened, generator = device(stack), np.random.default_rng(5)
    if variant == "tokens_subgroup" and not any(feature in opened.adapter.features for feature in SUBGROUPS):
        pytest.skip("this adapter has no subgroups")
    monkeypatch.setattr(ops.load("attention"), "variants", lambda *_, **__: [variant])
    drawn = Model("drawn", "exact", {}, CONSTANTS, {})
    backends = [Reference(drawn), Runtime(drawn, opened)]
    for first, tokens in ((0, 17), (17, 1), (18, 3)):
        inputs = {
            "x": integers(generator, (tokens, 2 * KEYS * WIDTH), 11),
            "q": integers(generator, (tokens, HEADS * WIDTH), 11),
            "places": np.stack((np.zeros(tokens), first + np.arange(tokens)), 1).astype(np.int32),
        }
        built = keys_and_values(tokens, window)
        [expected], [found] = (backend.run(built, inputs, ["y"]) for backend in backends)
        np.testing.assert_array_equal(found, expected)
    held = [backend.read(built, "cache") for backend in backends]
    np.testing.assert_array_equal(held[0][: first + tokens], held[1][: first + tokens])


def test_what_is_written_to_a_short_cache_is_read_from_it(stack, device, tiny_model):
    """Rows at their places, negative ones and the ends of 16 bits too; the other rows stay."""
    backend, built = Runtime(tiny_model("exact"), device(stack)), graph(tiny_model("exact"), 1, capacity=64)
    rows = integers(np.random.default_rng(3), (20, 64), 15)
    rows[0, :2] = -(2**15), 2**15 - 1
    for first, stop in ((0, 7), (7, 20)):
        places = np.stack((np.zeros(stop - first), np.arange(first, stop)), 1).astype(np.int32)
        backend.write(built, "layer01.cache", places, rows[first:stop])
    found = backend.read(built, "layer01.cache")
    np.testing.assert_array_equal(found[:20], rows)
    assert found.shape == (64, 64) and not found[20:].any()


def test_a_short_cache_takes_half_the_bytes(tiny_model):
    built = {arithmetic: graph(tiny_model(arithmetic), 1, capacity=300) for arithmetic in ("exact", "float32")}
    sizes = {arithmetic: program(each, Target(64)).sizes for arithmetic, each in built.items()}
    for arithmetic, width in (("exact", 2), ("float32", 4)):
        assert sizes[arithmetic]["state layer00.cache"] == width * 300 * 2 * 32


@given(st.floats(1e-3, 1e6), st.floats(1e-3, 1e6), st.integers(1, 64))
def test_keys_fit_16_bits_by_their_bound(query, key, quarter):
    query = min(query, 2.0**14, 2.0**27 / key)  # beyond, no bits are left
    found = attention("attention", query, key, 1.0, 4 * quarter, 8192, 32767)
    rounding = 2 * np.sqrt(4 * quarter)
    of_query, of_key = query * 2.0**found.query_fraction + rounding, key * 2.0**found.key_fraction + rounding
    assert of_key <= 32767 and of_query * of_key < 2**30 and found.query_fraction + found.key_fraction >= 2


@pytest.fixture(scope="module")
def loud():
    """The tiny model with keys of more than 16 bits where queries have as many fraction bits."""
    read = tiny()
    louder = {
        name: replace(each, d=each.d * LOUD, m=each.m * LOUD)
        for name, each in read.matrices.items()
        if name.endswith(".k")
    }
    return replace(read, matrices=read.matrices | louder)


def test_loud_keys_give_their_bits_to_the_queries(loud, stack, device):
    made, ids = model("loud", loud, "exact"), list(range(30))
    assert {
        node["attributes"].get("short") for node in graph(made, 1, capacity=64).nodes.values() if node.get("state")
    } == {1}
    run = Inference(Reference(made), ids, limit=2)
    words = {}

    def observe(first, outputs):
        words.update((run.nodes[first + at].name, np.array(output)) for at, (_, output) in enumerate(outputs.items()))

    run.run(observe)
    keys = np.abs(words["prompt000.layer00.cache"]).reshape(30, 2, 32)[:, 0]
    assert 2**8 < keys.max() < 2**15
    found = [generate(backend, ids, limit=4).digest for backend in (Reference(made), Runtime(made, device(stack)))]
    assert found[0] == found[1]
