"""Graphs run on a WebGPU adapter: weights uploaded, pipelines and bind groups built once; a run is one submission."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from math import prod
from typing import Any
from weakref import WeakKeyDictionary

import networkx as nx
import numpy as np
import numpy.typing as npt

from inference import ops
from inference.device.device import LIMITS, Device
from inference.device.leaves import Hashed, hashing
from inference.device.loading import Loaded, dispatches
from inference.device.program import Program, program
from inference.device.readback import Window, arenas, windows
from inference.errors import InputError
from inference.graph import kept_as, state_size
from inference.model import Model
from inference.outputs import Observer, Outputs

Array = npt.NDArray[Any]


class Runtime:
    """Runs graphs of one model on one device; weights and states stay there from run to run."""

    def __init__(self, model: Model, device: Device) -> None:
        self.model, self.device, self.name = model, device, device.backend
        self.mapped: Any = None
        """The buffer of the outputs that were shown last."""
        self.kept: dict[str, Any] = {}
        """Buffers of weights and states."""
        self.hashed: WeakKeyDictionary[nx.DiGraph, list[Hashed]] = WeakKeyDictionary()
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
                self.device.submit(chain.from_iterable(loaded.dispatches))
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

    def leaf_digests(self, graph: nx.DiGraph, inputs: Mapping[str, Array]) -> bytes:
        """Run; the digests of all leaves of all outputs in schedule order, which are hashed on the device."""
        loaded, queue = self.load(graph, None), self.device.device.queue
        if graph not in self.hashed:
            self.hashed[graph] = hashing(self.device, graph, loaded)
        for name, values in inputs.items():
            queue.write_buffer(loaded.buffers[f"input {name}"], 0, np.ascontiguousarray(values))
        found = []
        for window, hashed in zip(loaded.windows, self.hashed[graph], strict=True):
            self.device.submit([*chain.from_iterable(loaded.dispatches[window.nodes]), *hashed.dispatches])
            found.append(bytes(queue.read_buffer(hashed.digests, 0, hashed.size)))
        return b"".join(found)

    def load(self, graph: nx.DiGraph, outputs: list[str] | None) -> Loaded:
        """A graph's program on the device, built once; without ``outputs`` all are to be read."""
        keep, built = None if outputs is None else frozenset(outputs), self.loaded.setdefault(graph, {})
        if keep not in built:
            if keep is not None:
                built[keep] = self._build(program(graph, self.device.target, choose=self.device.choose, keep=keep))
            else:
                regions = arenas(graph, min(self.device.device.limits[limit] for limit in LIMITS))
                made = program(graph, self.device.target, choose=self.device.choose, regions=regions)
                built[keep] = self._build(made, windows(graph, regions))
        return built[keep]

    def finish(self) -> None:
        """Wait for what is submitted."""
        self.device.finish()

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
                yield self.device.encode(chain.from_iterable(loaded.dispatches[window.nodes]), copies)

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
        words = np.frombuffer(self.device.device.queue.read_buffer(self._state(graph, name)), kept_as(graph, name))
        return words.reshape(-1, graph.nodes[name]["shape"][1])

    def write(self, graph: nx.DiGraph, name: str, places: Array, rows: Array) -> None:
        """Rows of a node with a state, at consecutive places (T, 2) of sequence and position."""
        sequence, position = places[0].tolist()
        kept = np.ascontiguousarray(rows, kept_as(graph, name))
        at = kept[0].nbytes * (sequence * graph.nodes[name]["attributes"]["capacity"] + position)
        self.device.device.queue.write_buffer(self._state(graph, name), at, kept)

    def _state(self, graph: nx.DiGraph, name: str) -> Any:
        return self._buffer(f"state {graph.nodes[name]['state']}", state_size(graph, name))

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
