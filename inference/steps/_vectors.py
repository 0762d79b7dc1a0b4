"""Vectors of every kind of step, for other languages: ``python -m inference.steps._vectors`` writes ``vectors.json``.

``vectors`` are steps with the words of their sources and what they give, in base64 of little-endian words; of each
constant that they read, rows, columns and the tiles read, as words too. Where ``result`` is null the step is refused.
``sizes`` are numbers of sources, words and multiply-accumulates, and whether a step of them may be made.
"""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inference import ops
from inference.arithmetic import tables
from inference.arithmetic.fixed_point import BoundError
from inference.derivation import Constant, Operand
from inference.outputs import committed
from inference.steps import LEAF, ROWS, SOURCES, WORK, Step, Words, result
from inference.steps._operands import Tiles

FILE = "vectors.json"
PUBLIC = ("places", "draws", "seed")
"""Inputs of ops that everybody knows."""
Arrays = Mapping[str, npt.NDArray[Any]]
LARGEST, SMALLEST = 2**31 - 1, -(2**31)
MOST = 4
"""Vectors of a kind, good ones and refused."""


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A step, what it read and what it gave."""

    step: Step
    inputs: list[Words]
    constants: Arrays
    words: Words


def walked(op: str, inputs: Arrays, constants: Arrays, attributes: Mapping[str, Any], leaf: int) -> Iterator[Made]:
    """The steps of a leaf of an op's output, the last of which gives it; inputs are committed, but for public ones."""
    arrays = {**inputs, **constants}
    names = [name for name in ops.arguments(op, "exact", attributes) if name in arrays]
    _, words = committed(ops.load(op).shape(*(arrays[name].shape for name in names), **attributes))
    row, chunk = divmod(leaf, -(-words // LEAF))

    def operand(node: int, name: str) -> Any:
        if name in constants:
            return Constant(name, constants[name].shape)
        if name in PUBLIC:
            return inputs[name]
        first = int(inputs["places"][row, 0]) * attributes["capacity"] if name == "cache" else 0
        return Operand(committed(inputs[name].shape)[1], lambda at: (node, first + at), inputs[name].shape)

    operands = [operand(node, name) for node, name in enumerate(names)]
    made: list[Words] = []
    start, stop = chunk * LEAF, min(chunk * LEAF + LEAF, words)
    for step in ops.load(op).derivation(row, start, stop, *operands, **attributes):
        given = [made[s] if isinstance(s, int) else leaf_of(inputs[names[s[0]]], s[1]) for s in step.sources]
        made.append(result(step, Tiles(constants), given))
        yield Made(step, given, constants, made[-1])


def leaf_of(output: npt.NDArray[Any], leaf: int) -> Words:
    """A leaf of an output of any shape."""
    rows = output.reshape(committed(output.shape))
    row, chunk = divmod(leaf, -(-rows.shape[1] // LEAF))
    return rows[row, chunk * LEAF :][:LEAF]


def drawn() -> Iterator[Made]:
    """Steps of ops on drawn operands."""
    generator = np.random.default_rng(14)
    for op in ops.names():
        for sizes in ((1, 1, 1), (2, 1, 2), (1, 2, 2)):
            inputs, constants, attributes = ops.load(op).draw(generator, "exact", *sizes)
            yield from walked(op, inputs, constants, attributes, 0)
    for fused in ({"gated": True, "fraction": 11}, {"heads": 2}):
        a, q = generator.integers(-(2**14), 2**14, (1, 64)), generator.integers(0, 16, (32, 64)).astype(np.uint8)
        blocks = generator.integers(-(2**15), 2**15, (32, 2, 2)).astype(np.int16)
        rows = np.stack((generator.integers(2**14, 2**15, 32), generator.integers(5, 9, 32)), axis=1).astype(np.int32)
        places = {"places": np.array([[0, 7]], np.int32)} if "heads" in fused else {}
        last = {"table": tables.rotations(64, 8, 10000.0)} if "heads" in fused else {"curve": tables.silu_curve()}
        inputs, constants = {"a": a.astype(np.int32), **places}, {"q": q, "blocks": blocks, "rows": rows, **last}
        yield from walked("matmul_q4", inputs, constants, {"bits": 0, **fused}, 0)


def beyond_a_tile() -> Iterator[Made]:
    """Products whose windows lie in several tiles, not in the first."""
    generator = np.random.default_rng(15)
    a = generator.integers(-1000, 1000, 64).astype(np.int32)
    for kind, shape in (("product_q4", (40, 34, 2)), ("product_q8", (40, 34)), ("product_k", (40, 34, 3))):
        q = generator.integers(0, 16, (40, 1088)).astype(np.int8)
        constants: dict[str, npt.NDArray[Any]] = {
            "q": q,
            "blocks": generator.integers(-(2**15), 2**15, shape).astype(np.int16),
        }
        numbers = {"q": "q", "blocks": "blocks", "rows": [30, 36], "columns": [1024, 1088], "bits": 0}
        step = Step(kind, (0,), numbers, 6, 6 * 64)
        yield Made(step, [a], constants, result(step, Tiles(constants), [a]))


def of_blocks() -> Iterator[Made]:
    """Merges of two blocks of positions, the first of which weighs little, each head's otherwise."""
    generator = np.random.default_rng(16)
    inputs = {"q": generator.integers(-(2**8), 2**8, (1, 96)), "cache": generator.integers(-(2**8), 2**8, (8200, 64))}
    inputs["cache"][:8192, :32] -= inputs["q"][0, :32]
    attributes = {"heads": 3, "kv_heads": 1, "capacity": 8200, "mantissa": 2**14, "shift": 9, "value_shift": 7}
    given = {name: words.astype(np.int32) for name, words in inputs.items()}
    given["places"] = np.array([[0, 8199]], np.int32)
    for made in walked("attention", given, {"exponential": tables.exponential()}, attributes, 0):
        if made.step.kind == "merge":
            yield made


def at_an_end() -> Iterator[Made]:
    """A threshold that is the end of the first of two spans: it lies in the second."""
    word, sums, top = np.array([5], np.int32), np.full(2, 2**15, np.int32), np.array([5, 0], np.int32)
    constants: Arrays = {"exponential": tables.exponential()}
    numbers = {"draw": 2**31, "mantissa": 2**14, "shift": 8, "drop": 3, "table": "exponential"}
    for span in (0, 1):
        step = Step("draw", (0, 1, 2), {**numbers, "first": span}, 1, 1)
        yield Made(step, [sums, top, word], constants, result(step, Tiles(constants), [sums, top, word]))


def other() -> Iterator[Made]:
    """Kinds and inputs that no op above has: null choices, sums without a sign, ends of the range."""
    null, word = np.empty(0, np.int32), np.array([7], np.int32)
    ends = np.array([LARGEST, SMALLEST, -1, 0, 5, -1], np.int32)
    halves = np.array([SMALLEST, SMALLEST + 1, 1, 2, SMALLEST, LARGEST], np.int32)
    for kind, inputs, numbers, words in (
        ("tokens", [word, null, word + 1], {}, 3),
        ("tokens", [np.array([3, 9], np.int32)], {}, 1),
        ("concatenate", [ends, word], {"parts": [[1, 0, 1], [0, 2, 5], [0, 0, 1]]}, 5),
        ("sum", [ends[:4], ends[4:]], {"rows": 2, "unsigned": 0}, 2),
        ("sum", [halves[:3]], {"rows": 3, "unsigned": 1}, 3),
        ("sum", [halves[5:], halves[4:5]], {"rows": 1, "unsigned": 1}, 1),
        ("maximum", [ends, halves], {"rows": 3, "absolute": 0}, 3),
        ("maximum", [ends[2:], ends[:1]], {"rows": 1, "absolute": 1}, 1),
        ("largest", [np.array([5, 1, 9, 2], np.int32), np.array([9, 3], np.int32)], {}, 2),
        ("span_maxima", [ends, ends[1:]], {"first": 2048}, 4),
    ):
        step = Step(kind, tuple(range(len(inputs))), numbers, words, sum(map(len, inputs)))
        yield Made(step, inputs, {}, result(step, Tiles({}), inputs))


CHANGES: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "add": [{"x": [[0, 0, 1]], "other": [[0, 0, 2]]}],
    "head_norm": [{"part": [0, 2**10]}],
    "concatenate": [{"parts": [[0, 0, 2**10 + 1]]}, {"parts": [[8, 0, 1]]}],
    "sum": [{"rows": 7}],
    "embedding": [{"token": -1}, {"token": 2**20}, {"columns": [0, 2**20]}],
    "text_embedding": [{"token": -1}, {"place": 2**20}, {"columns": [0, 2**20]}],
    "rotation": [{"first": 1}, {"position": 2**20}],
    "gate": [{"group": 3}],
    "product_q4": [{"rows": [0, 2**20]}, {"columns": [16, 48]}],
    "product_q8": [{"rows": [0, 2**20]}, {"columns": [16, 48]}],
    "product_k": [{"rows": [0, 2**20]}, {"columns": [16, 48]}],
    "requantise": [{"range": [0, 2**20]}],
    "mix": [{"columns": [0, 2**10]}],
    "attend": [{"part": [0, 2**10]}],
    "merge": [{"blocks": [1, 3]}, {"part": [0, 2**10]}],
    "draw": [{"first": 2**10}],
}
"""Numbers, by kind, that fit no inputs."""


def refused(made: Made) -> Iterator[Made]:
    """A step with numbers and inputs that no honest run gives: windows and pieces outside, null and extreme words."""
    step, none = made.step, np.empty(0, np.int32)
    tries = [(replace(step, words=step.words % LEAF + 1), made.inputs)]
    tries += [(replace(step, numbers={**step.numbers, **change}), made.inputs) for change in CHANGES.get(step.kind, [])]
    for at, words in enumerate(made.inputs):
        extremes = [
            none,
            *(np.full_like(words, value) for value in (LARGEST, SMALLEST, 0, -1)),
            np.append(words, words),
        ]
        tries += [(step, [*made.inputs[:at], other, *made.inputs[at + 1 :]]) for other in extremes]
    tries.append((step, [np.full_like(words, LARGEST) for words in made.inputs]))
    for changed, inputs in tries:
        try:
            result(changed, Tiles(made.constants), inputs)
        except BoundError:
            yield Made(changed, inputs, made.constants, none)


@dataclass(slots=True)
class Seen:
    """Constants whose tiles are noted as they are read."""

    constants: Tiles
    read: dict[str, set[int]] = field(default_factory=dict)

    def shape(self, name: str) -> tuple[int, int]:
        """As of the constants."""
        self.read.setdefault(name, set())
        return self.constants.shape(name)

    def tile(self, name: str, index: int) -> npt.NDArray[np.integer]:
        """As of the constants."""
        self.read.setdefault(name, set()).add(index)
        return self.constants.tile(name, index)


def text(words: npt.NDArray[Any]) -> str:
    """Words in base64."""
    return b64encode(np.ascontiguousarray(words, "<i4").tobytes()).decode()


def vector(made: Made, *, good: bool = True) -> dict[str, Any]:
    """A step as JSON."""
    seen = Seen(Tiles(made.constants))
    try:
        result(made.step, seen, made.inputs)
    except BoundError:
        assert not good
    constants = {}
    for name, tiles in sorted(seen.read.items()):
        rows, columns = seen.constants.shape(name)
        words = {str(index): text(seen.constants.tile(name, index)) for index in sorted(tiles)}
        constants[name] = {"rows": rows, "columns": columns, "tiles": words}
    return {
        "kind": made.step.kind,
        "numbers": dict(made.step.numbers),
        "inputs": [text(words) for words in made.inputs],
        "constants": constants,
        "words": made.step.words,
        "result": text(made.words) if good else None,
    }


def content() -> dict[str, Any]:
    """All of the file: a few good vectors of each kind, those refused that the first of them and the last give."""
    good: dict[str, list[Made]] = {}
    for made in [*other(), *at_an_end(), *beyond_a_tile(), *drawn(), *of_blocks()]:
        of_kind = good.setdefault(made.step.kind, [])
        if len(of_kind) < MOST:
            of_kind.append(made)
    vectors = [vector(made) for _, of_kind in sorted(good.items()) for made in of_kind]
    bad = [list(refused(of_kind[-1])) for _, of_kind in sorted(good.items())]
    vectors += [vector(made, good=False) for of_kind in bad for made in of_kind[:MOST]]
    edges = [(SOURCES, LEAF, WORK), (0, 1, 0), (SOURCES + 1, 1, 0), (1, LEAF + 1, 0), (1, 0, 0), (1, 1, WORK + 1)]
    sizes = [{"sources": s, "words": w, "macs": m, "made": at < 2} for at, (s, w, m) in enumerate(edges)]
    return {"tile": {"rows": ROWS, "columns": LEAF}, "sizes": sizes, "vectors": vectors}


if __name__ == "__main__":
    Path(str(files("inference.steps") / FILE)).write_text(json.dumps(content(), separators=(",", ":")) + "\n")
