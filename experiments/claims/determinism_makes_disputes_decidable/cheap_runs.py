"""Runs that cost a provider less than the model it was asked for: what a referee must find wrong (section 5)."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from experiments.claims.determinism_makes_disputes_decidable.float32_disputes import Patch, Trace, record
from inference.model import Checkpoint, Model, layer
from inference.models.llama import model
from inference.outputs import Array
from inference.reference import Reference

MANTISSA = {"float16": 10, "bfloat16": 7}
PRODUCTS = ("qkv", "output", "gate_up", "down", "logits")
CHOICES = ("maxima", "choice")


def cheap_runs(llama: Checkpoint, true: Model, prompt: list[int], limit: int) -> Iterator[tuple[str, Trace]]:
    """What is saved, and the trace in numpy, in the arithmetic of the true model; one at a time, for they are large."""
    reference = Reference(true)
    yield "the last layer left out", record(reference, prompt, limit, patch=skip(llama.layers - 1))
    coarse = Reference(model(true.name, coarser(llama), true.arithmetic))
    yield "4-bit weights without their lowest bit", record(coarse, prompt, limit)
    del coarse
    if true.arithmetic == "exact":
        yield "outputs without their lowest bit", record(reference, prompt, limit, patch=rounded(lambda y: y & ~1))
        return
    for name, bits in MANTISSA.items():
        for which, parts in (("outputs", ()), ("products", PRODUCTS)):
            cheaper = rounded(to_mantissa(bits), parts)
            yield f"{which} rounded to {name}", record(reference, prompt, limit, patch=cheaper)


def skip(index: int) -> Patch:
    """A layer whose outputs are the stream as it entered."""
    entered: dict[str, Array] = {}

    def patch(name: str, output: Array) -> Array | None:
        if name == f"{layer(index - 1)}.down":
            entered["x"] = output.copy()
        return entered["x"] if name in (f"{layer(index)}.output", f"{layer(index)}.down") else None

    return patch


def coarser(llama: Checkpoint) -> Checkpoint:
    """3-bit weights where the model has 4."""
    matrices = {name: replace(w, q=w.q & 14) if w.op == "matmul_q4" else w for name, w in llama.matrices.items()}
    if llama.matrices["head"] is llama.matrices["embedding"]:
        matrices["head"] = matrices["embedding"]
    return replace(llama, matrices=matrices)


def to_mantissa(bits: int) -> Callable[[Array], Array]:
    """Float32 rounded to the nearest with ``bits`` bits after the point, the exponent's range kept."""

    def cut(y: Array) -> Array:
        mantissa, exponent = np.frexp(y)  # in [1/2, 1)
        return np.ldexp(np.rint(mantissa * 2.0 ** (bits + 1)) / 2.0 ** (bits + 1), exponent).astype(np.float32)

    return cut


def rounded(cut: Callable[[Array], Array], parts: tuple[str, ...] = ()) -> Patch:
    """Outputs cut before they are passed on: all but choices, or those of some parts of a layer."""

    def patch(name: str, output: Array) -> Array | None:
        part = name.rpartition(".")[2]
        return None if part in CHOICES or (parts and part not in parts) else cut(output)

    return patch
