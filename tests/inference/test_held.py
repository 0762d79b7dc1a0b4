"""A run that goes on from what is held gives what a run from the start gives, and computes the new tokens alone."""

import numpy as np
import pytest

from inference.generate import generate
from inference.held import Held
from inference.likeliest import Likeliest
from inference.reference import Reference

TERMS = [{}, {"temperature": 1.3, "seed": 4}, {"temperature": 1.3, "seed": 4, "among": Likeliest(9, 0.9)}]


class Counting(Reference):
    """How many positions were computed."""

    positions = 0

    def run(self, graph, inputs, *arguments, **keywords):
        self.positions += len(inputs["tokens"])
        return super().run(graph, inputs, *arguments, **keywords)


def text(seed, length):
    return np.random.default_rng(seed).integers(0, 256, length).tolist()


@pytest.mark.parametrize("terms", TERMS, ids=["greedy", "drawn", "among"])
def test_a_second_turn_computes_the_new_tokens_alone(tiny_model, terms):
    """Over the end of a chunk and of a cache, which grows."""
    backend, held, ids, known, computed = Counting(tiny_model("exact")), Held(), text(1, 100), 0, 0
    for turn, new in enumerate((40, 5, 130, 1)):
        run = generate(backend, ids, limit=9, held=held, **terms)
        fresh = generate(Reference(tiny_model("exact")), ids, limit=9, **terms)
        assert (run.tokens, run.digest) == (fresh.tokens, fresh.digest)
        expected = len(ids) + len(run.tokens) - 1
        assert backend.positions - computed == expected - known
        known, computed = expected, backend.positions
        ids = ids + run.tokens + text(turn, new)


def test_another_text_is_computed_from_where_it_differs(tiny_model):
    backend, held, ids = Counting(tiny_model("exact")), Held(), text(1, 20)
    generate(backend, ids, limit=3, held=held)
    for other, more in ((ids[:15] + text(2, 9), 9), (ids[:7], 1), (text(3, 6), 6)):
        before = backend.positions
        run = generate(backend, other, limit=1, held=held)
        assert run.tokens == generate(Reference(tiny_model("exact")), other, limit=1).tokens
        assert backend.positions - before == more


def test_what_was_interrupted_is_held_as_far_as_it_came(tiny_model):
    backend, held, ids = Reference(tiny_model("exact")), Held(), text(1, 20)

    def leave(token):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(backend, ids, limit=5, held=held, progress=leave)
    assert held.ids == ids
    assert generate(backend, ids, limit=5, held=held).digest == generate(backend, ids, limit=5).digest


def test_a_device_holds_what_the_reference_holds(tiny_model, stack, device):
    from inference.device.runtime import Runtime

    runtime, held, ids = Runtime(tiny_model("exact"), device(stack)), Held(), text(1, 250)
    for _ in range(2):
        run = generate(runtime, ids, limit=4, held=held)
        assert run.digest == generate(Reference(tiny_model("exact")), ids, limit=4).digest
        ids = ids + run.tokens + text(2, 3)
    assert held.capacity == 512
