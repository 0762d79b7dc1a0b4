"""Each kind of kernel in one pass of SmolLM2, one token and a prompt of 128, in both arithmetics."""

import numpy as np
import pytest

from inference import models
from inference.device.adapters import choose
from inference.device.device import Device
from inference.device.runtime import Runtime
from inference.errors import InputError
from inference.generate import placed
from inference.graph import schedule
from inference.measure.bench import PROMPT
from inference.models.llama import graph, model


@pytest.fixture(scope="session")
def runtimes():
    """SmolLM2 on the first adapter, by arithmetic."""
    try:
        models.path_of("smollm2")
        choose()
    except InputError as error:
        pytest.skip(str(error))
    llama, device = models.find("smollm2"), Device()
    return {arithmetic: Runtime(model("smollm2", llama, arithmetic), device) for arithmetic in ("exact", "float32")}


@pytest.mark.parametrize("op", ["matmul_q4", "matmul_q8", "matmul_k", "attention", "rms_norm", "rope", "silu_gate"])
@pytest.mark.parametrize("tokens", [1, PROMPT])
@pytest.mark.parametrize("arithmetic", ["exact", "float32"])
def test_kernels(benchmark, runtimes, op, tokens, arithmetic):
    benchmark.group = f"{op}, all of one pass over {tokens} tokens"
    runtime = runtimes[arithmetic]
    built = graph(runtime.model, tokens, capacity=2 * PROMPT, first=tokens - 1)
    inputs = placed(np.arange(tokens).tolist(), 0)
    runtime.run(built, inputs, ["choice"])
    loaded = runtime.load(built, ["choice"])
    dispatches = [
        dispatch
        for name, each in zip(schedule(built), loaded.dispatches, strict=True)
        for dispatch in each
        if built.nodes[name]["op"] == op
    ]

    def run():
        runtime.device.submit(dispatches)
        runtime.finish()

    benchmark.pedantic(run, rounds=5, warmup_rounds=1)
