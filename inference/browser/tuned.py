"""What a page measures to choose kernels for its device: each case's programs, one a variant."""

from typing import Any

from inference.device import export
from inference.device.program import admitted, program
from inference.device.target import Target
from inference.measure.cases import LARGE, NODE, PATIENCE, case, cases

TOLD = 2**12
"""Words of an input, at most, that a page is told; larger ones, and weights, are zeros: integers take as long."""


def listed() -> dict[str, Any]:
    """The cases, and how long a small one may take beside its share of the time before its large one is left out."""
    found = [{"of": f"{op} {arithmetic} {tokens}", "large": size == LARGE} for op, arithmetic, tokens, size in cases()]
    return {"cases": found, "patience": PATIENCE / 16}


def measured(index: int, target: Target) -> dict[str, Any]:
    """A case by its place in the list: its name, inputs by buffer, bytes of weights, and programs by variant."""
    of = case(*list(cases())[index])
    variants = admitted(of.graph, NODE, target)
    made = {}
    for variant in variants if len(variants) > 1 else ():
        made[variant] = program(of.graph, target, choose=lambda *_, variant=variant: variant, keep=frozenset([NODE]))
    packs = {key: value for each in made.values() for key, value in each.weights.items()}
    return {
        "case": of.name,
        "inputs": {f"input {name}": words.ravel().tolist() for name, words in of.given.items() if words.size <= TOLD},
        "weights": {key: pack(of.constants[name]).nbytes for key, (name, pack) in packs.items()},
        "variants": {variant: export.as_json(of.graph, each, ()) for variant, each in made.items()},
    }
