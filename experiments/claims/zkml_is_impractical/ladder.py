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
from experiments.records import provenance
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
OPTIMISTIC = ("infer_cpu", "commit_cpu", "dispute_cpu", "commitment_bytes", "opened_bytes", "rounds")
"""Columns of the optimistic proof; the others are of the zk-SNARK."""


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


def measured(repeats: int) -> pd.DataFrame:
    """The ladder, measured now (some 40 processor minutes), up to the first model that does not fit the limits.

    A row a model: its zk-SNARK and, on the same machine right after it, its optimistic proof.
    """
    rows: list[dict[str, object]] = []
    strings: dict[int, dict[str, object]] = {}
    with tempfile.TemporaryDirectory() as directory:
        for widths in track(LADDER, "both proofs"):
            rows.append(prove(widths, Path(directory), strings) | optimistic(widths, repeats))
            if rows[-1]["status"] != PROVED:
                break
    origin = {"date": date.today().isoformat(), "machine": provenance()["machine"], "ezkl": version("ezkl")}
    return pd.DataFrame([origin | row for row in rows])


def prove(widths: Widths, directory: Path, strings: dict[int, dict[str, object]]) -> dict[str, object]:
    """A row of the ladder: CPU seconds and peak bytes of every phase, bytes of keys, reference string and proof.

    ``status`` is "proved", or the first phase that ``prover.SECONDS`` or ``prover.MEMORY`` ended.

    Args:
        strings: what it took to generate the reference strings that lie in ``directory``, by the logarithm of their
            rows; one serves all circuits of a size, and a new one is entered here.
    """
    row: dict[str, object] = {"widths": named(widths), "macs": macs(widths), "status": PROVED}
    for phase in prover.PHASES:
        spent = strings.get(_logrows(directory)) if phase == "srs" else None
        spent = spent or _performed(phase, directory, widths)
        if spent is None:
            return row | {"status": f"{phase}: beyond the limits"}
        row |= spent
        if phase == "srs":
            strings[_logrows(directory)] = spent
    row["logrows"] = _logrows(directory)
    row |= {f"{name}_bytes": (directory / name).stat().st_size for name in ("pk", "vk")}
    row["srs_bytes"] = (directory / f"srs{row['logrows']}").stat().st_size
    row["proof_bytes"] = len(json.loads((directory / "proof.json").read_text())["hex_proof"].removeprefix("0x")) // 2
    return row


def _logrows(directory: Path) -> int:
    """Of the circuit that was built last."""
    return int(json.loads((directory / "settings.json").read_text())["run_args"]["logrows"])


def _performed(phase: str, directory: Path, widths: Widths) -> dict[str, object] | None:
    """What a phase took; None where the limits ended it."""
    command = [sys.executable, "-P", prover.__file__, phase, str(directory), *map(str, widths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    found = json.loads(done.stdout.strip().splitlines()[-1])
    return {f"{phase}_cpu": round(found["cpu"], 3), f"{phase}_memory": found["memory"]}


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
