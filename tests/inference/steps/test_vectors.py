"""The file of vectors: made anew it is the same, and read as another language reads it, every vector holds."""

import json
from base64 import b64decode
from contextlib import suppress
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.arithmetic.fixed_point import BoundError, check
from inference.steps import LEAF, ROWS, SOURCES, WORK, Step, _vectors, kinds, load, result

CONTENT = json.loads((files("inference.steps") / _vectors.FILE).read_text())
VECTORS = CONTENT["vectors"]
ANY = st.integers(-(2**31), 2**31 - 1)


def words(text):
    return np.frombuffer(b64decode(text), "<i4").astype(np.int32)


class Given:
    """The constants of a vector; tiles that it has not are refused."""

    def __init__(self, constants):
        self.constants = constants

    def shape(self, name):
        return self.constants[name]["rows"], self.constants[name]["columns"]

    def tile(self, name, index):
        rows, columns = self.shape(name)
        across = -(-columns // LEAF)
        assert 0 <= index < across * -(-rows // ROWS)
        check(str(index) in self.constants[name]["tiles"], "a tile is not given")
        left, top = index % across * LEAF, index // across * ROWS
        return words(self.constants[name]["tiles"][str(index)]).reshape(
            min(ROWS, rows - top), min(LEAF, columns - left)
        )


def test_the_file_is_what_the_reference_gives():
    assert _vectors.content() == CONTENT


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_has_vectors_that_hold(kind):
    of_kind = [each for each in VECTORS if each["kind"] == kind]
    for each in of_kind:
        inputs = [words(text) for text in each["inputs"]]
        step = Step(kind, tuple(range(len(inputs))), each["numbers"], each["words"], 0)
        if each["result"] is None:
            with pytest.raises(BoundError):
                result(step, Given(each["constants"]), inputs)
        else:
            found = result(step, Given(each["constants"]), inputs)
            assert (found == words(each["result"])).all() and len(found) == each["words"]
    good = sum(each["result"] is not None for each in of_kind)
    assert good >= 2 and len(of_kind) > good and load(kind).__doc__


@given(st.data())
def test_whatever_the_inputs_are_they_are_taken_or_refused(data):
    """Who agreed to wrong words must not make a referee fail: an exception of another kind would decide nothing."""
    each = data.draw(st.sampled_from(VECTORS))
    inputs = []
    for given_words in map(words, each["inputs"]):
        size = data.draw(st.sampled_from((0, len(given_words))))
        kept = data.draw(st.booleans())
        low, high = sorted(data.draw(st.tuples(ANY, ANY)))
        other = np.random.default_rng(size).integers(low, high + 1, size).astype(np.int32)
        inputs.append(given_words if kept else other)
    step = Step(each["kind"], tuple(range(len(inputs))), each["numbers"], each["words"], 0)
    with suppress(BoundError):
        found = result(step, Given(each["constants"]), inputs)
        assert found.dtype == np.int32 and found.shape == (step.words,)


def test_a_step_beyond_a_size_cannot_be_made():
    for each in CONTENT["sizes"]:
        made = {"sources": (0,) * each["sources"], "words": each["words"], "macs": each["macs"]}
        if each["made"]:
            Step("sum", numbers={}, **made)
        else:
            with pytest.raises(ValueError, match=f"{SOURCES}, {LEAF} and {WORK} are allowed"):
                Step("sum", numbers={}, **made)
    assert CONTENT["tile"] == {"rows": ROWS, "columns": LEAF}
