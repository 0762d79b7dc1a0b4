"""What a worker computes with: leases of one request and of several, committed to as numpy would; models that fail."""

import asyncio
from hashlib import sha256
from types import SimpleNamespace

import pytest

from experiments.marketplace.live import secrets
from experiments.marketplace.live.commands import WORKER
from experiments.marketplace.live.machine import Machine
from experiments.marketplace.live.worker import Worker
from experiments.marketplace.models import Language, computation_of, request_of, table
from verification.trace import record

TINY = Language("tiny")


@pytest.fixture(scope="module")
def machine():
    made = Machine(["tiny"], "numpy", None, 2**30)
    made.prepare()
    return made


@pytest.mark.parametrize("prompts", [["Hello"], ["Hello", "A longer prompt", "Hello"]])
def test_a_lease_has_the_root_and_tokens_that_its_referee_gives(machine, prompts):
    inputs = {sha256(raw).hexdigest(): raw for raw in map(TINY.input, prompts)}
    names = [sha256(TINY.input(prompt)).hexdigest() for prompt in prompts]
    requests = [request_of(TINY, name, limit=3 + at, temperature=1.0, seed=at) for at, name in enumerate(names)]
    streamed = {at: [] for at in range(len(prompts))}

    def told(share, request, token):
        assert 0 < share <= 1
        streamed[request] += [] if token is None else [token]

    trace = machine.compute(requests, inputs, told)
    expected = record(computation_of(table([TINY]), requests, inputs))
    assert (trace.tree.root, trace.tokens) == (expected.tree.root, expected.tokens)
    assert [token for tokens in streamed.values() for token in tokens] == trace.tokens
    assert len(streamed[len(prompts) - 1]) == 2 + len(prompts), "each its own limit"


@pytest.fixture
def broken():
    """A worker whose device cannot run anything, and what it says."""

    def fails(*given):
        raise MemoryError("the adapter has 16 MiB")

    said = []
    device = SimpleNamespace(names=["tiny"], adapter="weak", memory=2**30, measure=fails, compute=fails)
    return Worker("ws://127.0.0.1:1", device, secrets.fresh(WORKER), cost=100, fund=True, say=said.append), said


def done(worker, work):
    """Something a worker does, without a market; what is to be taken to its device then."""

    async def within():
        worker._loop = asyncio.get_running_loop()
        await work

    asyncio.run(within())
    return [worker.line._calls.get_nowait()[1] for _ in range(worker.line._calls.qsize())]


def test_a_model_that_cannot_be_run_is_said_and_not_offered(broken):
    worker, said = broken
    assert not done(worker, worker._measure("tiny"))
    assert said == ["tiny: cannot be run here, so it is not offered (MemoryError: the adapter has 16 MiB)"]
    assert not worker.device.s


def test_a_lease_that_cannot_be_computed_is_said_and_handed_back(broken, monkeypatch):
    worker, said = broken
    back = []
    monkeypatch.setattr(worker.device, "failed", lambda lease: back.append(lease) or [])
    lease = SimpleNamespace(lease="a" * 64, requests=[], inputs={})
    for call in done(worker, worker._compute(lease)):
        call(0.0)
    assert back == ["a" * 64] and "cannot be computed (MemoryError: the adapter has 16 MiB); handed back" in said[0]
