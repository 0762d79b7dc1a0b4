"""A page commits to the root that Python commits to, its leaves hashed by WebCrypto or on the device."""

from dataclasses import replace

import numpy as np
import pytest

from inference import models
from inference.computation import Inference
from inference.errors import InputError
from inference.reference import Reference
from verification.adversaries.corrupt_trace import replaced
from verification.inference_models import Models, exact
from verification.task import Task
from verification.trace import record

GREEDY = Task("tiny", tuple(b"Hello, world"), 4, 0, 0)
DRAWN = Task("tiny", tuple(b"The capital of France is"), 6, 800_000, 3)
AMONG = Task("tiny", tuple(b"The capital of France is"), 3, 1_300_000, 3, top_k=9, top_p=900_000)
LONG = Task("tiny", tuple(np.random.default_rng(0).integers(0, 256, 140).tolist()), 3, 0, 0)
SMOLLM2 = Task("smollm2", (504, 3575, 282, 4649, 314), 8, 0, 0)  # "The capital of France is"


@pytest.mark.parametrize("on_device", [False, True])
@pytest.mark.parametrize("task", [GREEDY, DRAWN, AMONG, LONG])
def test_a_page_commits_to_the_root_of_python(browser, asked, task, on_device):
    expected = record(Models().computation(task, "numpy", None))
    found = browser("commit", **asked(task), onDevice=on_device)
    assert found["tokens"] == expected.tokens and found["root"] == expected.tree.root.hex()


@pytest.mark.parametrize("on_device", [False, True])
def test_what_follows_an_end_token_is_null(browser, asked, on_device):
    run = record(Inference(Reference(exact("tiny")), list(GREEDY.prompt), limit=4))
    end = (run.tokens[1],)
    expected = record(Inference(Reference(replace(exact("tiny"), end=end)), list(GREEDY.prompt), limit=4))
    found = browser("commit", **asked(GREEDY), onDevice=on_device, end=list(end))
    assert found["tokens"] == expected.tokens == run.tokens[:2] and found["root"] == expected.tree.root.hex()


@pytest.mark.parametrize("element", [0, 70])
@pytest.mark.parametrize("name", ["prompt000.layer00.cache", "prompt000.layer01.gate", "step0002.layer00.query"])
def test_a_page_that_cheats_computes_on_from_the_word_that_it_flips(browser, asked, name, element):
    computation = Models().computation(DRAWN, "numpy", None)
    node = next(index for index, node in enumerate(computation.nodes) if node.name == name)
    element %= computation.nodes[node].rows * computation.nodes[node].words
    expected = replaced(computation, node, element)
    found = browser("commit", **asked(DRAWN), flip={"node": node, "element": element})
    assert found["tokens"] == expected.tokens and found["root"] == expected.tree.root.hex()


def test_a_device_that_is_lost_is_opened_anew_and_the_run_made_again(browser, asked):
    expected = record(Models().computation(GREEDY, "numpy", None)).tree.root.hex()
    found = browser("lose", **asked(GREEDY))
    assert found["roots"] == [expected, expected] and len(found["said"]) == 2


@pytest.mark.slow
@pytest.mark.parametrize("on_device", [False, True])
def test_a_page_commits_to_the_root_of_python_over_smollm2(browser, asked, on_device):
    try:
        models.path_of("smollm2")
    except InputError as error:
        pytest.skip(str(error))
    expected = record(Models().computation(SMOLLM2, "numpy", None))
    found = browser("commit", **asked(SMOLLM2), onDevice=on_device)
    assert found["tokens"] == expected.tokens and found["root"] == expected.tree.root.hex()
