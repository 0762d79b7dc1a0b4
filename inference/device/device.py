"""An adapter opened for compute: buffers, pipelines, dispatches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.device import tuning
from inference.device.adapters import choose, implementation
from inference.device.readback import Region
from inference.device.target import DOT4, INVOCATIONS, Target
from inference.errors import InputError
from inference.graph import Arithmetic
from inference.kernels import alone, kernel

LIMITS = ("max-storage-buffer-binding-size", "max-buffer-size")
LANES = {"CPU": 16, "GPU": 64}
"""Invocations a workgroup: rasterisers on processors run few at a time."""
SUBGROUPS = ("subgroup", "subgroups")  # the feature's names in wgpu-native and in Dawn

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One node, ready to be encoded."""

    pipeline: Any
    bindings: Any
    workgroups: tuple[int, ...]


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
        self.choose = tuning.choose(tuning.load(tuning.path(*self.identity)))
        """Which variants it takes: those that ``measure.tune`` kept for its adapter."""
        self.pipelines: dict[tuple[str | int, ...], Any] = {}
        self.subgroups = bool(features) and self._lanes_of_a_subgroup() >= 8

    @property
    def identity(self) -> tuple[str, str, str, int]:
        """Backend, adapter, driver, and invocations a workgroup: what decides how fast a kernel is."""
        return self.backend, self.name, self.adapter.info["description"], self.lanes

    @property
    def target(self) -> Target:
        """What programs for it are made for. Both implementations have dot4 and do not tell."""
        limits = {INVOCATIONS: self.device.limits[INVOCATIONS]}
        return Target(self.lanes, self.subgroups, frozenset([DOT4]), limits)

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

    def submit(self, dispatches: Iterable[Dispatch]) -> None:
        """Encode dispatches as one submission."""
        self.device.queue.submit([self.encode(dispatches)])

    def finish(self) -> None:
        """Wait for what is submitted: read something small (wgpu-native's own wait is broken in 0.32)."""
        self.device.queue.read_buffer(self.token, 0, 4)

    def encode(self, dispatches: Iterable[Dispatch], copies: Iterable[tuple[Any, int, Any, int, int]] = ()) -> Any:
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

    def pipeline(self, arithmetic: Arithmetic, op: str, variant: str, entry: str, lanes: int) -> Any:
        """The compiled kernel of an op."""
        key = (arithmetic, op, variant, entry, lanes)
        if key not in self.pipelines:
            prelude = self.prelude if "subgroup" in variant else ""
            module = self.device.create_shader_module(code=prelude + kernel(arithmetic, op, variant).code)
            stage = {"module": module, "entry_point": entry, "constants": {"lanes": lanes}}
            self.pipelines[key] = self.device.create_compute_pipeline(layout="auto", compute=stage)
        return self.pipelines[key]


def resource(buffers: Mapping[str, Any], bound: Region | str) -> dict[str, Any]:
    """What a binding takes: a buffer, or a region of one."""
    if isinstance(bound, Region):
        return {"buffer": buffers[bound.buffer], "offset": bound.offset, "size": bound.size}
    return {"buffer": buffers[bound], "offset": 0, "size": buffers[bound].size}
