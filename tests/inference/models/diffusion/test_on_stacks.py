"""Reduced models give one digest on every stack: two steps in integers, 8 × 8 pixels."""

import pytest
from small_diffusion import DIGESTS, diffusion, passes

from inference.device import adapters
from inference.device.runtime import Runtime
from inference.generate import digest_of
from inference.picture import run
from inference.reference import Reference

STACKS = adapters.stacks()
DAWN = [stack for stack in STACKS if stack[0] == "dawn" and not adapters.is_swiftshader(stack[1])][:1]


def digest(name, opened):
    """Of the picture, as ``inference picture`` prints it."""
    model = diffusion(name, "exact", 8)
    backend = Reference(model.model) if opened is None else Runtime(model.model, opened)
    *_, (_, last) = run(backend, passes(model, 2))
    return digest_of(*last.values())[:16]


@pytest.mark.parametrize("name", DIGESTS)
@pytest.mark.skipif(not DAWN, reason="no adapter of Dawn")
def test_a_picture_has_its_digest_on_dawn(name, device):
    assert digest(name, device(DAWN[0], 16)) == DIGESTS[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", DIGESTS)
@pytest.mark.parametrize("where", [None, *STACKS], ids=lambda where: "numpy" if where is None else " ".join(where))
def test_one_digest_on_every_stack(name, where, device):
    assert digest(name, where and device(where, 64)) == DIGESTS[name]
