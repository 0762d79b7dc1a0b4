"""What inference's tests share: the stacks that are present, models loaded once, operands to draw, the command line."""

import sys

import numpy as np
import pytest

from inference import models, ops
from inference.arithmetic import tables
from inference.arithmetic.formats import linear, norm, rows
from inference.commands import cli as command_line
from inference.device import adapters
from inference.device.device import Device
from inference.errors import InputError
from inference.files.blocks import BLOCK, eight_bits
from inference.graph import add, new, source
from inference.model import Model
from inference.models.llama import model
from inference.models.tiny import four_bits, tiny
from inference.ops import sample_partial

STACKS = adapters.stacks()


def pytest_generate_tests(metafunc):
    if "stack" in metafunc.fixturenames:
        stacks = [s for s in STACKS if "SwiftShader" not in s[1]] if "smollm2" in metafunc.fixturenames else STACKS
        absent = pytest.param(None, marks=pytest.mark.skip(reason="no WebGPU adapter; make adapter"))
        metafunc.parametrize("stack", stacks or [absent], ids=lambda stack: stack and "-".join(stack).split(" ")[0])


@pytest.fixture(scope="session")
def device():
    """A device by stack and workgroup size, opened once."""
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
        return models.find("smollm2")
    except InputError as error:
        pytest.skip(str(error))


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


PLACES = "places"


def integers(generator, shape, bits):
    """int32 of up to ``bits`` bits, of all lengths, the ends among them."""
    values = generator.integers(-(2**bits) + 1, 2**bits, shape) >> generator.integers(0, bits, shape)
    return np.where(generator.random(shape) < 0.02, (1 - 2**bits) * np.sign(values | 1), values).astype(np.int32)


def floats(generator, shape):
    return generator.standard_normal(shape).astype(np.float32)


def weights(generator, outputs, blocks, eight):
    matrix = floats(generator, (outputs, blocks * BLOCK)) * np.exp(floats(generator, (outputs, 1)))
    return eight_bits(matrix) if eight else four_bits(matrix)


def draw_embedding(generator, exact, a, b, c):
    table = weights(generator, 8 * a + c, b, eight=True)
    tokens = generator.integers(0, 8 * a + c, c).astype(np.int32)
    if not exact:
        return {"tokens": tokens}, {"q": table.q, "blocks": table.d}, {}
    integer = linear("embedding", table)
    scales = {"rows": rows("embedding", integer.sigma * 2.0**-16)}
    return {"tokens": tokens}, {"q": integer.q, "blocks": integer.blocks} | scales, {}


def draw_rms_norm(generator, exact, a, b, c):
    gain = 1 + floats(generator, 32 * b) / 4
    if not exact:
        return {"x": floats(generator, (a, 32 * b))}, {"gain": gain}, {"epsilon": 1e-5, "first": c % a}
    integer = norm("norm", gain, 12, 1e-5, 32767)
    x = integers(generator, (a, 32 * b), int(generator.integers(1, 32)))
    return {"x": x}, {"gain": integer.gain}, integer.attributes | {"first": c % a}


def draw_matmul(generator, exact, a, b, c, eight):
    fused = generator.choice(["", "adds", "gated", "heads"] if exact and not eight else ["", "adds"])
    outputs = {"gated": 16 * b, "heads": 8 * b + 2 * c}.get(fused, 5 * b + c)
    matrix = weights(generator, outputs, c, eight)
    adds = fused == "adds"
    output = (a, outputs)
    if not exact:
        operands = {"a": floats(generator, (a, BLOCK * c))}
        blocks = matrix.d if matrix.m is None else np.stack((matrix.d, matrix.m), axis=2)
        constants = {"q": matrix.q, "blocks": blocks}
        return operands | ({"residual": floats(generator, output)} if adds else {}), constants, {"adds": adds}
    integer = linear("matmul", matrix)
    bits = 0 if fused == "heads" else int(generator.choice([0, (integer.largest + 1).bit_length() - 1]))
    activations = integers(generator, (a, BLOCK * c), bits + 7 if bits else 15)
    if not bits:
        activations = np.clip(activations, -integer.largest, integer.largest)
    constants = {"q": integer.q, "blocks": integer.blocks, "rows": rows("matmul", integer.sigma * 2.0**-14)}
    operands = {"a": activations} | ({"residual": integers(generator, output, 29)} if adds else {})
    attributes = {"adds": adds, "bits": bits, "residual_shift": 2}
    if fused == "heads":
        operands[PLACES] = places(generator, a, 1, 64)
        constants |= {"table": tables.rotations(64, 8, 10000.0)}
        attributes |= {"heads": b}
    if fused == "gated":
        constants |= {"curve": tables.silu_curve()}
        attributes |= {"gated": True, "fraction": int(generator.integers(8, 13))}
    return operands, constants, attributes


def places(generator, tokens, sequences, capacity):
    """Distinct places of tokens."""
    chosen = generator.choice(sequences * capacity, tokens, replace=False)
    return np.stack((chosen // capacity, chosen % capacity), axis=1).astype(np.int32)


def draw_rope(generator, exact, a, b, c):
    width, attributes = 8 * b, {"offset": 4 * c, "heads": a, "copied": 8 * c}
    x = (a, 4 * c + width * a + 8 * c + 4)
    operands = {"x": integers(generator, x, 15) if exact else floats(generator, x), PLACES: places(generator, a, 1, 64)}
    angles = tables.angles(64, width, 10000.0)
    table = np.stack((np.cos(angles), np.sin(angles)), axis=2).astype(np.float32)
    return operands, {"table": tables.rotations(64, width, 10000.0) if exact else table}, attributes


def draw_attention(generator, exact, a, b, c):
    width, kv_heads, group, capacity = 4 * b, 1 + a % 2, c, 48
    q, cache = (a, kv_heads * group * width), (2 * capacity, 2 * kv_heads * width)
    attributes = {"heads": kv_heads * group, "kv_heads": kv_heads, "capacity": capacity, "sequences": 2}
    at = {PLACES: places(generator, a, 2, capacity)}
    if not exact:
        return {"q": floats(generator, q), "cache": floats(generator, cache)} | at, {}, attributes
    # |q·k| < 2^30, the weighted sum of values below 2^31.
    operands = {"q": integers(generator, q, 11), "cache": integers(generator, cache, 11)} | at
    scale = dict(zip(("mantissa", "shift"), rows("scale", np.array([2.0**-9]))[0].tolist(), strict=True))
    return operands, {"exponential": tables.exponential()}, attributes | scale | {"value_shift": 11}


def draw_silu_gate(generator, exact, a, b, c):
    shape = (a, 2 * 7 * b * c)
    if not exact:
        return {"x": 8 * floats(generator, shape)}, {}, {}
    fraction = int(generator.integers(8, 13))
    return {"x": integers(generator, shape, 20)}, {"curve": tables.silu_curve()}, {"fraction": fraction}


def logits(generator, exact, a, b, c):
    shape = (a, 600 * b + c)
    return integers(generator, shape, 3 if c == 1 else 19) if exact else floats(generator, shape)


def maxima(values, exact):
    module = ops.load("argmax_partial")
    return module.exact(values) if exact else module.float32(values)


def draw_argmax_partial(generator, exact, a, b, c):
    return {"logits": logits(generator, exact, a, b, c)}, {}, {}


def draw_argmax(generator, exact, a, b, c):
    return {"maxima": maxima(logits(generator, exact, a, b, c), exact)}, {}, {}


def draw_sample_partial(generator, exact, a, b, c):
    values = logits(generator, exact, a, b, c)
    operands = {"logits": values, "maxima": maxima(values, exact)}
    if not exact:
        return operands, {}, {"scale": 0.7}
    scale = dict(zip(("mantissa", "shift"), rows("scale", np.array([2.0**-6]))[0].tolist(), strict=True))
    return operands, {"exponential": tables.exponential()}, scale


def draw_sample(generator, exact, a, b, c):
    operands, constants, attributes = draw_sample_partial(generator, exact, a, b, c)
    reference = sample_partial.exact if exact else sample_partial.float32
    operands["sums"] = reference(*operands.values(), *constants.values(), **attributes)
    draws = generator.integers(0, 2**32, a, dtype=np.uint32)
    draws[0] = generator.choice(np.array([0, 2**32 - 1, draws[0]], np.uint32))
    return operands | {"draws": draws.view(np.int32)}, constants, attributes


DRAW = {
    "embedding": draw_embedding,
    "rms_norm": draw_rms_norm,
    "matmul_q4": lambda *given: draw_matmul(*given, eight=False),
    "matmul_q8": lambda *given: draw_matmul(*given, eight=True),
    "rope": draw_rope,
    "attention": draw_attention,
    "silu_gate": draw_silu_gate,
    "argmax_partial": draw_argmax_partial,
    "argmax": draw_argmax,
    "sample_partial": draw_sample_partial,
    "sample": draw_sample,
}
ORDER = ("tokens", "x", "a", "logits", "maxima", "sums", "draws", "q", "cache", "blocks", "rows", "gain", "table")
ORDER += (PLACES, "exponential", "curve", "residual")


@pytest.fixture(scope="session")
def operands():
    """Operands, constants and attributes of an op by name, drawn."""

    def operands(op, arithmetic, seed, a, b, c):
        return DRAW[op](np.random.default_rng(seed), arithmetic == "exact", a, b, c)

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
        add(built, "y", op, sorted(given | constants, key=ORDER.index), **attributes)
        return Model("single", arithmetic, {}, constants, {}), built, given

    return single
