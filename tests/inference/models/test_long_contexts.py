"""Models of long contexts in exact arithmetic: as many positions as attention is proven for, the same bits anywhere."""

from dataclasses import replace

import numpy as np
import pytest
from architecture_files import drawn, write_directory

from inference.arithmetic.formats import BLOCKS, POSITIONS
from inference.device.runtime import Runtime
from inference.errors import InputError
from inference.files.reading import read_model
from inference.held import Held
from inference.models.llama import check, graph, model
from inference.reference import Reference


@pytest.fixture(scope="module", params=["llama", "gemma3"])
def made(request, tmp_path_factory):
    """A model whose files say 200,000 positions, the second with windows in some of its layers."""
    config, tensors = drawn(request.param, max_position_embeddings=200_000)
    return model("long", read_model(write_directory(tmp_path_factory.mktemp("hf"), config, tensors)), "exact")


def test_the_context_is_the_file_s_up_to_sixteen_blocks(made):
    assert made.measures["context"] == BLOCKS * POSITIONS
    check(made)
    rotations = np.zeros((200_000, *made.constants["rotations"].shape[1:]), np.int32)
    more = replace(
        made,
        measures=made.measures | {"context": 200_000},
        constants=made.constants | {"rotations": rotations},
    )
    with pytest.raises(InputError, match="a context of 200000; heads of its width see at most 131072"):
        check(more)


@pytest.mark.any_stack  # its kernels are held against the reference's bits on each
def test_a_token_beyond_a_block_has_the_reference_s_logits(made, stack, device):
    """After a few tokens at the beginning, and nothing between."""
    backends = Reference(made), Runtime(made, device(stack))
    for tokens, first in (([5, 6, 7], 0), ([8, 9], POSITIONS + 700)):
        built = graph(made, len(tokens), capacity=2 * POSITIONS, first=len(tokens) - 1)
        places = np.stack((np.zeros(len(tokens)), first + np.arange(len(tokens))), 1).astype(np.int32)
        inputs = {"tokens": np.array(tokens, np.int32), "places": places}
        expected, found = (backend.run(built, inputs, ["logits"])[0] for backend in backends)
        np.testing.assert_array_equal(found, expected)


def test_a_conversation_that_outgrows_a_block_goes_on(made, stack, device):
    """The caches are moved into larger ones, read by another kernel, which gives the bits of a run from the start."""
    backend, held, wide = Runtime(made, device(stack)), Held(), 2 * POSITIONS
    held.grow(backend, 200)
    places = np.stack((np.zeros(3), np.arange(3)), 1).astype(np.int32)
    inputs = {"tokens": np.array([5, 6, 7], np.int32), "places": places}
    backend.run(graph(made, 3, capacity=held.capacity), inputs, ["logits"])
    held.graphs["one"] = graph(made, 1, capacity=held.capacity)
    held.take([5, 6, 7], b"", ends_chunk=False)
    held.grow(backend, POSITIONS + 1)
    assert held.capacity == wide
    last = {"tokens": np.array([8], np.int32), "places": np.array([[0, 3]], np.int32)}
    [found] = backend.run(graph(made, 1, capacity=wide), last, ["logits"])
    reference = Reference(made)
    reference.run(graph(made, 3, capacity=256), inputs, ["logits"])
    [expected] = reference.run(graph(made, 1, capacity=256), last, ["logits"])
    np.testing.assert_array_equal(found, expected)
