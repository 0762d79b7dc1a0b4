"""Graphs: order, refusals, buffers, cost."""

import random

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.commands.drawing import draw
from inference.graph import add, cost, digest, new, plan, schedule, source, validate
from inference.models.llama import graph


@pytest.fixture
def chain():
    """Two norms after one another."""
    built = new("float32")
    source(built, "x", "input", (2, 32))
    source(built, "gain", "weight", (32,))
    add(built, "a", "rms_norm", ["x", "gain"], epsilon=1e-5)
    add(built, "b", "rms_norm", ["a", "gain"], epsilon=1e-5)
    return built


def test_a_cycle_is_refused(chain, refusal):
    chain.add_edge("b", "a")
    assert refusal(validate, chain) == "the graph has a cycle: a -> b"


def test_shapes_that_do_not_fit_are_refused(chain, refusal):
    source(chain, "short", "weight", (16,))
    message = refusal(add, chain, "c", "rms_norm", ["b", "short"], epsilon=1e-5)
    assert message == "node 'c' (rms_norm): a gain of (16,) does not fit rows of (2, 32)"


def test_a_shape_changed_afterwards_is_refused(chain, refusal):
    chain.nodes["b"]["shape"] = (3, 32)
    assert "shape (3, 32), its op gives (2, 32)" in refusal(validate, chain)


def test_unknown_ops_inputs_and_taken_names_are_refused(chain, refusal):
    assert "unknown op 'softplus'" in refusal(add, chain, "c", "softplus", ["b"])
    assert "which is not in the graph" in refusal(add, chain, "c", "rms_norm", ["nowhere", "gain"])
    assert "is in the graph already" in refusal(add, chain, "b", "rms_norm", ["a", "gain"])
    assert "(rms_norm): " in refusal(add, chain, "c", "rms_norm", ["b"])


def test_misspelt_and_missing_attributes_are_refused(chain, refusal):
    message = refusal(add, chain, "c", "rms_norm", ["b", "gain"], epsilom=1e-5)
    assert message == "node 'c' (rms_norm): there is no attribute 'epsilom'; there are bits, epsilon, first"
    assert (
        refusal(add, chain, "c", "rms_norm", ["b", "gain"])
        == "node 'c' (rms_norm): the attribute 'epsilon' is not given"
    )
    chain.nodes["b"]["attributes"]["gain_shift"] = 3  # of the other arithmetic
    assert "no attribute 'gain_shift'" in refusal(validate, chain)


def test_edges_that_are_no_inputs_are_refused(chain, refusal):
    chain.add_edge("x", "b")
    assert "edges from other nodes" in refusal(validate, chain)


@pytest.mark.parametrize("arithmetic", ["exact", "float32"])
def test_the_model_s_graph_is_valid_and_ends_in_the_choice(tiny_model, arithmetic):
    built = graph(tiny_model(arithmetic), 3, capacity=8)
    validate(built)
    assert schedule(built)[0] == "embedding" and schedule(built)[-1] == "choice"


@given(st.randoms(use_true_random=False))
def test_the_schedule_does_not_depend_on_the_order_of_building(tiny_model, shuffler: random.Random):
    built = graph(tiny_model("exact"), 3, capacity=8)
    nodes, edges = list(built.nodes(data=True)), list(built.edges)
    shuffler.shuffle(nodes)
    shuffler.shuffle(edges)
    other = nx.DiGraph(**built.graph)
    other.add_nodes_from(nodes)
    other.add_edges_from(edges)
    assert schedule(other) == schedule(built) and digest(other) == digest(built)


@pytest.mark.parametrize("keep", [frozenset(), frozenset({"logits"})])
def test_no_buffer_is_written_while_its_node_is_to_be_read(tiny_model, keep):
    built = graph(tiny_model("exact"), 3, capacity=8)
    layout, holds = plan(built, keep=keep), {}
    for name in schedule(built):
        node = built.nodes[name]
        for read in node["inputs"]:
            if read in layout.buffer:
                assert holds[layout.buffer[read]] == read
        if name in layout.buffer:
            size = 1
            for n in node["shape"]:
                size *= n
            assert layout.words[layout.buffer[name]] >= size
            holds[layout.buffer[name]] = name
    assert all(holds[layout.buffer[name]] == name for name in keep)
    assert len(layout.words) < 8 < len(layout.buffer)


def test_cost_counts_the_multiplications_of_a_product(tiny_model):
    costs = cost(graph(tiny_model("exact"), 3, capacity=8))
    assert costs["layer00.output"].operations == 3 * 64 * 64
    words, packed, steps, scales = 3 * 3 * 64, 64 * 64 // 2, 64 * 2 * 2, 64 * 2
    assert costs["layer00.output"].bytes == 4 * words + packed + 4 * (steps + scales)


def test_the_drawing_shows_a_layer_once_and_says_how_often(tiny_model):
    drawing = draw(graph(tiny_model("exact"), 1, capacity=8))
    assert drawing.count(">attention_norm<") == 1 and "× 2<" in drawing


def test_a_capacity_beyond_the_context_is_refused(tiny_model, refusal):
    assert "exceed the context of tiny: 512" in refusal(graph, tiny_model("exact"), 1, capacity=513)
