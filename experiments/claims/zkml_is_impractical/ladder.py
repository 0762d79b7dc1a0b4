"""Table 1 on a ladder of perceptrons: a zk-SNARK of each by ezkl, and the optimistic proof of the same model."""

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
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from experiments.claims.zkml_is_impractical import prover
from experiments.claims.zkml_is_impractical.perceptron import Perceptron
from experiments.progress import track
from verification.first.adversaries.corrupt_trace import with_wrong_step
from verification.first.bisection import Dispute
from verification.first.commitment import commit, header, public
from verification.first.party import honest, play
from verification.trace import record

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
STORED = "ladder.csv"
PROVED = "proved"


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
    with files(__package__).joinpath(STORED).open() as lines:
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

    ``status`` is "proved", or the first phase that ``prover.SECONDS`` or ``prover.MEMORY`` ended.
    """
    row: dict[str, object] = {"widths": named(widths), "macs": macs(widths), "status": PROVED}
    with tempfile.TemporaryDirectory() as directory:
        for phase in prover.PHASES:
            command = [
                python,
                "-m",
                "experiments.claims.zkml_is_impractical.prover",
                phase,
                directory,
                *map(str, widths),
            ]
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
    """The optimistic proof of one pass in exact integers: CPU seconds of inference, commitment, dispute; bytes sent.

    Commitment: the trace recorded and its header signed, the inference itself not counted. Dispute: over one wrong word
    of the largest layer, both parties' and the referee's work together, all messages counted.
    """
    computation = Perceptron(widths)
    keys = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2)]
    honest_trace, wrong = record(computation), record(computation)
    with_wrong_step(wrong, int(np.argmax([matrix.size for matrix in computation.weights])), 0, 0)

    def dispute() -> Dispute:
        made = Dispute(computation, header("task", wrong, public(keys[0])), public(keys[1]))
        honest_trace.derived.clear()  # derived anew; the cheat's are its lie
        play(made, honest("asserter", keys[0], wrong), honest("challenger", keys[1], honest_trace))
        return made

    decided = dispute()
    assert decided.verdict is not None and decided.verdict.winner == "challenger"
    inference = cpu_seconds(lambda: computation.run(lambda first, outputs: None), repeats)
    committed = cpu_seconds(lambda: commit("task", record(computation), keys[0], bytes(32)), repeats)
    return {
        "widths": named(widths),
        "infer_cpu": inference,
        "commit_cpu": committed - inference,
        "dispute_cpu": cpu_seconds(dispute, repeats),
        "commitment_bytes": len(header("task", wrong, public(keys[0])).encoded()),
        "opened_bytes": decided.bytes,
        "rounds": sum(decided.rounds.values()),
    }


def cpu_seconds(work: Callable[[], object], repeats: int) -> float:
    """Least CPU time of one call among ``repeats`` batches of ten."""
    times = []
    for _ in range(repeats):
        began = time.process_time()
        for _ in range(10):
            work()
        times.append((time.process_time() - began) / 10)
    return min(times)
