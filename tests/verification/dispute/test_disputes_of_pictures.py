"""Disputes over a picture: whoever cheats at a node, of any op, loses there; every leaf follows from its steps."""

import numpy as np
import onnx
import pytest
from small_network import network

from inference.errors import InputError
from inference.models.terrain import terrain, terrain_file
from inference.picture import Picture
from inference.reference import Reference
from verification.adversaries.corrupt_trace import flip, replaced, with_wrong_step
from verification.computation import LEAF, SOURCES, WORK
from verification.dispute.party import honest, play
from verification.dispute.record import Proceedings
from verification.dispute.transcript import bounds, summary
from verification.trace import leaf_of, leaves, record


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    net, output = network()
    path = tmp_path_factory.mktemp("onnx") / "net.onnx"
    onnx.save(net.model(output), path)
    model = terrain(str(path), "exact")
    return record(Picture(Reference(model.model), model, 40, 7), keep_all=True)


def of_each_op(nodes):
    """The first and the last node of each op."""
    first = {node.op: index for index, node in reversed(list(enumerate(nodes)))}
    last = {node.op: index for index, node in enumerate(nodes)}
    return sorted({*first.values(), *last.values()})


def test_every_leaf_of_some_nodes_of_each_op_follows_from_its_steps(right):
    computation = right.computation
    for index in of_each_op(computation.nodes):
        node = computation.nodes[index]
        for leaf in sorted({0, leaves(node) // 2, leaves(node) - 1}):
            made = []
            for at, step in enumerate(computation.steps(index, leaf)):
                assert len(step.sources) <= SOURCES and step.words <= LEAF and step.macs <= WORK
                given = [made[s] if isinstance(s, int) else leaf_of(right.output(s[0]), s[1]) for s in step.sources]
                made.append(computation.recompute(index, leaf, at, given))
                assert made[-1] is not None, (node, step.kind)
            assert (made[-1] == leaf_of(right.output(index), leaf)).all(), node


@pytest.fixture(scope="session")
def judged(begun, key, rules):
    """A dispute over a wrong trace and its reverse."""

    def judged(wrong, true):
        judge = true.computation
        for mine, theirs, winner in ((true, wrong, "asserter"), (wrong, true, "challenger")):
            dispute, *_ = begun(judge, (mine.tree.root, theirs.tree.root), rules=rules())
            proceedings = Proceedings(dispute, key(9))
            play(proceedings, {"asserter": honest(key(1), mine), "challenger": honest(key(2), theirs)})
            assert dispute.verdict.winner == winner
        result = summary(dispute)
        pairs = zip(wrong.tree.digests, true.tree.digests, strict=True)
        assert dispute.verdict.node == next(node for node, (a, b) in enumerate(pairs) if a != b)
        nodes, tiles = bounds(judge, dispute.verdict.node, dispute.levels)
        assert result["rounds_node"] <= nodes and result["rounds_tile"] <= tiles and result["bytes"] < 150_000
        return dispute

    return judged


def test_a_cheat_at_a_node_of_each_op_loses_there(right, judged):
    generator = np.random.default_rng(3)
    nodes = of_each_op(right.computation.nodes)
    for at, node in enumerate(nodes):
        shape = right.computation.nodes[node]
        flipped = right.copy()
        flip(flipped, node, int(generator.integers(shape.rows * shape.words)))
        for later in nodes[at + 1 :: 5]:
            flip(flipped, later, 0)
        assert judged(flipped, right).verdict.node == node


def test_a_wrong_step_of_a_node_of_each_op_is_found(right, judged):
    generator = np.random.default_rng(4)
    for node in of_each_op(right.computation.nodes)[::2]:
        leaf = int(generator.integers(leaves(right.computation.nodes[node])))
        steps = right.computation.steps(node, leaf)
        step = int(generator.integers(len(steps)))
        wrong = with_wrong_step(right.copy(), node, leaf, step)
        if wrong.tree.root == right.tree.root:  # rounded away; a fault of the last step is one of the leaf
            step = len(steps) - 1
            wrong = with_wrong_step(right.copy(), node, leaf, step)
        assert judged(wrong, right).verdict.step == step


def test_a_wrong_node_that_all_others_follow_loses_there(right, judged):
    nodes = right.computation.nodes
    conv = next(index for index, node in enumerate(nodes) if node.op == "conv" and node.rows > 1)
    assert judged(replaced(right.computation, conv, 5), right).verdict.node == conv


def test_what_is_delivered_is_the_last_node(right):
    [height, width] = (right.computation.backend.model.measures[name] for name in ("height", "width"))
    assert len(right.tokens) == height * width
    assert right.tokens == right.output(len(right.computation.nodes) - 1).ravel().tolist()


@pytest.mark.slow
def test_a_cheat_at_nodes_of_the_terrain_model_loses_there(judged, capsys):
    try:
        terrain_file()
    except InputError as error:
        pytest.skip(str(error))
    model = terrain("terrain", "exact")
    true = record(Picture(Reference(model.model), model, 40, 7), keep_all=True)
    generator, found = np.random.default_rng(5), []
    for node in of_each_op(true.computation.nodes)[::2]:
        shape, wrong = true.computation.nodes[node], true.copy()
        flip(wrong, node, int(generator.integers(shape.rows * shape.words)))
        dispute = judged(wrong, true)
        assert dispute.verdict.node == node
        found.append((shape.op, summary(dispute)))
    with capsys.disabled():
        for op, said in found:
            print(op, {key: said[key] for key in said if isinstance(said[key], int | float)})
