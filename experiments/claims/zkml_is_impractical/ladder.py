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
from verification.adversaries.corrupt_trace import with_wrong_step
from verification.dispute.clocks import budgets
from verification.dispute.dispute import Dispute, identity
from verification.dispute.party import honest, play
from verification.dispute.record import Proceedings
from verification.dispute.transcript import summary
from verification.encoding.request import request
from verification.encoding.signature import public
from verification.market.rules import Rules
from verification.result import sign_result
from verification.trace import Trace, record

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
KEYS = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2, 3)]
"""Of coordinator, asserter and challenger."""
NOBODY = "0" * 64
"""Where a market, a lease or a claim is named: there is none."""
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

    Commitment: the trace recorded and its result signed, the inference itself not counted. Dispute: over one wrong word
    of the largest layer, both parties' and the referee's work together, its records signed, all messages counted.
    """
    computation = Perceptron(widths)
    right, wrong = record(computation), record(computation)
    with_wrong_step(wrong, int(np.argmax([matrix.size for matrix in computation.weights])), 0, 0)
    decided = disputed(computation, wrong, right)
    assert decided.verdict is not None and decided.verdict.winner == "challenger"
    told = summary(decided)
    result, output = sign_result(KEYS[1], NOBODY, NOBODY, wrong)
    inference = cpu_seconds(lambda: computation.run(lambda first, outputs: None), repeats)
    committed = cpu_seconds(lambda: sign_result(KEYS[1], NOBODY, NOBODY, record(computation)), repeats)
    return {
        "widths": named(widths),
        "infer_cpu": inference,
        "commit_cpu": committed - inference,
        "dispute_cpu": cpu_seconds(lambda: disputed(computation, wrong, right), repeats),
        "commitment_bytes": len(result.raw) + len(output),
        "opened_bytes": told["bytes"],
        "rounds": told["rounds_node"] + told["rounds_tile"],
    }


def disputed(computation: Perceptron, wrong: Trace, right: Trace) -> Dispute:
    """A dispute over a wrong trace, played to its end."""
    coordinator, asserter, challenger = KEYS
    rules = Rules()
    content = {
        "claim": NOBODY,
        "header": NOBODY,
        "computation": identity(computation),
        "asserter": public(asserter),
        "challenger": public(challenger),
        "roots": {"asserter": wrong.tree.root.hex(), "challenger": right.tree.root.hex()},
        "rules": {"delta": rules.delta, "levels": rules.levels, "message_limit": rules.message_limit},
        "budgets": budgets(rules.delta, rules.delta),
        "tick": 0,
        "head": {"number": 0, "digest": NOBODY},
    }
    right.derived.clear()  # derived anew; the cheat's are its lie
    dispute = Dispute(computation, request(coordinator, "begin", NOBODY, content))
    play(
        Proceedings(dispute, coordinator),
        {"asserter": honest(asserter, wrong), "challenger": honest(challenger, right)},
    )
    return dispute


def cpu_seconds(work: Callable[[], object], repeats: int) -> float:
    """Least CPU time of one call among ``repeats`` batches of ten."""
    times = []
    for _ in range(repeats):
        began = time.process_time()
        for _ in range(10):
            work()
        times.append((time.process_time() - began) / 10)
    return min(times)
