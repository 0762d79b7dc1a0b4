"""Exported programs: whatever a kernel declares is bound, and what is read back stays."""

from itertools import chain

import numpy as np
import pytest

from inference.device import export
from inference.device.program import program
from inference.device.target import DOT4, Target
from inference.kernels import kernel
from inference.models.llama import graph


@pytest.mark.parametrize("arithmetic", ["exact", "float32"])
@pytest.mark.parametrize("tokens", [1, 9])
@pytest.mark.parametrize("target", [Target(64, True, frozenset([DOT4])), Target(64), Target(16, True)])
def test_a_program_binds_every_variable_of_its_kernels(tiny_model, arithmetic, tokens, target):
    model = tiny_model(arithmetic)
    built = graph(model, tokens, capacity=16, first=tokens - 1)
    made = program(built, target, keep=frozenset(export.OUTPUTS))
    weights = export.weights(model)
    described_steps = chain.from_iterable(export.as_json(built, made)["dispatches"])
    for each, described in zip(chain.from_iterable(made.steps), described_steps, strict=True):
        code = kernel(arithmetic, each.op, each.variant)
        bound = {int(number) for number in described["bindings"]}
        assert bound == {code.bindings[name] for name in code.used(each.entry) - {"params"}}
        assert all(name in made.sizes or name in weights for name in described["bindings"].values())
        assert f"fn {each.entry}(" in code.code and len(each.parameters) % 16 == 0


def test_a_kept_output_is_overwritten_by_nobody(tiny_model):
    built = graph(tiny_model("exact"), 9, capacity=16)
    made = program(built, Target(64), keep=frozenset(["layer00.query"]))
    kept = made.outputs["layer00.query"]
    writers = [name for name, buffer in made.outputs.items() if buffer == kept]
    assert writers[-1] == "layer00.query"
    assert made.sizes[kept] >= 4 * np.prod(built.nodes["layer00.query"]["shape"])
