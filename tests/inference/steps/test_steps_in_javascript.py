"""The kinds of steps in JavaScript: what the reference gives and refuses, of stored vectors and of drawn inputs."""

import json
from base64 import b64decode, b64encode
from importlib.resources import files

import engines
import numpy as np
import pytest

from inference.arithmetic.fixed_point import BoundError
from inference.steps import LEAF, ROWS, Step, _vectors, kinds, result
from inference.steps._operands import Tiles

CONTENT = json.loads((files("inference.steps") / _vectors.FILE).read_text())
DRAWN = 15  # inputs for each vector


def text(words):
    return b64encode(words.astype("<i4").tobytes()).decode()


def words(text):
    return np.frombuffer(b64decode(text), "<i4").astype(np.int32)


class Given:
    """The constants of a vector."""

    def __init__(self, constants):
        self.constants = constants

    def shape(self, name):
        return self.constants[name]["rows"], self.constants[name]["columns"]

    def tile(self, name, index):
        rows, columns = self.shape(name)
        down, over = divmod(index, -(-columns // LEAF))
        return words(self.constants[name]["tiles"][str(index)]).reshape(
            min(ROWS, rows - down * ROWS), min(LEAF, columns - over * LEAF)
        )


def other_words(generator, given):
    """Some words of an input, or all, replaced by ones of any size, extremes, or none."""
    largest = 2 ** int(generator.integers(1, 32))
    drawn = generator.integers(-largest, largest, given.size, endpoint=True).clip(-(2**31), 2**31 - 1)
    drawn = [drawn, *(np.full(given.size, value) for value in (-(2**31), 2**31 - 1, 0, drawn[:1].sum()))]
    changed = generator.random(given.size) < generator.choice([0.02, 0.2, 1])
    words = np.where(changed, drawn[generator.choice(5, p=[0.6, 0.1, 0.1, 0.1, 0.1])], given).astype(np.int32)
    return words[: given.size - int(generator.choice([0, 1, given.size], p=[0.94, 0.03, 0.03]))]


def other_numbers(generator, numbers):
    """A shift, a position or a scale of a step replaced by another."""
    names = [
        name for name in numbers if name.endswith("shift") or name in ("position", "mantissa", "constant", "first")
    ]
    return numbers | {
        name: numbers[name] + int(generator.integers(-20, 20)) for name in generator.permutation(names)[:1].tolist()
    }


def other_constant(generator, constants):
    """All numbers of a constant's tiles made as large as 16 bits are."""
    name = str(generator.choice(list(constants)))
    factor = 2**15 / max(1, *(int(np.abs(words(tile)).max()) for tile in constants[name]["tiles"].values()))
    tiles = {index: text((words(tile) * factor).astype(np.int32)) for index, tile in constants[name]["tiles"].items()}
    return constants | {name: constants[name] | {"tiles": tiles}}


def drawn(number):
    """So many vectors for each one stored that is good, with other inputs, numbers or constants, and what the reference
    gives of them."""
    generator = np.random.default_rng(16)
    for vector in [each for each in CONTENT["vectors"] if each["result"] is not None for _ in range(number)]:
        inputs, numbers, constants = [words(each) for each in vector["inputs"]], vector["numbers"], vector["constants"]
        for at in range(len(inputs)):
            if generator.random() < 0.6:
                inputs[at] = other_words(generator, inputs[at])
        if generator.random() < 0.1:
            numbers = other_numbers(generator, numbers)
        if generator.random() < 0.2 and any(each["tiles"] for each in constants.values()):
            constants = other_constant(generator, constants)
        step = Step(vector["kind"], tuple(range(len(inputs))), numbers, vector["words"], 0)
        try:
            found = text(result(step, Given(constants), inputs))
        except BoundError:
            found = None
        except (LookupError, ValueError):
            continue  # numbers that are no step's, or a tile that the vector has not
        changed = {"numbers": numbers, "constants": constants, "inputs": [text(each) for each in inputs]}
        yield vector | changed | {"result": found}


NORM = {"columns": [0, 2], "gain": "g", "square_shift": 8, "constant": 2**29, "epsilon": 90, "root_shift": 16}
HEADS = {"heads": [0, 1], "group": 1}
EDGES = [
    *(
        ("normalise", NORM | {"gain_shift": 15} | numbers, {"g": gain}, [[largest], [total], x])
        for numbers in (
            {},
            {"constant": 2**30},
            {"constant": 2**32 - 16384},
            {"epsilon": 2**32 - 1},
            {"root_shift": 8},
            {"square_shift": 7},
        )
        for gain in ([2**14, -(2**14)], [2**20, 1])
        for largest in (0, 1024, 2**30 - 1, 2**30, 2**31 - 1, -1)
        for total in (0, 2**14, 2**30, -1)
        for x in ([largest, -largest], [2**12, 0], [-(2**12), 1])
    ),
    *(
        ("squares", {"square_shift": shift}, {}, [[largest], x])
        for shift in (1, 8)
        for largest in (0, 2**11, 2**20, 2**31 - 1, -1)
        for x in ([largest, -largest], [4 * largest - 1], [3 * largest // 2, 1], [2**15] * 8, [-(2**31)])
    ),
    *(
        ("scores", HEADS | {"query": [[0, 0, 2]], "keys": [[[1, 0, 2]]]}, {}, [query, key])
        for query in ([2**31 - 1, 2**31 - 1], [-(2**31), 1], [2**30, 2**30])
        for key in ([1, -1], [2, -2], [1, 0], [-1, 0], [1, 1], [-1, -1], [2**31 - 1, -(2**31)])
    ),
    *(
        (
            "mix",
            HEADS | {"columns": [0, 2], "values": [[[1, 0, 1]], [[1, 1, 2]]], "part": [0, 1]},
            {},
            [weights, values],
        )
        for weights in ([2**15, 2**15], [2**16, 1], [1, 1])
        for values in ([2**16, -(2**16)], [2**15, 0], [2**31 - 1, 1], [2**31 - 1, -(2**31)], [-(2**15), -(2**15)])
    ),
    *(
        ("rotation", {"x": [[0, 0, 2]], "first": 0, "rotated": 2, "table": "t", "position": 0}, {"t": turn}, [x])
        for turn in ([2**14, 0], [11585, -11585], [2**15, 2**15], [0, -(2**14)])
        for x in ([2**17 - 1, 0], [2**17, 0], [2**16, 2**16], [-(2**17), 2**17], [2**31 - 1, 1], [3, -5])
    ),
    *(
        (
            "requantise",
            {"x": [[0, 0, 1]], "rows": "r", "range": [0, 1], "bits": 0, **residual},
            {"r": scale},
            [x, other],
        )
        for residual in ({"residual": [[1, 0, 1]], "residual_shift": 0}, {"residual": [], "residual_shift": 0})
        for scale in ([32767, 0], [32767, -1], [1, 3])
        for x in ([2**31 - 1], [-(2**31)], [5])
        for other in ([2**31 - 1], [-(2**31)], [2**30])
    ),
    *(
        ("attend", {"width": 1, "part": [0, 1], "value_shift": shift}, {}, [[total], [x]])
        for shift in (0, 9)
        for total in (1, 2**14, 2**15, 2**16, -1)
        for x in (0, 65535, 65536, 2**24, 2**31 - 1, -(2**31))
    ),
]
"""Kind, numbers, constants of a row, and words of the sources, at the ends of what is taken."""


def at_ends():
    """Their vectors."""
    for kind, numbers, rows, inputs in EDGES:
        constants = {name: np.array([row], np.int32) for name, row in rows.items()}
        constants = {"g": constants["g"][0]} if "g" in constants else constants
        given = [np.array(words, np.int64).astype(np.int32) for words in inputs]
        step = Step(kind, tuple(range(len(given))), numbers, 2 if kind in ("normalise", "rotation") else 1, 0)
        try:
            found = result(step, Tiles(constants), given)
        except BoundError:
            found = None
        words = np.empty(0, np.int32) if found is None else found
        yield _vectors.vector(_vectors.Made(step, given, constants, words), good=found is not None)


def test_every_kind_is_a_module_in_both_languages():
    here = {path.name.removesuffix(".js") for path in files("inference.steps").iterdir() if path.name.endswith(".js")}
    assert here == {*kinds(), "_operands"}


@pytest.fixture(scope="module")
def vectors():
    """All of them."""
    others = [*at_ends(), *drawn(DRAWN)]
    good = sum(each["result"] is not None for each in others)
    assert min(good, len(others) - good) > len(others) / 5
    return CONTENT["vectors"] + others


@pytest.mark.parametrize("engine", ["chromium", "node"])
def test_javascript_gives_what_the_reference_gives(engine, vectors):
    if engine not in engines.installed():
        pytest.skip(f"{engine} is not installed")
    found = engines.check(engine, "tests/inference/steps/vectors.js", json.dumps(CONTENT | {"vectors": vectors}))
    assert found["failures"] == [] and found["checked"] == len(CONTENT["sizes"]) + len(vectors)
