"""A resnet of SDXL with its real weights' shapes on a device: committed, its leaves followed, a cheat caught."""

import pytest
from large_resnet import NAME, resnet

from inference.device import adapters
from inference.device.device import Device
from inference.device.runtime import Runtime
from verification.adversaries.corrupt_trace import flip
from verification.dispute.party import honest, play
from verification.dispute.record import Proceedings
from verification.trace import record


@pytest.mark.slow
@pytest.mark.skipif(not adapters.stacks(), reason="no WebGPU adapter; make adapter")
def test_a_cheat_in_a_convolution_over_23_040_terms_loses_there(begun, key, rules):
    right = record(resnet(lambda model: Runtime(model, Device(*adapters.stacks()[0])), 4), keep_all=True)
    node = next(at for at, each in enumerate(right.computation.nodes) if each.name == f"resnet.{NAME}.conv1")
    wrong = right.copy()
    flip(wrong, node, 5)
    dispute, *_ = begun(right.computation, (wrong.tree.root, right.tree.root), rules=rules())
    play(Proceedings(dispute, key(9)), {"asserter": honest(key(1), wrong), "challenger": honest(key(2), right)})
    assert (dispute.verdict.winner, dispute.verdict.node) == ("challenger", node)
