"""Graphs run on a WebGPU adapter: weights uploaded, pipelines and bind groups built once; a run is one submission."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from math import prod
from typing import Any
from weakref import WeakKeyDictionary

import networkx as nx
import numpy as np
import numpy.typing as npt

from inference import ops
from inference.adapters import choose, implementation
from inference.errors import InputError
from inference.graph import WORD, Arithmetic
from inference.kernels import alone, kernel
from inference.loading import Dispatch, Loaded, dispatches, resource
from inference.models.llama import Model
from inference.outputs import Observer, Outputs
from inference.program import Program, program
from inference.readback import Window, arenas, windows

LIMITS = ("max-storage-buffer-binding-size", "max-buffer-size")
LANES = {"CPU": 16, "GPU": 64}
"""Invocations a workgroup: rasterisers on processors run few at a time."""
SUBGROUPS = ("subgroup", "subgroups")  # the feature's names in wgpu-native and in Dawn

Array = npt.NDArray[Any]


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
        buffers = {"x": given, "output": output}
        entries = [{"binding": binding, "resource": resource(buffers, name)} for binding, name in enumerate(buffers)]
        group = self.device.create_bind_group(layout=pipeline.get_bind_group_layout(0), entries=entries)
        self.submit([Dispatch(pipeline, group, (1, 1, 1))])
        return np.frombuffer(self.device.queue.read_buffer(output, 0, 4 * words), np.int32)

    def submit(self, dispatches: Sequence[Dispatch]) -> None:
        """Encode dispatches as one submission."""
        self.device.queue.submit([self.encode(dispatches)])

    def encode(self, dispatches: Sequence[Dispatch], copies: Iterable[tuple[Any, int, Any, int, int]] = ()) -> Any:
        """The commands of dispatches, and of copies after them."""
        encoder = self.device.create_command_encoder()
        compute = encoder.begin_compute_pass()
        pipeline = None
        for dispatch in dispatches:
            if dispatch.pipeline is not pipeline:
                compute.set_pipeline(pipeline := dispatch.pipeline)
            compute.set_bind_group(0, dispatch.bindings)
            compute.dispatch_workgroups(*dispatch.workgroups)
        compute.end()
        for copy in copies:
            encoder.copy_buffer_to_buffer(*copy)
        return encoder.finish()

    def buffer(self, name: str, size: int, *, uniform: bool = False, mapped: bool = False) -> Any:
        """A buffer of storage, of parameters or to be mapped, or one line that says which limit it exceeds."""
        for limit in LIMITS:
            if size > self.device.limits[limit]:
                raise InputError(
                    f"the buffer {name} needs {size} bytes; {limit} of {self.name} is {self.device.limits[limit]}"
                )
        usage = self.module.BufferUsage
        kind = usage.UNIFORM if uniform else usage.MAP_READ if mapped else usage.STORAGE | usage.COPY_SRC
        return self.device.create_buffer(size=max(size, 16), usage=kind | usage.COPY_DST)

    def pipeline(self, arithmetic: Arithmetic, op: str, variant: str, entry: str) -> Any:
        """The compiled kernel of an op."""
        key = (arithmetic, op, variant, entry)
        if key not in self.pipelines:
            prelude = self.prelude if "subgroup" in variant else ""
            module = self.device.create_shader_module(code=prelude + kernel(arithmetic, op, variant).code)
            stage = {"module": module, "entry_point": entry, "constants": {"lanes": self.lanes}}
            self.pipelines[key] = self.device.create_compute_pipeline(layout="auto", compute=stage)
        return self.pipelines[key]


class Runtime:
    """Runs graphs of one model on one device; weights and states stay there from run to run."""

    def __init__(self, model: Model, device: Device) -> None:
        self.model, self.device, self.name = model, device, device.backend
        self.mapped: Any = None
        """The buffer of the outputs that were shown last."""
        self.kept: dict[str, Any] = {}
        """Buffers of weights and states."""
        self.loaded: WeakKeyDictionary[nx.DiGraph, dict[frozenset[str] | None, Loaded]] = WeakKeyDictionary()

    def run(
        self,
        graph: nx.DiGraph,
        inputs: Mapping[str, Array],
        outputs: list[str],
        observe: Observer | None = None,
    ) -> list[Array]:
        """The outputs asked for; ``observe`` sees every node's output in schedule order: what it returns replaces
        nothing here."""
        try:
            loaded = self.load(graph, outputs if observe is None else None)
            for name, values in inputs.items():
                self.device.device.queue.write_buffer(loaded.buffers[f"input {name}"], 0, np.ascontiguousarray(values))
            if observe is None:
                self.device.submit(loaded.dispatches)
                return [self._read(graph, loaded, name) for name in outputs]
            found: dict[str, Array] = {}

            def seen(window: Outputs) -> None:
                found.update({name: window[name].copy() for name in outputs if name in window.nodes})
                observe(window)

            self._show(loaded, seen)
            return [found[name] for name in outputs]
        except self.device.module.GPUError as error:
            said = " ".join(str(error).split())
            raise InputError(f"the device {self.device.name} failed or was lost: {said}") from None

    def load(self, graph: nx.DiGraph, outputs: list[str] | None) -> Loaded:
        """A graph's program on the device, built once; without ``outputs`` all are to be read."""
        keep, built = None if outputs is None else frozenset(outputs), self.loaded.setdefault(graph, {})
        if keep not in built:
            lanes, subgroups = self.device.lanes, self.device.subgroups
            if keep is not None:
                built[keep] = self._build(program(graph, lanes=lanes, subgroups=subgroups, keep=keep))
            else:
                regions = arenas(graph, min(self.device.device.limits[limit] for limit in LIMITS))
                made = program(graph, lanes=lanes, subgroups=subgroups, regions=regions)
                built[keep] = self._build(made, windows(graph, regions))
        return built[keep]

    def finish(self) -> None:
        """Wait for what is submitted: read something small (wgpu-native's own wait is broken in 0.32)."""
        self.device.device.queue.read_buffer(self.device.token, 0, 4)

    def _read(self, graph: nx.DiGraph, loaded: Loaded, name: str) -> Array:
        node, queue = graph.nodes[name], self.device.device.queue
        buffer = loaded.buffers[loaded.program.outputs[name]]
        whole = graph.graph["arithmetic"] == "exact"
        dtype = np.int32 if whole else getattr(ops.load(node["op"]), "OUTPUT", np.float32)
        words = np.frombuffer(queue.read_buffer(buffer, 0, 4 * prod(node["shape"])), dtype)
        return words.reshape(node["shape"])

    def _show(self, loaded: Loaded, observe: Callable[[Outputs], object]) -> None:
        """Run and show every output, a window at a time, each in the buffer that the one before does not lie in.

        A window is submitted when the one before is mapped: wgpu-native's wait is for all that is submitted.
        """
        free, other = reversed(loaded.copied) if loaded.copied[0] is self.mapped else loaded.copied
        buffers = [(free, other)[index % 2] for index in range(len(loaded.windows))]

        def commands() -> Iterator[Any]:
            for window, to in zip(loaded.windows, buffers, strict=True):
                copies = ((loaded.buffers[source], at, to, *part) for source, at, *part in window.copies)
                yield self.device.encode(loaded.dispatches[window.nodes], copies)

        queue, encoded = self.device.device.queue, commands()
        queue.submit([next(encoded)])
        for window, buffer in zip(loaded.windows, buffers, strict=True):
            following = list(islice(encoded, 1))
            buffer.map_sync("READ")
            try:
                observe(window.outputs.of(np.frombuffer(buffer.read_mapped(copy=False), np.int32)))
            finally:
                if self.mapped is not None:
                    self.mapped.unmap()
                self.mapped = buffer
            queue.submit(following)

    def read(self, graph: nx.DiGraph, name: str) -> Array:
        """The state of a node, (sequences · capacity, width)."""
        buffer = self._state(graph, name)
        dtype = np.int32 if graph.graph["arithmetic"] == "exact" else np.float32
        return np.frombuffer(self.device.device.queue.read_buffer(buffer), dtype).reshape(
            -1, graph.nodes[name]["shape"][1]
        )

    def write(self, graph: nx.DiGraph, name: str, places: Array, rows: Array) -> None:
        """Rows of a node with a state, at consecutive places (T, 2) of sequence and position."""
        sequence, position = places[0].tolist()
        at = rows[0].nbytes * (sequence * graph.nodes[name]["attributes"]["capacity"] + position)
        self.device.device.queue.write_buffer(self._state(graph, name), at, np.ascontiguousarray(rows))

    def _state(self, graph: nx.DiGraph, name: str) -> Any:
        node = graph.nodes[name]
        rows = node["attributes"]["sequences"] * node["attributes"]["capacity"]
        return self._buffer(f"state {node['state']}", WORD * rows * node["shape"][1])

    def _build(self, made: Program, windows: Sequence[Window] = ()) -> Loaded:
        buffers = {name: self._buffer(name, size) for name, size in made.sizes.items()}
        buffers |= {name: self._weight(name, constant, pack) for name, (constant, pack) in made.weights.items()}
        size = max((window.size for window in windows), default=0)
        copied = [self.device.buffer("copy", size, mapped=True) for _ in range(2 if windows else 0)]
        return Loaded(made, dispatches(self.device, made, buffers), buffers, windows, copied)

    def _buffer(self, name: str, size: int) -> Any:
        """A buffer of one program, or a state's, which is kept while its size is the same."""
        if not name.startswith("state "):
            return self.device.buffer(name, size)
        if name not in self.kept or self.kept[name].size != size:
            self.kept[name] = self.device.buffer(name, size)
        return self.kept[name]

    def _weight(self, name: str, constant: str, pack: Any) -> Any:
        if name not in self.kept:
            words = pack(self.model.constants[constant])
            self.kept[name] = self.device.buffer(name, words.nbytes)
            self.device.device.queue.write_buffer(self.kept[name], 0, words)
        return self.kept[name]
