"""SmolLM2 for its tokens alone and with a commitment to every output: 32 tokens decoded, a prompt of 128; terrain's
picture likewise."""

import numpy as np
import pytest

from inference import models
from inference.computation import Inference
from inference.device.adapters import choose
from inference.device.device import Device
from inference.device.runtime import Runtime
from inference.errors import InputError
from inference.measure.bench import DECODE, PROMPT
from inference.measure.pictures import CLASS, SEED
from inference.models.llama import model
from inference.models.terrain import terrain
from inference.picture import Picture
from verification.trace import record

CASES = {"decode": ((np.arange(5) * 37).tolist(), DECODE), "prefill": ((np.arange(PROMPT) * 37).tolist(), 1)}


@pytest.fixture(scope="session")
def runtime():
    """SmolLM2 on the first adapter."""
    try:
        models.path_of("smollm2")
        choose()
    except InputError as error:
        pytest.skip(str(error))
    return Runtime(model("smollm2", models.find("smollm2"), "exact"), Device())


def plain(computation):
    """The tokens of a run, of which nothing else is read."""
    tokens = []
    for index, each in enumerate(computation.passes):
        inputs = each.inputs((computation.ids + tokens)[each.span])
        [choice] = computation.backend.run(each.graph, inputs, ["choice"])
        if index >= len(computation.passes) - computation.limit:
            tokens.append(int(choice[0]))
    return tokens


def committed(computation):
    """The tokens of a run, committed to."""
    return record(computation).tokens


@pytest.mark.parametrize("run", [plain, committed])
@pytest.mark.parametrize("case", CASES)
def test_commit(benchmark, runtime, case, run):
    benchmark.group = case
    ids, limit = CASES[case]
    computation = Inference(runtime, ids, limit=limit)
    assert len(benchmark.pedantic(run, [computation], rounds=5, warmup_rounds=1)) == limit


@pytest.mark.parametrize("kind", ["drawn", "committed"])
def test_commit_picture(benchmark, kind):
    benchmark.group = "picture"
    used = terrain("terrain", "exact")
    computation = Picture(Runtime(used.model, Device()), used, CLASS, SEED)
    [only] = computation.passes
    runs = {
        "drawn": lambda: computation.backend.run(only.graph, only.given, [used.picture]),
        "committed": lambda: record(computation),
    }
    benchmark.pedantic(runs[kind], rounds=5, warmup_rounds=1)
