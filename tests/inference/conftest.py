"""What inference's tests share: the stacks that are present, models loaded once, operands to draw, the command line."""

import sys

import numpy as np
import pytest

from inference import models, ops
from inference.commands import cli as command_line
from inference.commands import progress
from inference.device import adapters
from inference.device.device import Device
from inference.errors import InputError
from inference.files import cache
from inference.graph import add, new, source
from inference.model import Model
from inference.models.llama import model
from inference.models.tiny import tiny

STACKS = adapters.stacks()


def pytest_generate_tests(metafunc):
    if "stack" in metafunc.fixturenames:
        stacks = [s for s in STACKS if "SwiftShader" not in s[1]] if "smollm2" in metafunc.fixturenames else STACKS
        absent = pytest.param(None, marks=pytest.mark.skip(reason="no WebGPU adapter; make adapter"))
        if metafunc.definition.get_closest_marker("any_stack"):
            stacks = stacks[:1] + [pytest.param(stack, marks=pytest.mark.slow) for stack in stacks[1:]]
        metafunc.parametrize("stack", stacks or [absent], ids=lambda stack: stack and "-".join(stack).split(" ")[0])


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """What standard error holds does not depend on how busy the machine is."""
    monkeypatch.setattr(progress, "PATIENCE", 3600.0)


@pytest.fixture(scope="session", autouse=True)
def nothing_kept(tmp_path_factory):
    """What an earlier run kept on this machine is read by no test."""
    with pytest.MonkeyPatch.context() as patch:
        kept = tmp_path_factory.mktemp("cache")
        patch.setattr(cache, "folder", lambda kind: kept / kind)
        yield


@pytest.fixture(scope="session")
def device():
    """A device by stack and workgroup size (None: what it has where nobody asks), opened once."""
    opened: dict[tuple[str, str, int], Device] = {}

    def device(stack, lanes=64):
        key = (*stack, lanes)
        if key not in opened:
            opened[key] = Device(*stack, lanes=lanes)
        return opened[key]

    return device


@pytest.fixture(scope="session")
def tiny_model():
    """The tiny model by arithmetic."""
    built = {arithmetic: model("tiny", tiny(), arithmetic) for arithmetic in ("exact", "float32")}
    return built.__getitem__


@pytest.fixture(scope="session")
def smollm2():
    """SmolLM2-135M as its file holds it."""
    try:
        models.path_of("smollm2")
    except InputError as error:
        pytest.skip(str(error))
    return models.find("smollm2")


@pytest.fixture(scope="session")
def refusal():
    """The one line with which a call refuses its input."""

    def refusal(call, *arguments, **keywords):
        with pytest.raises(InputError) as caught:
            call(*arguments, **keywords)
        message = str(caught.value)
        assert message and "\n" not in message
        return message

    return refusal


@pytest.fixture
def cli(monkeypatch, capfd):
    """Run the command line in this process: exit code, standard output, standard error."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["inference", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            command_line.run(command_line.app)
        printed = capfd.readouterr()
        return stopped.value.code or 0, printed.out, printed.err

    return call


@pytest.fixture(scope="session")
def operands():
    """Operands, constants and attributes of an op by name, drawn."""

    def operands(op, arithmetic, seed, a, b, c):
        return ops.load(op).draw(np.random.default_rng(seed), arithmetic, a, b, c)

    return operands


@pytest.fixture(scope="session")
def single(operands):
    """A model and a graph of one op, and its inputs."""

    def single(op, arithmetic, seed, a, b, c):
        given, constants, attributes = operands(op, arithmetic, seed, a, b, c)
        built = new(arithmetic)
        for name, value in given.items():
            source(built, name, "input", value.shape)
        for name, value in constants.items():
            source(built, name, "weight", value.shape)
        known = given | constants
        order = [name for name in ops.arguments(op, arithmetic, attributes) if name in known]
        add(built, "y", op, order, **attributes)
        return Model("single", arithmetic, {}, constants, {}), built, given

    return single
