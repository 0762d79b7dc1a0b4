"""Disputes over runs of real models: every node of the tiny one, sampled ones of SmolLM2, across stacks."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from experiments.claims.bisection_locates_the_fault import MACS_OF_32_TOKENS
from inference import models
from inference.computation import Inference
from inference.device import adapters
from inference.errors import InputError
from inference.files.blocks import eight_bits, four_bits
from inference.model import Checkpoint
from inference.models.llama import ARCHITECTURE, model
from inference.reference import Reference
from verification.adversaries import corrupt_trace
from verification.adversaries.corrupt_trace import SUBSTITUTES, flip, replaced, substituted, with_wrong_step
from verification.dispute.dispute import identity
from verification.dispute.party import honest, play
from verification.dispute.record import Proceedings
from verification.dispute.transcript import bounds, replay, summary, transcript
from verification.encoding.signature import public
from verification.inference_models import Models, cheaper, exact
from verification.task import Task
from verification.trace import leaves, record

SOURCE = Models()
TINY = Task("tiny", tuple(b"Hello, world"), 4, 800_000, 3)
AMONG = Task("tiny", tuple(b"Hello, world"), 2, 1_300_000, 3, top_k=9, top_p=900_000)
STACKS = [name for name in adapters.MODULES if any(name == backend for backend, _ in adapters.stacks())]
PROMPT = (504, 3575, 282, 4649, 314)  # "The capital of France is"


@cache
def right(task, backend="numpy"):
    return record(SOURCE.computation(task, backend, None))


def leftmost(trace, honest):
    pairs = zip(trace.tree.digests, honest.tree.digests, strict=True)
    return next((node for node, (a, b) in enumerate(pairs) if a != b), None)


@pytest.fixture(scope="session")
def judged(begun, key, rules):
    """A dispute over a wrong trace and its reverse, both in numpy; bounds checked. ``replays``: its transcript too."""

    def judged(task, wrong, honest_trace, replays=False, computation=None):
        judge = computation or SOURCE.computation(task, "numpy", None)

        def conduct(mine, theirs):
            dispute, *claimed = begun(judge, (mine.tree.root, theirs.tree.root), rules=rules())
            proceedings = Proceedings(dispute, key(9))
            play(proceedings, {"asserter": honest(key(1), mine), "challenger": honest(key(2), theirs)})
            return dispute, proceedings, claimed

        turned, *_ = conduct(honest_trace, wrong)
        assert turned.verdict.winner == "asserter"
        dispute, proceedings, claimed = conduct(wrong, honest_trace)
        result = summary(dispute)
        assert dispute.verdict.winner == "challenger"
        assert dispute.verdict.node == leftmost(wrong, honest_trace)
        assert result["bytes"] < 100_000
        nodes, tiles = bounds(judge, dispute.verdict.node, dispute.levels)
        assert result["rounds_node"] <= nodes and result["rounds_tile"] <= tiles
        if replays:
            content = json.loads(json.dumps(transcript(task.plain(), None, dispute, *claimed, proceedings.entries)))
            assert replay(content, judge, public(key(9)), rules()) == ""
        return dispute

    return judged


NODES = range(len(SOURCE.computation(TINY, "numpy", None).nodes))


@pytest.mark.parametrize("node", NODES)
def test_a_cheat_at_any_node_of_the_tiny_model_loses_there(judged, node):
    honest = right(TINY)
    if honest.trees[node] is None:
        pytest.fail("the run has ended: choose another seed")
    shape, generator = honest.computation.nodes[node], np.random.default_rng(node)
    element = int(generator.integers(shape.rows * shape.words))

    flipped = honest.copy()
    flip(flipped, node, element)
    judged(TINY, flipped, honest, replays=True)

    for later in NODES[node + 1 :][:: max(1, len(NODES) // 3)]:
        flip(flipped, later, 0)
    judged(TINY, flipped, honest)

    leaf = int(generator.integers(leaves(shape)))
    step = int(generator.integers(len(honest.computation.steps(node, leaf))))
    tile = with_wrong_step(honest.copy(), node, leaf, step)
    if tile.tree.root == honest.tree.root:  # rounded away; a fault of the last step is one of the leaf
        step = len(honest.computation.steps(node, leaf)) - 1
        tile = with_wrong_step(honest.copy(), node, leaf, step)
    assert judged(TINY, tile, honest).verdict.step == step


@pytest.mark.parametrize("name", ["top_k", "top_k.kept", "top_p", "top_p.kept", "sums", "choice"])
def test_a_cheat_at_the_likeliest_tokens_loses_there(judged, name):
    honest = right(AMONG)
    node = next(at for at, each in enumerate(honest.computation.nodes) if each.name == f"step0001.{name}")
    flipped = honest.copy()
    flip(flipped, node, 0)
    judged(AMONG, flipped, honest, replays=True)
    steps = len(honest.computation.steps(node, 0))
    for step in {0, steps // 2, steps - 1}:
        tile = with_wrong_step(honest.copy(), node, 0, step)
        if tile.tree.root != honest.tree.root:
            assert judged(AMONG, tile, honest).verdict.step == step


@pytest.mark.parametrize("node", NODES[::3])
def test_a_wrong_node_that_all_others_follow_loses_there(judged, node):
    honest = right(TINY)
    shape = honest.computation.nodes[node]
    element = int(np.random.default_rng(node).integers(shape.rows * shape.words))
    wrong = replaced(honest.computation, node, element)
    assert judged(TINY, wrong, honest, replays=True).verdict.node == node


@pytest.mark.parametrize("name", SUBSTITUTES)
def test_who_runs_something_else_loses_where_it_first_shows(judged, name):
    honest = right(TINY)
    other = record(SOURCE.substitute(TINY, name, "numpy", None), keep_all=True)
    dispute = judged(TINY, substituted(honest.computation, other), honest, replays=True)
    op = honest.computation.nodes[dispute.verdict.node].name.partition(".")[2]
    assert (
        op
        == {
            "fewer-layers": "layer01.output",
            "coarser-weights": "embedding",
            "wrong-input": "embedding",
            "wrong-seed": "choice",
        }[name]
    )


@pytest.fixture(scope="module")
def wide():
    """A run of a model of one narrow layer whose hidden rows are 16 leaves: of which a product once opened all."""
    measures = {"layers": 1, "width": 64, "heads": 2, "kv_heads": 1, "head_width": 32, "hidden": 16_384}
    measures |= {"vocabulary": 256, "context": 512}
    generator = np.random.default_rng(0)
    matrices, gains = {}, {}
    for name, shape in ARCHITECTURE.expected(measures, tied=True).items():
        values = generator.standard_normal(shape).astype(np.float32)
        if len(shape) == 1:
            gains[name] = 1 + values / np.float32(8)
        else:
            scaled = values / np.float32(2) if name == "embedding" else 2 * values / np.float32(np.sqrt(shape[1]))
            matrices[name] = eight_bits(scaled) if name == "embedding" else four_bits(scaled)
    matrices["head"] = matrices["embedding"]
    llama = Checkpoint(**measures, epsilon=1e-5, theta=10000.0, matrices=matrices, gains=gains)
    return record(Inference(Reference(model("wide", llama, "exact")), [65, 66, 67, 68], limit=2))


def test_nobody_loses_over_a_wide_model_for_the_size_of_its_rows(wide, judged):
    """Who asserts the right result is accused of every step of a leaf of each op, and who is wrong in one loses."""
    computation, judged_ops = wide.computation, set()
    chosen = {shape.op: node for node, shape in enumerate(computation.nodes)}
    for node in chosen.values():
        last = leaves(computation.nodes[node]) - 1
        steps = computation.steps(node, last)
        for step in {0, len(steps) // 2, len(steps) - 1, max(range(len(steps)), key=lambda at: steps[at].macs)}:
            wrong = with_wrong_step(wide.copy(), node, last, step)
            if wrong.tree.root != wide.tree.root:
                judged(None, wrong, wide, computation=computation)
                judged_ops.add(computation.nodes[node].op)
    assert judged_ops == set(chosen)


def test_end_tokens_are_part_of_what_a_dispute_is_about():
    """Else a file that names another end token would make a short answer right, or an honest one wrong."""
    weights = exact("tiny")
    task = {"ids": [72, 105], "limit": 6}
    one, two = (Inference(Reference(replace(weights, end=end)), **task) for end in ((), (124,)))
    assert record(one).tokens != record(two).tokens
    assert identity(one) != identity(two)


def test_a_cheaper_model_has_the_schedule_of_the_right_one():
    right_one = exact("tiny")
    for name in ("fewer-layers", "coarser-weights"):
        other = cheaper(right_one, name)
        assert other.attributes == right_one.attributes and other.digest != right_one.digest


@pytest.mark.skipif(len(STACKS) < 2, reason="two WebGPU implementations and an adapter are needed: make adapter")
@pytest.mark.parametrize("pair", [("wgpu", "dawn"), ("dawn", "wgpu"), ("wgpu", "numpy"), ("numpy", "dawn")])
def test_asserter_challenger_and_referee_on_three_stacks_agree(judged, pair):
    mine, theirs = (right(TINY, backend) for backend in pair)
    assert mine.tree.root == theirs.tree.root == right(TINY).tree.root
    for node in NODES[::17]:
        wrong = mine.copy()
        flip(wrong, node, 0)
        judged(TINY, wrong, theirs)


@pytest.fixture(scope="module")
def smollm2():
    """An honest run of SmolLM2, on an adapter where there is one."""
    try:
        models.path_of("smollm2")
    except InputError as error:
        pytest.skip(str(error))
    task = Task("smollm2", PROMPT, 3, 0, 0)
    return task, right(task, STACKS[0] if STACKS else "numpy")


def test_sampled_nodes_of_smollm2(judged, smollm2):
    """One node of every op in the prompt's pass and one in a step's."""
    task, honest = smollm2
    nodes = honest.computation.nodes
    chosen = {}
    for node in np.random.default_rng(0).permutation(len(nodes)).tolist():
        chosen.setdefault((nodes[node].op, nodes[node].guard is None), node)
    most = 0
    for node in chosen.values():
        wrong = honest.copy()
        flip(wrong, node, nodes[node].words - 1)
        judged(task, wrong, honest, replays=node % 5 == 0)
        leaf = leaves(nodes[node]) - 1
        steps = honest.computation.steps(node, leaf)
        tile = with_wrong_step(honest.copy(), node, leaf, max(range(len(steps)), key=lambda i: steps[i].macs))
        if tile.tree.root != honest.tree.root:
            most = max(most, judged(task, tile, honest).verdict.macs)
    assert 100_000 < most <= 200_000


@pytest.mark.usefixtures("smollm2")
def test_the_referee_s_work_and_what_is_opened_are_small_at_every_node_of_smollm2():
    """A run of 32 tokens has more than 4·10^9 multiply-accumulates; a dispute stays below 100 kB."""
    computation = SOURCE.computation(Task("smollm2", PROMPT * 8, 32, 800_000, 0), "numpy", None)
    assert SOURCE.computation(Task("smollm2", PROMPT, 32, 0, 0), "numpy", None).macs == MACS_OF_32_TOKENS
    nodes = computation.nodes
    proof = 44 * (len(nodes) - 1).bit_length() + 44 * 8
    for node, shape in enumerate(nodes):
        if shape.name.partition(".")[2].startswith("layer1"):
            continue  # as the others' layers
        for leaf in {0, leaves(shape) - 1}:
            steps = computation.steps(node, leaf)
            for step in steps:
                assert step.macs <= 1e-4 * computation.macs
                words = sum(
                    steps[s].words if isinstance(s, int) else min(1024, nodes[s[0]].words) for s in step.sources
                )
                assert 4 * 4 / 3 * words + proof * len(step.sources) < 75_000, (shape.name, leaf)


@pytest.mark.parametrize("name", sorted(corrupt_trace.ADVERSARIES))
def test_every_adversary_of_the_trace_loses_over_smollm2(judged, smollm2, name):
    task, honest = smollm2
    wrong = corrupt_trace.ADVERSARIES[name](honest.copy(), np.random.default_rng(1)) if name != "wrong-node" else None
    if wrong is None:
        node = next(n for n, shape in enumerate(honest.computation.nodes) if shape.name == "step0002.layer20.gate")
        wrong = replaced(honest.computation, node, 5)
    judged(task, wrong, honest, replays=True)
