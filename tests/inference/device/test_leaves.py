"""Leaves hashed on every adapter present: what hashlib gives of them, of every length, and of all outputs of a run."""

import struct
from hashlib import sha256

import numpy as np
import pytest

from inference.device import readback
from inference.device.device import Dispatch
from inference.device.runtime import Runtime
from inference.generate import placed
from inference.kernels import alone
from inference.models.llama import graph
from inference.reference import Reference
from inference.steps import LEAF


def expected(words):
    return sha256(b"\0i32" + struct.pack("<I", len(words)) + words.astype("<i4").tobytes()).digest()


def leaves_of(output):
    rows = output.reshape(len(output), -1)
    return [row[start : start + LEAF] for row in rows for start in range(0, rows.shape[1], LEAF)]


def hashed(device, x, table):
    """The digests of leaves of some words."""
    gpu = device.device
    stage = {"module": gpu.create_shader_module(code=alone("leaf_digests")), "entry_point": "main"}
    pipeline = gpu.create_compute_pipeline(layout="auto", compute=stage | {"constants": {"lanes": device.lanes}})
    contents = [np.array([0, len(table), 0, 0], np.uint32), x, table, np.zeros(8 * len(table), np.uint32)]
    buffers = [device.buffer("", each.nbytes, uniform=not at) for at, each in enumerate(contents)]
    for buffer, content in zip(buffers, contents, strict=True):
        gpu.queue.write_buffer(buffer, 0, content)
    entries = [
        {"binding": at, "resource": {"buffer": buffer, "offset": 0, "size": buffer.size}}
        for at, buffer in enumerate(buffers)
    ]
    group = gpu.create_bind_group(layout=pipeline.get_bind_group_layout(0), entries=entries)
    device.submit([Dispatch(pipeline, group, (-(-len(table) // device.lanes), 1, 1))])
    raw = bytes(gpu.queue.read_buffer(buffers[-1], 0, 32 * len(table)))
    return [raw[at : at + 32] for at in range(0, len(raw), 32)]


def test_leaves_of_every_length_are_hashed_as_hashlib_does(stack, device):
    generator = np.random.default_rng(0)
    x = generator.integers(-(2**31), 2**31, 4000, dtype=np.int64).astype(np.int32)
    counts = [*range(1, 70), *range(LEAF - 35, LEAF + 1)]
    firsts = generator.integers(0, len(x) - LEAF, len(counts))
    order = generator.permutation(len(counts))
    table = np.array([firsts, counts, order, np.zeros(len(counts))], np.uint32).T
    found = hashed(device(stack), x, np.ascontiguousarray(table))
    for first, count, index in zip(firsts, counts, order, strict=True):
        assert found[index] == expected(x[first : first + count]), count


@pytest.mark.parametrize(("tokens", "window"), [(1, 1 << 27), (9, 2000)])
def test_all_outputs_of_a_run_are_hashed_where_they_lie(tiny_model, stack, device, monkeypatch, tokens, window):
    monkeypatch.setattr(readback, "WINDOW", window)
    model = tiny_model("exact")
    built, inputs = graph(model, tokens, capacity=16), placed(list(range(tokens)), 0)
    outputs = []
    Reference(model).run(built, inputs, [], lambda shown: outputs.extend(each.copy() for _, each in shown.items()))
    digests = [expected(leaf) for output in outputs for leaf in leaves_of(output)]
    runtime = Runtime(model, device(stack))
    for _ in range(2):
        assert runtime.leaf_digests(built, inputs) == b"".join(digests)
