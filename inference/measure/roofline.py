"""What an adapter can do at most: bytes a second of a copy, multiply-accumulates a second of integers."""

import time
from typing import NamedTuple

import numpy as np

from inference.device.device import LIMITS, Device, Dispatch
from inference.kernels import alone

COPIED = 2**28
"""Bytes, at most, of a GPU's copy: more than its caches hold."""
ON_PROCESSORS = 2**25
GROUPS = 4096
"""Workgroups that multiply on a GPU."""
KERNELS = ("multiply_accumulate", "multiply_accumulate_words")
DOTS = 4 * 4096
"""Multiply-accumulates of an invocation."""
SECONDS = 0.2
"""For each."""
WIDEST = 2**15
"""Workgroups in a row, of which a device allows 65,535."""


class Roofline(NamedTuple):
    """The limits that a kernel runs into."""

    bandwidth: float
    """Bytes a second, read and written."""
    rate: float
    """Multiply-accumulates a second."""


def roofline(device: Device) -> Roofline:
    """Of a device, the best of several runs of a copy, and of ``dot4I8Packed`` and products of words on registers."""
    largest = min(device.device.limits[limit] for limit in LIMITS)
    size = min(ON_PROCESSORS if device.target.rasteriser else COPIED, largest)
    vectors = size // 16
    rows = -(-vectors // (64 * WIDEST))
    copy = _dispatch(device, "copy", size, size, (-(-vectors // (64 * rows)), rows, 1))
    groups = GROUPS // 128 if device.target.rasteriser else GROUPS
    multiply = [_dispatch(device, kernel, 1024, 4 * 64 * groups, (groups, 1, 1)) for kernel in KERNELS]
    fastest = min(_seconds(device, dispatch) for dispatch in multiply)
    return Roofline(2 * size / _seconds(device, copy), DOTS * 64 * groups / fastest)


def _dispatch(device: Device, name: str, read: int, written: int, workgroups: tuple[int, ...]) -> Dispatch:
    module = device.device.create_shader_module(code=alone(name))
    pipeline = device.device.create_compute_pipeline(layout="auto", compute={"module": module, "entry_point": "main"})
    x, output = device.buffer("x", read), device.buffer("output", written)
    device.device.queue.write_buffer(x, 0, np.random.default_rng(0).integers(0, 2**32, 256, np.uint32))
    entries = [
        {"binding": binding, "resource": {"buffer": buffer, "offset": 0, "size": buffer.size}}
        for binding, buffer in enumerate((x, output))
    ]
    group = device.device.create_bind_group(layout=pipeline.get_bind_group_layout(0), entries=entries)
    return Dispatch(pipeline, group, workgroups)


def _seconds(device: Device, dispatch: Dispatch) -> float:
    """Of one dispatch: the best, over rounds of as many as take a tenth of the time."""
    many = 1
    while (took := timed(device, [dispatch] * many)) < SECONDS / 10:
        many *= 2
    rounds = max(2, int(SECONDS / took))
    return min(took, *(timed(device, [dispatch] * many) for _ in range(rounds))) / many


def timed(device: Device, dispatches: list[Dispatch]) -> float:
    """Seconds of a submission, from its encoding to its end."""
    started = time.perf_counter()
    device.submit(dispatches)
    device.finish()
    return time.perf_counter() - started
