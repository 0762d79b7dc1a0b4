"""Embeddings and heads beyond a binding are cut by rows: the same logits, and every leaf derived."""

from dataclasses import replace

import numpy as np
import pytest

from inference.computation import Inference
from inference.device.runtime import Runtime
from inference.files.blocks import concatenate, four_bits
from inference.generate import generate
from inference.models import _decoder
from inference.models.llama import check, model
from inference.models.tiny import tiny
from inference.reference import Reference

ROWS = 1024
IDS = [3, 1023, 1024, 2559, 2048, 0]


@pytest.fixture(scope="module", params=["tied", "of its own", "tied, of 4 bits"])
def wide(request):
    """The tiny model with ten times its vocabulary."""
    read = tiny()
    table = concatenate([tiny(seed).matrices["embedding"] for seed in range(10)])
    if "4 bits" in request.param:
        table = four_bits(table.matrix())
    head = (
        table if "tied" in request.param else concatenate([tiny(seed).matrices["embedding"] for seed in range(10, 20)])
    )
    return replace(read, vocabulary=2560, matrices={**read.matrices, "embedding": table, "head": head})


@pytest.fixture
def divided(wide, monkeypatch):
    """The whole model, and that in parts, by arithmetic."""

    def divided(arithmetic):
        whole = model("wide", wide, arithmetic)
        monkeypatch.setattr(_decoder, "LARGEST_TABLE", ROWS * wide.width)
        return whole, model("wide", wide, arithmetic)

    return divided


@pytest.mark.parametrize("arithmetic", ["exact", "float32"])
def test_parts_give_the_logits_of_the_whole(divided, arithmetic):
    whole, parts = divided(arithmetic)
    assert [len(parts.constants[f"embedding{of}.q"]) for of in ("", ".1", ".2")] == [1024, 1024, 512]
    found = [generate(Reference(each), IDS, limit=3) for each in (whole, parts)]
    assert found[0].digest == found[1].digest
    check(parts)


def test_a_device_runs_parts(divided, stack, device):
    _, parts = divided("exact")
    assert (
        generate(Runtime(parts, device(stack)), IDS, limit=2).digest == generate(Reference(parts), IDS, limit=2).digest
    )


def test_every_leaf_of_a_pass_is_derived(divided):
    _, parts = divided("exact")
    check_leaves(
        Inference(Reference(parts), IDS, limit=1),
        ("embedding", "embedding_q4", "add", "join", "matmul_q8", "matmul_q4"),
    )


def check_leaves(computation, ops):
    """Every leaf of the outputs of these ops is what its steps give."""
    words = {}

    def observe(first, outputs):
        words.update((first + at, output.reshape(outputs.shapes[at])) for at, (_, output) in enumerate(outputs.items()))

    computation.run(observe)
    for index, node in enumerate(computation.nodes):
        if node.op not in ops:
            continue
        each = -(-node.words // 1024)
        for leaf in range(node.rows * each):
            made = []
            for at, step in enumerate(computation.steps(index, leaf)):
                given = [made[of] if isinstance(of, int) else leaf_of(computation, words, of) for of in step.sources]
                made.append(computation.recompute(index, leaf, at, given))
            np.testing.assert_array_equal(made[-1], leaf_of(computation, words, (index, leaf)))


def leaf_of(computation, words, source):
    node, leaf = source
    row, chunk = divmod(leaf, -(-computation.nodes[node].words // 1024))
    return words[node][row, chunk * 1024 :][:1024]
