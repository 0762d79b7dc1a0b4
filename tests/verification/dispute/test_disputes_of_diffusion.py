"""Disputes over a picture of latent diffusion: a step is regenerated from the latents before it, no other is."""

import numpy as np
import pytest
from small_diffusion import diffusion, passes

from inference.picture import LatentPicture
from inference.reference import Reference
from verification.adversaries.corrupt_trace import flip, with_wrong_step
from verification.computation import LEAF, SOURCES, WORK
from verification.dispute.party import honest, play
from verification.dispute.record import Proceedings
from verification.dispute.transcript import bounds, summary
from verification.trace import leaf_of, leaves, record


class Counted(Reference):
    """A backend that notes which graphs it runs, and with which inputs."""

    def run(self, graph, inputs, *rest):
        self.runs.append((graph, inputs))
        return super().run(graph, inputs, *rest)


def picture(name, steps):
    """A computation of 8 × 8 pixels."""
    model = diffusion(name, "exact", 8)
    backend = Counted(model.model)
    backend.runs = []
    return LatentPicture(backend, passes(model, steps), {"steps": str(steps)})


@pytest.fixture(scope="module")
def right():
    return record(picture("sd-turbo", 4), keep_all=True)


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
        nodes, tiles = bounds(judge, dispute.verdict.node, dispute.levels)
        result = summary(dispute)
        assert result["rounds_node"] <= nodes and result["rounds_tile"] <= tiles
        return dispute

    return judged


def one_of_each_op(computation):
    """The last node of each op."""
    return sorted({node.op: index for index, node in enumerate(computation.nodes)}.values())


def test_leaves_of_a_node_of_each_op_follow_from_their_steps(right):
    computation = right.computation
    for index in one_of_each_op(computation):
        node = computation.nodes[index]
        for leaf in sorted({0, leaves(node) - 1}):
            made = []
            for at, step in enumerate(computation.steps(index, leaf)):
                assert len(step.sources) <= SOURCES and step.words <= LEAF and step.macs <= WORK
                given = [made[s] if isinstance(s, int) else leaf_of(right.output(s[0]), s[1]) for s in step.sources]
                made.append(computation.recompute(index, leaf, at, given))
                assert made[-1] is not None, (node, step.kind)
            assert (made[-1] == leaf_of(right.output(index), leaf)).all(), node


@pytest.mark.parametrize("op", ["layer_norm", "geglu", "full_attention", "text_embedding", "combine", "scale"])
def test_a_cheat_loses_where_it_cheated(right, judged, op):
    nodes = right.computation.nodes
    node = max(index for index, each in enumerate(nodes) if each.op == op)
    wrong = right.copy()
    flip(wrong, node, nodes[node].words - 1)
    assert judged(wrong, right).verdict.node == node
    if op in ("layer_norm", "geglu"):
        step = len(right.computation.steps(node, 0)) - 1
        assert judged(with_wrong_step(right.copy(), node, 0, step), right).verdict.step == step


def dispute_in(at, mine, other, judged):
    """How many passes are run again in a dispute over a node amid step ``at``'s UNet; words kept, and of all nodes."""
    computation = mine.computation
    node = next(
        index for index, each in enumerate(computation.nodes) if each.name == f"eps {at:02d}.mid_block.resnets.0"
    )
    flip(other, node, 3)
    computation.backend.runs.clear()
    assert judged(other, mine).verdict.node == node
    begun = next(index for index, each in enumerate(computation.passes) if each.name == f"eps {at:02d}")
    wanted = computation.passes[begun]
    for graph, inputs in computation.backend.runs:
        assert graph is wanted.graph and np.array_equal(inputs["step"], wanted.given["step"])
    sizes = [each.rows * each.words for each in computation.nodes]
    return len(computation.backend.runs), sum(sizes[each] for each in computation.kept), sum(sizes)


def test_a_dispute_in_a_step_replays_none_before_it(right, judged):
    runs, kept, whole = dispute_in(3, record(picture("sd-turbo", 4)), right.copy(), judged)
    assert 1 <= runs <= 2 and kept * 100 < whole


@pytest.mark.slow
def test_a_dispute_in_step_17_of_20_does_not_replay_16(judged, capsys):
    mine, other = record(picture("sdxl", 20)), record(picture("sdxl", 20), keep_all=True)
    runs, kept, whole = dispute_in(17, mine, other, judged)
    with capsys.disabled():
        print(f"\n{runs} passes run again; {kept:,} words kept of {whole:,}")
    assert 1 <= runs <= 2 and kept * 100 < whole
