"""Seconds a picture of the terrain model takes: in both arithmetics, with leaves hashed, and by ONNX Runtime.

Sides run interleaved, so that whatever else a machine does meets all alike; processor seconds are those of the whole
process, an adapter without a GPU among them.
"""

import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.device.device import Device
from inference.device.runtime import Runtime
from inference.errors import InputError
from inference.measure.bench import ARITHMETICS
from inference.models.terrain import SIGMA, inputs, terrain, terrain_file

CLASS, SEED = 40, 7
PEERS = ("onnxruntime, one thread", "onnxruntime, two threads")
Picture = Callable[[], object]


def ours(device: Device) -> dict[str, Picture]:
    """A picture in each arithmetic, and in exact arithmetic with all leaves of all nodes hashed on the device."""
    sides: dict[str, Picture] = {}
    for arithmetic in ARITHMETICS:
        model = terrain("terrain", arithmetic)
        runtime, given = Runtime(model.model, device), inputs(arithmetic, CLASS, SEED)
        sides[arithmetic] = partial(runtime.run, model.graph, given, [model.picture])
        if arithmetic == "exact":
            sides["exact, leaves hashed"] = partial(runtime.leaf_digests, model.graph, given)
    return sides


def onnx_runtime(noisy: npt.NDArray[np.float32], threads: int) -> Picture:
    """The peer, fed our noise.

    Raises:
        InputError: it is not installed.
    """
    try:
        import onnxruntime
    except ModuleNotFoundError:
        raise InputError("ONNX Runtime is not installed: pip install 'distribute-lab[peers]'") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    # Waiting threads would be counted as work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(terrain_file(), options, providers=["CPUExecutionProvider"])
    difficulty = inputs("float32", CLASS, SEED)["difficulty"][0]
    given = {"noisy": noisy, "sigma": np.array([SIGMA], np.float32), "difficulty": difficulty}
    return partial(session.run, None, given)


def measured(sides: dict[str, Picture], rounds: int) -> list[dict[str, Any]]:
    """A row for each side, medians over rounds after one that is not counted.

    ``share`` and ``processor_share``: seconds of ONNX Runtime's faster side to this side's; None without it.
    """
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for _ in range(rounds + 1):
        for name, picture in sides.items():
            started = time.perf_counter(), time.process_time()
            picture()
            taken[name].append((time.perf_counter() - started[0], time.process_time() - started[1]))
    rows: list[dict[str, Any]] = [
        {
            "side": name,
            "seconds": median(wall for wall, _ in each[1:]),
            "processor_seconds": median(p for _, p in each[1:]),
        }
        for name, each in taken.items()
    ]
    for key, share in (("seconds", "share"), ("processor_seconds", "processor_share")):
        best = min((row[key] for row in rows if row["side"] in PEERS), default=None)
        for row in rows:
            row[share] = None if best is None else best / row[key]
    return rows


def pictures(device: Device, rounds: int, peers: bool) -> tuple[list[dict[str, Any]], list[str]]:
    """The rows of all sides, and one line for each peer that is absent."""
    from inference.measure.peers import present

    noisy = terrain("terrain", "float32").noisy_array(inputs("float32", CLASS, SEED)["seed"])[None, None]
    wanted = {name: partial(onnx_runtime, noisy, threads) for threads, name in enumerate(PEERS, 1)} if peers else {}
    beside, absent = present(wanted)
    return measured(ours(device) | beside, rounds), absent
