"""WebGPU: adapters, and graphs run on one of them. The only file that imports wgpu.

Weights are uploaded, pipelines and bind groups built once; a run is one submission. ``wgpu`` (wgpu-native, Naga) and
``wgpudawn`` (Dawn, Tint) are two implementations under one Python interface.
"""

import importlib
import inspect
import os
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

import networkx as nx
import numpy as np
import numpy.typing as npt

from inference import ops
from inference.errors import InputError
from inference.graph import Arithmetic, plan, schedule
from inference.kernels import alone, kernel
from inference.models.llama import Model
from inference.reference import Observer

MODULES = {"wgpu": "wgpu", "dawn": "wgpudawn"}
INSTALL = "on Debian and Ubuntu mesa-vulkan-drivers (25 or later) is one without a GPU: make adapter"
LIMITS = ("max-storage-buffer-binding-size", "max-buffer-size")
LANES = {"CPU": 16, "GPU": 64}
"""Invocations a workgroup: rasterisers on processors run few at a time."""
SUBGROUPS = ("subgroup", "subgroups")  # the feature's names in wgpu-native and in Dawn
SWIFTSHADER = Path("/usr/lib/chromium/vk_swiftshader_icd.json")
"""Chromium's Vulkan driver without a GPU, as Debian installs it: a second driver to compare with."""
SLOT = 256  # bytes between the Params of two nodes: the offset alignment of every adapter

Array = npt.NDArray[Any]

if SWIFTSHADER.exists() and not {"VK_DRIVER_FILES", "VK_ICD_FILENAMES"} & os.environ.keys():
    os.environ.setdefault("VK_ADD_DRIVER_FILES", str(SWIFTSHADER))  # read when an implementation is first asked


def implementation(backend: str) -> ModuleType:
    """wgpu or wgpudawn.

    Raises:
        InputError: an unknown backend, or one that is not installed.
    """
    if backend not in MODULES:
        raise InputError(f"unknown backend {backend!r}; there are {', '.join(MODULES)} and numpy")
    try:
        return importlib.import_module(MODULES[backend])
    except (ImportError, OSError) as error:
        raise InputError(f"backend {backend} needs the package {MODULES[backend]}: {error}") from None


def adapters(backend: str = "wgpu") -> list[Any]:
    """The adapters compute runs on, GPUs first and the slow SwiftShader last; OpenGL's are left out."""
    gpu = implementation(backend).gpu
    found = [adapter for adapter in gpu.enumerate_adapters_sync() if adapter.info["backend_type"] != "OpenGL"]
    return sorted(found, key=lambda adapter: (adapter.info["adapter_type"] == "CPU", _is_swiftshader(adapter)))


def _is_swiftshader(adapter: Any) -> bool:
    return "SwiftShader" in adapter.info["device"]


def stacks() -> list[tuple[str, str]]:
    """(backend, adapter) of every adapter that an installed implementation finds."""
    found = []
    for backend in MODULES:
        try:
            found += [(backend, adapter.info["device"]) for adapter in adapters(backend)]
        except InputError:
            continue
    return found


def describe(adapter: Any, backend: str) -> dict[str, Any]:
    """An adapter for people and machines."""
    info = adapter.info
    return {
        "name": info["device"],
        "backend": backend,
        "api": info["backend_type"],
        "type": info["adapter_type"],
        "driver": info["description"],
        "limits": dict(adapter.limits),
        "features": sorted(adapter.features),
    }


def choose(backend: str = "wgpu", name: str | None = None) -> Any:
    """The first adapter, or the first whose name or driver contains ``name``, whatever the case.

    Raises:
        InputError: no adapter, or none of that name.
    """
    found = adapters(backend)
    if not found:
        raise InputError(f"{backend} finds no adapter; {INSTALL}; --backend numpy runs the reference")
    if name is None:
        return found[0]
    for adapter in found:
        if any(name.lower() in str(adapter.info[key]).lower() for key in ("device", "description")):
            return adapter
    raise InputError(f"unknown adapter {name!r}; {backend} finds {', '.join(a.info['device'] for a in found)}")


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One node, ready to be encoded."""

    pipeline: Any
    bindings: Any
    workgroups: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """A graph on the device."""

    dispatches: list[Dispatch]
    inputs: dict[str, Any]
    buffers: dict[str, Any]
    """Of the nodes without a state."""


class Device:
    """An adapter opened for compute; its pipelines are built once."""

    def __init__(self, backend: str = "wgpu", adapter: str | None = None, lanes: int | None = None) -> None:
        self.backend = backend
        self.module = implementation(backend)
        self.adapter = choose(backend, adapter)
        self.name: str = self.adapter.info["device"]
        self.lanes = lanes or LANES["CPU" if self.adapter.info["adapter_type"] == "CPU" else "GPU"]
        limits = {limit: self.adapter.limits[limit] for limit in LIMITS}
        features = [feature for feature in SUBGROUPS if feature in self.adapter.features]
        self.device = self.adapter.request_device_sync(required_limits=limits, required_features=features)
        self.token = self.buffer("token", 4)
        # Tint demands this line, Naga refuses it.
        self.prelude = "enable subgroups;\n" if "subgroups" in features else ""
        self.pipelines: dict[tuple[str, ...], Any] = {}
        self.subgroups = bool(features) and self._lanes_of_a_subgroup() >= 8

    def _lanes_of_a_subgroup(self) -> int:
        """Measured: neither implementation tells."""
        return int(self.compute("subgroup_size", np.zeros(1, np.int32), 1)[0])

    def compute(self, name: str, x: Array, words: int) -> npt.NDArray[np.int32]:
        """Run one workgroup of a kernel that stands for itself: x in, ``words`` words out."""
        prelude = self.prelude if name == "subgroup_size" else ""
        module = self.device.create_shader_module(code=prelude + alone(name))
        pipeline = self.device.create_compute_pipeline(layout="auto", compute={"module": module, "entry_point": "main"})
        given, output = self.buffer("x", x.nbytes), self.buffer("output", 4 * words)
        self.device.queue.write_buffer(given, 0, x)
        entries = [
            {"binding": binding, "resource": _resource(buffer)} for binding, buffer in enumerate((given, output))
        ]
        group = self.device.create_bind_group(layout=pipeline.get_bind_group_layout(0), entries=entries)
        self.submit([Dispatch(pipeline, group, (1, 1, 1))])
        return np.frombuffer(self.device.queue.read_buffer(output, 0, 4 * words), np.int32)

    def submit(self, dispatches: list[Dispatch]) -> None:
        """Encode dispatches as one submission."""
        encoder = self.device.create_command_encoder()
        compute = encoder.begin_compute_pass()
        pipeline = None
        for dispatch in dispatches:
            if dispatch.pipeline is not pipeline:
                compute.set_pipeline(pipeline := dispatch.pipeline)
            compute.set_bind_group(0, dispatch.bindings)
            compute.dispatch_workgroups(*dispatch.workgroups)
        compute.end()
        self.device.queue.submit([encoder.finish()])

    def buffer(self, name: str, size: int, uniform: bool = False) -> Any:
        """A buffer, or one line that says which limit it exceeds."""
        for limit in LIMITS:
            if size > self.device.limits[limit]:
                raise InputError(
                    f"the buffer {name} needs {size} bytes; {limit} of {self.name} is {self.device.limits[limit]}"
                )
        usage = self.module.BufferUsage
        kind = usage.UNIFORM if uniform else usage.STORAGE | usage.COPY_SRC
        return self.device.create_buffer(size=max(size, 16), usage=kind | usage.COPY_DST)

    def pipeline(self, arithmetic: Arithmetic, op: str, variant: str, entry: str) -> Any:
        """The compiled kernel of an op."""
        key = (arithmetic, op, variant, entry)
        if key not in self.pipelines:
            prelude = self.prelude if variant == "subgroup" else ""
            module = self.device.create_shader_module(code=prelude + kernel(arithmetic, op, variant).code)
            stage = {"module": module, "entry_point": entry, "constants": {"lanes": self.lanes}}
            self.pipelines[key] = self.device.create_compute_pipeline(layout="auto", compute=stage)
        return self.pipelines[key]


class Runtime:
    """Runs graphs of one model on one device; weights and states stay there from run to run."""

    def __init__(self, model: Model, device: Device) -> None:
        self.model, self.device, self.name = model, device, device.backend
        self.weights: dict[tuple[str, str], Any] = {}
        self.states: dict[str, Any] = {}
        self.programs: WeakKeyDictionary[nx.DiGraph, dict[Any, Program]] = WeakKeyDictionary()

    def run(
        self, graph: nx.DiGraph, inputs: Mapping[str, Array], outputs: list[str], observe: Observer | None = None
    ) -> list[Array]:
        """The outputs asked for; ``observe`` sees every node's output in schedule order, after the run."""
        try:
            program = self._program(graph, frozenset(outputs), all_kept=observe is not None)
            for name, buffer in program.inputs.items():
                self.device.device.queue.write_buffer(buffer, 0, np.ascontiguousarray(inputs[name]))
            self.device.submit(program.dispatches)
            if observe is not None:
                for name in schedule(graph):
                    observe(name, self._read(graph, program, name, inputs))
            return [self._read(graph, program, name, inputs) for name in outputs]
        except self.device.module.GPUError as error:
            raise InputError(
                f"the device {self.device.name} failed or was lost: {' '.join(str(error).split())}"
            ) from None

    def _read(self, graph: nx.DiGraph, program: Program, name: str, inputs: Mapping[str, Array]) -> Array:
        node = graph.nodes[name]
        dtype = self._dtype(graph, node)
        if node["state"] is None:
            size = 4 * prod(node["shape"])
            words = np.frombuffer(self.device.device.queue.read_buffer(program.buffers[name], 0, size), dtype)
            return words.reshape(node["shape"])
        width, capacity = node["shape"][1], node["attributes"]["capacity"]
        state, places = self.states[node["state"]], inputs["places"]
        starts = 4 * width * (places[:, 0].astype(int) * capacity + places[:, 1])
        rows = [np.frombuffer(self.device.device.queue.read_buffer(state, int(at), 4 * width), dtype) for at in starts]
        return np.stack(rows)

    def _dtype(self, graph: nx.DiGraph, node: Mapping[str, Any]) -> Any:
        return np.int32 if graph.graph["arithmetic"] == "exact" else getattr(ops.load(node["op"]), "OUTPUT", np.float32)

    def program(self, graph: nx.DiGraph, outputs: list[str]) -> Program:
        """A graph's dispatches, as ``run`` submits them."""
        return self._program(graph, frozenset(outputs), all_kept=False)

    def finish(self) -> None:
        """Wait for what is submitted: read something small (wgpu-native's own wait is broken in 0.32)."""
        self.device.device.queue.read_buffer(self.device.token, 0, 4)

    def _program(self, graph: nx.DiGraph, outputs: frozenset[str], all_kept: bool) -> Program:
        key, programs = (outputs, all_kept), self.programs.setdefault(graph, {})
        if key not in programs:
            programs[key] = self._build(graph, outputs, all_kept)
        return programs[key]

    def _build(self, graph: nx.DiGraph, outputs: frozenset[str], all_kept: bool) -> Program:
        order, arithmetic = schedule(graph), graph.graph["arithmetic"]
        layout = plan(graph, keep=frozenset(order) if all_kept else outputs)
        shared = [self.device.buffer(f"activation {index}", 4 * words) for index, words in enumerate(layout.words)]
        buffers = {name: shared[index] for name, index in layout.buffer.items()}
        inputs = {
            name: self.device.buffer(name, 4 * prod(node["shape"]))
            for name, node in graph.nodes.items()
            if node["kind"] == "input"
        }
        parameters = self.device.buffer("parameters", SLOT * len(order), uniform=True)
        workspace = self._workspace(graph, order)
        dispatches = []
        for index, name in enumerate(order):
            node = graph.nodes[name]
            module, attributes = ops.load(node["op"]), node["attributes"]
            shapes = [graph.nodes[source]["shape"] for source in node["inputs"]]
            variant = ""
            if hasattr(module, "variant"):
                variant = module.variant(node["shape"], arithmetic=arithmetic, subgroups=self.device.subgroups)
            source = kernel(arithmetic, node["op"], variant)
            chosen = {"variant": variant} if variant else {}
            entry = module.entry(**attributes) if hasattr(module, "entry") else "main"
            values = module.dimensions(*shapes, **attributes) | attributes
            self.device.device.queue.write_buffer(parameters, SLOT * index, source.parameters(values))
            bound: dict[str, Any] = {"params": (parameters, SLOT * index, SLOT), "workspace": workspace}
            bound["output"] = buffers[name] if node["state"] is None else self._state(node)
            for argument, given in zip(self._arguments(module, arithmetic), node["inputs"], strict=False):
                bound[argument] = self._operand(graph, given, argument, module, inputs, buffers)
            pipeline = self.device.pipeline(arithmetic, node["op"], variant, entry)
            entries = [
                {"binding": binding, "resource": _resource(bound[variable])}
                for variable, binding in source.bindings.items()
                if variable in bound and bound[variable] is not None
            ]
            group = self.device.device.create_bind_group(layout=pipeline.get_bind_group_layout(0), entries=entries)
            dispatches.append(
                Dispatch(
                    pipeline, group, module.workgroups(node["shape"], lanes=self.device.lanes, **chosen, **attributes)
                )
            )
        return Program(dispatches, inputs, buffers)

    def _arguments(self, module: ModuleType, arithmetic: str) -> list[str]:
        """Names of an op's inputs, in order."""
        signature = inspect.signature(getattr(module, arithmetic))
        return [name for name, p in signature.parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]

    def _operand(
        self, graph: nx.DiGraph, name: str, argument: str, module: ModuleType, inputs: Any, buffers: Any
    ) -> Any:
        node = graph.nodes[name]
        if node["kind"] == "input":
            return inputs[name]
        if node["kind"] == "op":
            return buffers[name] if node["state"] is None else self._state(node)
        pack = module.PACK[argument]
        key = (name, pack.__name__)
        if key not in self.weights:
            words = pack(self.model.constants[name])
            self.weights[key] = self.device.buffer(name, words.nbytes)
            self.device.device.queue.write_buffer(self.weights[key], 0, words)
        return self.weights[key]

    def _state(self, node: Mapping[str, Any]) -> Any:
        words = node["attributes"]["sequences"] * node["attributes"]["capacity"] * node["shape"][1]
        state = self.states.get(node["state"])
        if state is None or state.size != 4 * words:
            state = self.states[node["state"]] = self.device.buffer(node["state"], 4 * words)
        return state

    def _workspace(self, graph: nx.DiGraph, order: list[str]) -> Any:
        words = [0]
        for name in order:
            node = graph.nodes[name]
            module = ops.load(node["op"])
            if hasattr(module, "workspace"):
                shapes = [graph.nodes[source]["shape"] for source in node["inputs"]]
                words.append(module.workspace(*shapes, **node["attributes"]))
        return self.device.buffer("workspace", 4 * max(words)) if max(words) else None


def _resource(bound: Any) -> dict[str, Any]:
    buffer, offset, size = bound if isinstance(bound, tuple) else (bound, 0, bound.size)
    return {"buffer": buffer, "offset": offset, "size": size}
