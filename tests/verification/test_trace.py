"""Traces: what is kept, what is computed again, and that a leaf's derivation gives the leaf."""

import numpy as np

from verification.computation import LEAF, output_of
from verification.merkle import Tree, leaf_digest
from verification.trace import leaf_words, leaves, record, tiles


def outputs_of(computation):
    seen = {}

    def observe(first, outputs):
        seen.update({first + index: output_of(outputs, index).copy() for index in range(len(outputs.starts))})

    computation.run(observe)
    return seen


def test_every_leaf_is_the_run_s_and_its_derivation_gives_it(toy):
    trace, outputs = record(toy), outputs_of(toy)
    for node, shape in enumerate(toy.nodes):
        assert (trace.trees[node] is None) == (len(outputs[node]) == 0)
        if trace.trees[node] is None:
            continue
        assert len(trace.trees[node]) == leaves(shape)
        for leaf in range(leaves(shape)):
            row, start = divmod(leaf, -(-shape.words // LEAF))
            expected = outputs[node][row, LEAF * start : LEAF * start + LEAF]
            assert len(expected) == leaf_words(shape, leaf)
            assert np.array_equal(trace.leaf(node, leaf), expected)
            derived = trace.derivation(node, leaf)
            steps = toy.steps(node, leaf)
            assert [len(words) for words in derived] == [step.words for step in steps]
            inputs = [derived[s] if isinstance(s, int) else trace.leaf(*s) for s in steps[-1].sources]
            assert np.array_equal(toy.recompute(node, leaf, len(steps) - 1, inputs), expected)


def test_only_what_later_passes_read_is_kept(toy):
    trace = record(toy)
    assert set(trace.kept) == set(toy.kept)
    assert set(record(toy, keep_all=True).kept) == set(range(len(toy.nodes)))


def test_two_runs_have_one_root_and_tokens(toy):
    assert record(toy).tree.root == record(toy).tree.root
    assert record(toy).tokens == toy.run(lambda first, outputs: None)


def test_a_changed_leaf_changes_its_node_alone(toy):
    trace, honest = record(toy), record(toy)
    words = trace.leaf(0, 0) + 1
    trace.change(0, 0, words)
    assert trace.tree.digests[0] != honest.tree.digests[0]
    assert trace.tree.digests[1:] == honest.tree.digests[1:]
    assert np.array_equal(trace.leaf(0, 0), words)
    assert trace.trees[0].root == Tree(b"".join([leaf_digest(words), *honest.trees[0].digests[1:]])).root


def test_what_follows_a_replaced_node_follows_from_it(toy):
    last = len(toy.nodes) - 1

    def replace(node, output):
        return output + 9 if node == 0 else None

    trace, honest = record(toy, replace, keep_all=True), record(toy)
    assert trace.digest(0) != honest.digest(0)
    assert last == 2 or trace.digest(1) != honest.digest(1)


def test_what_replaces_a_null_output_is_ignored(toys):
    ends = toys["ends"]
    nulls = [node for node in range(len(ends.nodes)) if record(ends).trees[node] is None]

    def replace(node, output):
        return output if node not in nulls else np.ones((1, ends.nodes[node].words), np.int32)

    assert nulls and record(ends, replace).tree.root == record(ends).tree.root


def test_tiles_are_all_steps_of_all_leaves(toy):
    for node, shape in enumerate(toy.nodes):
        assert tiles(toy, node) == sum(len(toy.steps(node, leaf)) for leaf in range(leaves(shape)))
