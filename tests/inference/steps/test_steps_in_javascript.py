"""The kinds of steps in JavaScript: what the reference gives and refuses, of stored vectors and of drawn inputs."""

import json
from base64 import b64decode, b64encode
from importlib.resources import files

import engines
import numpy as np
import pytest

from inference.arithmetic.fixed_point import BoundError
from inference.steps import LEAF, ROWS, Step, _vectors, kinds, result

CONTENT = json.loads((files("inference.steps") / _vectors.FILE).read_text())
DRAWN = 12  # inputs for each vector


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


def test_every_kind_is_a_module_in_both_languages():
    here = {path.name.removesuffix(".js") for path in files("inference.steps").iterdir() if path.name.endswith(".js")}
    assert here == {*kinds(), "_operands"}


@pytest.mark.parametrize("engine", ["chromium", "node"])
def test_javascript_gives_what_the_reference_gives(engine):
    if engine not in engines.installed():
        pytest.skip(f"{engine} is not installed")
    others = list(drawn(DRAWN))
    good = sum(each["result"] is not None for each in others)
    assert min(good, len(others) - good) > len(others) / 5
    given = CONTENT | {"vectors": CONTENT["vectors"] + others}
    found = engines.check(engine, "tests/inference/steps/vectors.js", json.dumps(given))
    assert found["failures"] == [] and found["checked"] == len(CONTENT["sizes"]) + len(given["vectors"])
