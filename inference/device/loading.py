"""A program on a device: its dispatches with their bindings, and the buffers they bind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from inference.device.device import Device, Dispatch, resource
from inference.device.program import PARAMETERS, Program
from inference.device.readback import ALIGNMENT, Window


@dataclass(frozen=True, slots=True)
class Loaded:
    """A program on the device."""

    program: Program
    dispatches: list[list[Dispatch]]
    """Those of each node."""
    buffers: dict[str, Any]
    windows: Sequence[Window]
    """How every output is read, if all are."""
    copied: list[Any]
    """Buffers for a window each."""


def dispatches(device: Device, made: Program, buffers: Mapping[str, Any]) -> list[list[Dispatch]]:
    """The steps of each node of a program, ready to be encoded; their Params lie in one buffer."""
    steps = list(chain.from_iterable(made.steps))
    parameters = device.buffer("parameters", ALIGNMENT * len(steps), uniform=True)
    found = []
    for index, step in enumerate(steps):
        device.device.queue.write_buffer(parameters, ALIGNMENT * index, step.parameters)
        own = {"buffer": parameters, "offset": ALIGNMENT * index, "size": ALIGNMENT}
        pipeline = device.pipeline(made.arithmetic, step.op, step.variant, step.entry, step.lanes)
        entries = [
            {
                "binding": binding,
                "resource": own if name == PARAMETERS else resource(buffers, made.regions.get(name, name)),
            }
            for binding, name in step.bindings.items()
        ]
        group = device.device.create_bind_group(layout=pipeline.get_bind_group_layout(0), entries=entries)
        found.append(Dispatch(pipeline, group, step.workgroups))
    each = iter(found)
    return [list(islice(each, len(of_node))) for of_node in made.steps]
