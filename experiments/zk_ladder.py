"""Table 1 on a ladder of perceptrons: a zk-SNARK of each by ezkl, and the optimistic proof of the same model."""

import hashlib
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date
from importlib.metadata import version
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from auction.market import Float
from experiments import zk_prover
from experiments.progress import track

Widths = tuple[int, ...]
LADDER: tuple[Widths, ...] = (
    (16, 16, 4),
    (64, 64, 10),
    (128, 128, 128),
    (192, 192, 192),
    (240, 240, 240),
    (256, 256, 256),
    (352, 352, 352),
    (384, 384, 384),
    (480, 480, 480),
    (512, 512, 512),
    (640, 640, 640),
    (704, 704, 704),
    (768, 768, 768),
)
"""A circuit has 2^k rows of two multiply-accumulates each: some models nearly fill it, some are just above half."""
STORED = "zk_ladder.csv"
PROVED = "proved"
TILE = 64  # words of a layer's output that a referee recomputes at once


def macs(widths: Sequence[int]) -> int:
    """Multiply-accumulates of one pass, which is also the number of weights: there are no biases."""
    return sum(a * b for a, b in pairwise(widths))


def named(widths: Sequence[int]) -> str:
    return "-".join(map(str, widths))


def parsed(name: str) -> Widths:
    """The inverse of ``named``."""
    return tuple(map(int, name.split("-")))


def installed() -> bool:
    """Whether the extra ``zk`` is."""
    return all(importlib.util.find_spec(name) for name in ("ezkl", "onnx"))


def stored() -> pd.DataFrame:
    """The ladder as it was measured on the date and machine it names."""
    with files("experiments").joinpath(STORED).open() as lines:
        return pd.read_csv(lines)


def measured() -> pd.DataFrame:
    """The ladder, measured now (some 20 minutes on two cores), up to the first model that does not fit the limits."""
    rows = []
    for widths in track(LADDER, "zk-SNARKs"):
        rows.append(prove(widths))
        if rows[-1]["status"] != PROVED:
            break
    where = {"date": date.today().isoformat(), "machine": "this machine", "ezkl": version("ezkl")}
    return pd.DataFrame([where | row for row in rows])


def prove(widths: Widths, python: str = sys.executable) -> dict[str, object]:
    """A row of the ladder: CPU seconds and peak bytes of every phase, bytes of keys, reference string and proof.

    ``status`` is "proved", or the first phase that ``zk_prover.SECONDS`` or ``zk_prover.MEMORY`` ended.
    """
    row: dict[str, object] = {"widths": named(widths), "macs": macs(widths), "status": PROVED}
    with tempfile.TemporaryDirectory() as directory:
        for phase in zk_prover.PHASES:
            command = [python, "-m", "experiments.zk_prover", phase, directory, *map(str, widths)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                return row | {"status": f"{phase}: beyond the limits"}
            found = json.loads(done.stdout.strip().splitlines()[-1])
            row |= {f"{phase}_cpu": round(found["cpu"], 3), f"{phase}_memory": found["memory"]}
        at = Path(directory)
        row["logrows"] = json.loads((at / "settings.json").read_text())["run_args"]["logrows"]
        row |= {f"{name}_bytes": (at / name).stat().st_size for name in ("pk", "vk", "srs")}
        row["proof_bytes"] = len(json.loads((at / "proof.json").read_text())["hex_proof"].removeprefix("0x")) // 2
    return row


def optimistic(widths: Widths, repeats: int) -> dict[str, object]:
    """The optimistic proof of one pass in exact integers: CPU seconds of inference, commitment, dispute; bytes opened.

    Commitment: a SHA-256 Merkle tree over the tiles of all outputs. Dispute: one tile of the largest layer recomputed
    from inputs opened with their proofs. A stand-in of some lines for the package ``verification``.
    """
    rng = np.random.default_rng(0)
    # Integers in float64 are exact here, at most 128 * 127 * 1024 terms, and BLAS multiplies them.
    weights = [rng.integers(-127, 128, (b, a)).astype(float) for a, b in pairwise(widths)]
    start = rng.integers(-127, 128, widths[0]).astype(float)

    def infer() -> list[Float]:
        outputs, value = [], start
        for matrix in weights:
            value = np.clip(np.floor(matrix @ value / 128), 0, 127)
            outputs.append(value)
        return outputs

    outputs = infer()
    tiles = [t.astype("<i4").tobytes() for out in outputs for t in np.split(out, range(TILE, out.size, TILE))]
    layer = int(np.argmax([matrix.size for matrix in weights]))
    before = ([start] + outputs)[layer]

    def dispute() -> Float:
        opened = [t.astype("<i4").tobytes() for t in np.split(before, range(TILE, before.size, TILE))]
        root(opened)
        return np.clip(np.floor(weights[layer][:TILE] @ before / 128), 0, 127)

    depth = max(1, (len(tiles) - 1).bit_length())
    return {
        "widths": named(widths),
        "infer_cpu": cpu_seconds(infer, repeats),
        "commit_cpu": cpu_seconds(lambda: root(tiles), repeats),
        "dispute_cpu": cpu_seconds(dispute, repeats),
        "commitment_bytes": 32,
        "opened_bytes": 4 * before.size + 4 * TILE + 2 * 32 * depth,
        "rounds": depth,
    }


def root(leaves: Sequence[bytes]) -> bytes:
    """Merkle root: leaves and nodes hashed under different prefixes, an odd one carried up."""
    level = [hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves]
    while len(level) > 1:
        pairs = [hashlib.sha256(b"\1" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0]


def cpu_seconds(work: Callable[[], object], repeats: int) -> float:
    """Least CPU time of one call among ``repeats`` batches of ten."""
    times = []
    for _ in range(repeats):
        began = time.process_time()
        for _ in range(10):
            work()
        times.append((time.process_time() - began) / 10)
    return min(times)
