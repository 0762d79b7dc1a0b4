"""Disputes over images in bands: of a small decoder, and of the last resnet of SDXL's decoder at 1024 × 1024."""

import pytest
from large_resnet import LAST, last_resnet
from small_decoder import computation

from inference.device import adapters
from inference.device.device import Device
from inference.device.runtime import Runtime
from inference.models.bands import BAND, BandedLayers
from inference.models.layers import Layers
from inference.reference import Reference
from verification.adversaries.corrupt_trace import flip
from verification.computation import LEAF, SOURCES, WORK
from verification.dispute.party import honest, play
from verification.dispute.record import Proceedings
from verification.dispute.transcript import summary
from verification.trace import leaf_of, leaves, record


@pytest.fixture(scope="module")
def right():
    return record(computation(Reference, BandedLayers, binding=26_000), keep_all=True)


@pytest.fixture(scope="session")
def judged(begun, key, rules):
    """A dispute that the challenger wins."""

    def judged(wrong, right):
        dispute, *_ = begun(right.computation, (wrong.tree.root, right.tree.root), rules=rules())
        play(Proceedings(dispute, key(9)), {"asserter": honest(key(1), wrong), "challenger": honest(key(2), right)})
        assert dispute.verdict.winner == "challenger"
        return dispute

    return judged


def test_leaves_of_bands_follow_from_their_steps(right):
    of = right.computation
    bands = [at for at, node in enumerate(of.nodes) if BAND in node.name or node.op in ("lines", "join")]
    assert {of.nodes[at].op for at in bands} >= {"conv", "lines", "resize", "group_norm", "combine", "group_sums"}
    for index in bands:
        for leaf in sorted({0, leaves(of.nodes[index]) - 1}):
            made = []
            for at, step in enumerate(of.steps(index, leaf)):
                assert len(step.sources) <= SOURCES and step.words <= LEAF and step.macs <= WORK
                given = [made[s] if isinstance(s, int) else leaf_of(right.output(s[0]), s[1]) for s in step.sources]
                made.append(of.recompute(index, leaf, at, given))
            assert (made[-1] == leaf_of(right.output(index), leaf)).all(), of.nodes[index]


def test_the_picture_of_bands_is_that_of_the_whole(right):
    whole = record(computation(Reference, Layers), keep_all=True)
    last = [len(trace.computation.nodes) - 1 for trace in (right, whole)]
    assert (right.output(last[0]) == whole.output(last[1])).all()


@pytest.mark.parametrize("op", ["conv", "lines", "resize", "group_sums", "join"])
def test_a_cheat_in_a_band_loses_there(right, judged, op):
    nodes = right.computation.nodes
    node = max(at for at, each in enumerate(nodes) if each.op == op and (op in ("lines", "join") or BAND in each.name))
    wrong = right.copy()
    flip(wrong, node, nodes[node].words - 1)
    assert judged(wrong, right).verdict.node == node


@pytest.mark.slow
@pytest.mark.skipif(not adapters.stacks(), reason="no WebGPU adapter; make adapter")
def test_a_cheat_in_the_last_resnet_of_a_picture_of_1024_pixels_loses_there(judged, capsys):
    """Tensors of 512 MiB in bands of 64 and more: 5 GiB are committed to and kept."""
    right = record(last_resnet(lambda model: Runtime(model, Device(*adapters.stacks()[0]))), keep_all=True)
    nodes = right.computation.nodes
    for name in ("conv2 band 0512", "conv1 band 0896.of.0.0", "norm2 band 0128"):
        node = next(at for at, each in enumerate(nodes) if each.name == f"resnet.{LAST}.{name}")
        wrong = right.copy()
        flip(wrong, node, 7)
        dispute = judged(wrong, right)
        assert dispute.verdict.node == node
        with capsys.disabled():
            print(f"\n{name}: {leaves(nodes[node]):,} leaves; {summary(dispute)}")
