"""How long a dispute over a picture of Stable Diffusion XL may last, from its passes without their numbers."""

from types import SimpleNamespace

import pytest

from inference.models import configurations
from inference.models.diffusion.latent import LatentDiffusion
from inference.picture import LatentPicture
from verification.computation import LEAF, SOURCES, WORK
from verification.trace import leaves

SIZE, STEPS, LEVELS = 1024, 30, 2
BEGIN, END = 49406, 49407


@pytest.fixture(scope="module")
def planned():
    model = LatentDiffusion("sdxl", configurations.named("sdxl"), None, "exact", SIZE)
    text = dict.fromkeys(model.encoders, [BEGIN] + 76 * [END])
    passes = model.passes(text, text, guidance=5.0, steps=STEPS, seed=1)
    return LatentPicture(SimpleNamespace(model=model.model), passes, {}, model_digest="0" * 64)


def kinds(computation):
    """A node of each op, attributes and shapes."""
    found = {}
    for index, node in enumerate(computation.nodes):
        of, name = computation._of(index)
        graph = computation.passes[of].graph
        own = graph.nodes[name]
        shapes = tuple(graph.nodes[source]["shape"] for source in own["inputs"])
        found.setdefault((node.op, own["shape"], shapes, *sorted(own["attributes"].items())), index)
    return list(found.values())


def rounds(count):
    """Of a descent to one of so many."""
    return -(-(count - 1).bit_length() // LEVELS)


@pytest.mark.slow
def test_a_dispute_over_a_picture_of_sdxl(planned):
    """The row of docs/pictures.md; a step is within what a referee computes, wherever the dispute ends."""
    assert len(planned.nodes) == 302_388 and max(map(leaves, planned.nodes)) == 32_768
    longest, most = 0, 0
    for node in kinds(planned):
        count = leaves(planned.nodes[node])
        for leaf in {0, count // 2, count - 1}:
            steps = planned.steps(node, leaf)
            assert all(step.macs <= WORK and step.words <= LEAF and len(step.sources) <= SOURCES for step in steps)
            longest, most = max(longest, rounds(count) + rounds(len(steps))), max(most, len(steps))
    assert (rounds(len(planned.nodes)), longest, most) == (10, 15, 18_924)
    assert WORK / planned.macs < 1e-9
    kept = sum(planned.nodes[node].rows * planned.nodes[node].words for node in planned.kept)
    assert kept < 12e6
