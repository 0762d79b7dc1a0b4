"""Pictures of a market: their shape is their run's, cheaper models give others, and what cannot run is refused."""

from hashlib import sha256

import numpy as np
import pytest

from experiments.marketplace.models import request_of
from experiments.marketplace.pictures import CHEAPER, PLACES, TOKENS, Pictures
from verification.dispute.dispute import identity
from verification.errors import Refusal

RAW = Pictures.input([5, 6, 7])


@pytest.fixture(scope="module")
def model():
    return Pictures()


def asked(model, **terms):
    return request_of(model, "0" * 64, **{"limit": 1} | terms)


def test_a_shape_is_that_of_the_run(model):
    for limit in (1, 2):
        run, shape = model.computation(asked(model, limit=limit), RAW), model.shape(asked(model, limit=limit), RAW)
        assert (shape.nodes, shape.graph) == (len(run.nodes), run.digests["graph"])
        assert (shape.rows, shape.words) == (run.nodes[-1].rows, run.nodes[-1].words) == (8, 24)
        assert model.words(asked(model, limit=limit), RAW) == 8 * 24
        assert run.macs >= limit * model.macs / 2 and (run.macs == model.macs) == (limit == 1)


def test_prompt_seed_and_steps_say_which_computation_it_is(model):
    asked_for = [({}, RAW), ({"seed": 1}, RAW), ({"limit": 2}, RAW), ({}, Pictures.input([5, 6, 8]))]
    runs = [model.computation(asked(model, **terms), raw) for terms, raw in asked_for]
    assert len({identity(run) for run in runs}) == 4
    assert [run.digests["input"] == sha256(RAW).hexdigest() for run in runs] == [True, True, True, False]


@pytest.mark.parametrize("how", CHEAPER)
def test_a_cheaper_model_has_the_same_schedule_and_says_it_is_the_right_one(model, how):
    right, cheap = model.computation(asked(model), RAW), model.cheaper(asked(model), RAW, how)
    assert [node.name for node in right.nodes] == [node.name for node in cheap.nodes]
    assert right.digests == cheap.digests
    before, after = right.backend.model.constants, cheap.backend.model.constants
    changed = [name for name in before if not np.array_equal(before[name], after[name])]
    assert changed and all(name.endswith(".weight") for name in changed)


@pytest.mark.parametrize(
    ("terms", "raw"),
    [
        ({"limit": 0}, RAW),
        ({"limit": 5}, RAW),
        ({"temperature": 1}, RAW),
        ({"seed": 2**64}, RAW),
        ({}, RAW[:-4]),
        ({}, b""),
        ({}, np.full(PLACES, TOKENS, "<i4").tobytes()),
        ({}, np.full(PLACES, -1, "<i4").tobytes()),
    ],
)
def test_what_no_device_could_run_is_refused(model, terms, raw):
    with pytest.raises(Refusal, match="pictures"):
        model.shape(asked(model, **terms), raw)
