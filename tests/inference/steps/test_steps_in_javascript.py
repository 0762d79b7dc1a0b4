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


def drawn():
    """Vectors with other inputs, words of any size or none, and what the reference gives of them."""
    generator = np.random.default_rng(16)
    for vector in [each for each in CONTENT["vectors"] if each["result"] is not None for _ in range(DRAWN)]:
        inputs = [words(each) for each in vector["inputs"]]
        at = generator.integers(len(inputs)) if inputs else None
        if at is not None:
            changed = generator.random(inputs[at].size) < generator.choice([0.02, 0.2, 1])
            changed[:1] = True
            largest = 2 ** int(generator.integers(1, 32))
            others = generator.integers(-largest, largest, inputs[at].size).clip(-(2**31), 2**31 - 1)
            inputs[at] = np.where(changed, others, inputs[at]).astype(np.int32)[
                : None if generator.random() < 0.95 else 0
            ]
        step = Step(vector["kind"], tuple(range(len(inputs))), vector["numbers"], vector["words"], 0)
        try:
            found = text(result(step, Given(vector["constants"]), inputs))
        except BoundError:
            found = None
        except (KeyError, ValueError):
            continue  # another tile than the vector has
        yield vector | {"inputs": [text(each) for each in inputs], "result": found}


def test_every_kind_is_a_module_in_both_languages():
    here = {path.name.removesuffix(".js") for path in files("inference.steps").iterdir() if path.name.endswith(".js")}
    assert here == {*kinds(), "_operands"}


@pytest.mark.parametrize("engine", ["chromium", "node"])
def test_javascript_gives_what_the_reference_gives(engine):
    if engine not in engines.installed():
        pytest.skip(f"{engine} is not installed")
    others = list(drawn())
    good = sum(each["result"] is not None for each in others)
    assert min(good, len(others) - good) > len(others) / 5
    given = CONTENT | {"vectors": CONTENT["vectors"] + others}
    found = engines.check(engine, "tests/inference/steps/vectors.js", json.dumps(given))
    assert found["failures"] == [] and found["checked"] == len(CONTENT["sizes"]) + len(given["vectors"])
