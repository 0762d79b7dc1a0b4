"""Peers: other programs that compute the same on this machine, to be measured beside ours.

Of a model: ``llama_cpp`` and ``numpy_reference`` return a measure of tokens a second; of a chain of products:
``openblas`` and ``onnx_runtime`` return a pass. Each raises InputError, one line, where what it needs is not here.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeVar

import numpy as np

from inference.device import adapters
from inference.device.device import Device
from inference.errors import InputError
from inference.files.blocks import BLOCK
from inference.measure import products
from inference.measure.bench import ARITHMETICS, DECODE, PROMPT, Measure, ours
from inference.measure.products import Chain, Pass
from inference.model import Model
from inference.reference import Reference

THREADS = 2
PROVIDER = "WebGpuExecutionProvider"
HIDDEN_DRIVERS = "VK_LOADER_DRIVERS_DISABLE"  # globs of manifests that the Vulkan loader is to overlook
Side = TypeVar("Side")


def present(peers: Mapping[str, Callable[[], Side]]) -> tuple[dict[str, Side], list[str]]:
    """The peers that can run here, and one line for each that cannot."""
    found, absent = {}, []
    for name, start in peers.items():
        try:
            found[name] = start()
        except InputError as error:
            absent.append(str(error))
    return found, absent


def compared(device: Device, rounds: int, **sizes: int) -> tuple[list[dict[str, Any]], list[str]]:
    """Products of many rows and of one, ours beside every peer's, and one line for each peer that is absent.

    Rows as ``products.measured`` gives them, with ``rows``; ``sizes`` as ``products.chain`` takes them.
    """
    found: list[dict[str, Any]] = []
    absent: list[str] = []
    for rows in products.ROWS:
        chain = products.chain(rows, **sizes)
        sides = {name: products.ours(chain, name, device) for name in ARITHMETICS}
        peers, absent = present(
            {
                "OpenBLAS, float32": partial(openblas, chain),
                "ONNX Runtime, 4 bits": partial(onnx_runtime, chain, "4 bits", device),
                "ONNX Runtime, float32": partial(onnx_runtime, chain, "float32", device),
            }
        )
        found += [{"rows": rows} | row for row in products.measured(sides | peers, chain.operations, rounds)]
    return found, list(dict.fromkeys(absent))


def llama_cpp(path: Path) -> Measure:
    """llama.cpp on the processor, two threads, through the package xllamacpp: the model file's own 4-bit blocks.

    Raises:
        InputError: it is not installed, or the model is in another format.
    """
    try:
        import xllamacpp
    except ImportError:
        raise InputError("the peer llama.cpp needs the package xllamacpp") from None
    if path.suffix != ".gguf":
        raise InputError(f"the peer llama.cpp reads .gguf files, not {path}")
    settings = xllamacpp.CommonParams()
    settings.model.path = str(path)
    settings.n_ctx, settings.n_gpu_layers, settings.verbosity = 512, 0, -1
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = THREADS
    server = xllamacpp.Server(settings)
    request = {"prompt": list(range(1000, 1000 + PROMPT)), "n_predict": DECODE, "temperature": 0}
    request |= {"cache_prompt": False, "ignore_eos": True}

    def measure() -> dict[str, float]:
        timings = server.handle_completions(request)["timings"]
        return {"prefill": timings["prompt_per_second"], "decode": timings["predicted_per_second"]}

    return measure


def numpy_reference(model: Model) -> Measure:
    """Our own numpy reference, over a prompt of 8 and one token after it: it is slow."""
    return ours(Reference(model), prompt=8, decode=1, batch=0)


def openblas(chain: Chain) -> Pass:
    """numpy's float32 product of the unpacked matrices, on as many threads as its BLAS takes: the processor's limit.

    GEMM is bound by arithmetic; GEMV by reading 4 bytes a weight where packed weights take 5/8.
    """
    matrices = [matrix.matrix().T for matrix in chain.matrices]

    def run() -> Any:
        y = chain.x
        for matrix in matrices:
            y = y @ matrix
        return y

    return run


def onnx_runtime(chain: Chain, weights: Literal["4 bits", "float32"], device: Device) -> Pass:
    """ONNX Runtime's WebGPU provider: MatMulNBits (8-bit activations allowed) or MatMul, on the adapter of ``device``.

    That it runs there is checked twice: the session may not fall back to the processor, and its profile of a first pass
    names the provider of every node. It takes no adapter by name, so only one may be left when SwiftShader is hidden.
    The package onnxruntime-ep-webgpu does not serve: it refuses adapters without a GPU behind them.

    Raises:
        InputError: a package is missing, the adapter cannot be had, a node would run or ran elsewhere.
    """
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise InputError(f"the peer ONNX Runtime needs the packages onnxruntime-webgpu and onnx: {error}") from None
    if PROVIDER not in onnxruntime.get_available_providers():
        raise InputError("the peer ONNX Runtime needs the package onnxruntime-webgpu, not another onnxruntime")
    candidates = {adapter.info["device"] for adapter in adapters.adapters(device.backend)}
    candidates = {name for name in candidates if not adapters.is_swiftshader(name)}
    if candidates != {device.name}:
        among = ", ".join(sorted(candidates)) or "none"
        raise InputError(
            f"the peer ONNX Runtime takes no adapter by name: it is to run on {device.name}, among {among}"
        )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.enable_profiling = True
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    model = _onnx_chain(onnx, chain, weights)
    with TemporaryDirectory() as folder, _swiftshader_hidden():
        options.profile_file_prefix = str(Path(folder) / "profile")
        try:
            session = onnxruntime.InferenceSession(model, options, providers=[PROVIDER])
            session.run(None, {"x": chain.x})
        except Exception as error:  # noqa: BLE001 - its errors share no class of their own
            raise InputError(f"the peer ONNX Runtime failed: {' '.join(str(error).split())}") from None
        events = json.loads(Path(session.end_profiling()).read_text())
    places = {event["args"]["provider"] for event in events if event.get("cat") == "Node"}
    if places != {PROVIDER}:
        raise InputError(f"the peer ONNX Runtime ran on {', '.join(sorted(places)) or 'nothing'}, not on {PROVIDER}")
    return lambda: session.run(None, {"x": chain.x})[0]


@contextmanager
def _swiftshader_hidden() -> Iterator[None]:
    """The Vulkan loader reads the variable when an implementation first asks it for drivers."""
    before = os.environ.get(HIDDEN_DRIVERS)
    os.environ[HIDDEN_DRIVERS] = ",".join(filter(None, (before, "*swiftshader*")))
    try:
        yield
    finally:
        if before is None:
            del os.environ[HIDDEN_DRIVERS]
        else:
            os.environ[HIDDEN_DRIVERS] = before


def _onnx_chain(onnx: Any, chain: Chain, weights: str) -> bytes:
    """The chain as an ONNX model."""
    nodes, constants, last = [], [], "x"
    for index, matrix in enumerate(chain.matrices):
        name = f"y{index}"
        if weights == "float32":
            parts: dict[str, Any] = {"w": np.ascontiguousarray(matrix.matrix().T)}
            operator: dict[str, Any] = {"op_type": "MatMul"}
        else:
            digits = matrix.q.reshape(*matrix.d.shape, BLOCK)
            parts = {"q": digits[..., ::2] | digits[..., 1::2] << 4, "d": matrix.d}
            N, K = matrix.q.shape
            operator = {"op_type": "MatMulNBits", "domain": "com.microsoft", "K": K, "N": N, "bits": 4}
            operator |= {"block_size": BLOCK, "accuracy_level": 4}
        constants += [onnx.numpy_helper.from_array(array, f"{name}.{part}") for part, array in parts.items()]
        inputs = [last, *(f"{name}.{part}" for part in parts)]
        nodes.append(onnx.helper.make_node(inputs=inputs, outputs=[name], **operator))
        last = name
    ends = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, (len(chain.x), width))
        for name, width in (("x", chain.x.shape[1]), (last, len(chain.matrices[-1].q)))
    ]
    built = onnx.helper.make_graph(nodes, "chain", ends[:1], ends[1:], constants)
    versions = [onnx.helper.make_opsetid("", 21), onnx.helper.make_opsetid("com.microsoft", 1)]
    model: bytes = onnx.helper.make_model(built, opset_imports=versions, ir_version=10).SerializeToString()
    return model
