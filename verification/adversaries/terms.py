"""What requests of a scene hold: an order's terms, a lease's, and a secret that draws as a game wants it."""

from fractions import Fraction
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.computation import Computation
from verification.encoding.canonical import digest
from verification.manifest import layouts
from verification.market.draws import drawn
from verification.result import sign_result
from verification.task import LIKELIEST, Task
from verification.trace import Trace


def order_terms(computation: Computation, task: Task, bid: int, patience: int, unaudited: bool) -> dict[str, Any]:
    """Of an order of one request, its nonce apart."""
    digests = computation.digests
    part: dict[str, Any] = {
        "model": digests["model"],
        "input": digests["input"],
        "limit": task.limit,
        "temperature": task.millionths,
        "seed": str(task.seed),
    }
    part |= {name: value for name in LIKELIEST if (value := getattr(task, name)) is not None}
    return {"requests": [part], "bid": str(bid), "patience": patience, "unaudited": unaudited}


def shape_terms(computation: Computation) -> dict[str, Any]:
    """Of a lease, what follows from its computation."""
    digests, last = computation.digests, computation.nodes[-1]
    return {
        "graph": digests["graph"],
        "layouts": digest(layouts(digests["model"], {})),
        "nodes": len(computation.nodes),
        "rows": last.rows,
        "words": last.words,
    }


def secret_that(
    wanted: bool, device: Ed25519PrivateKey, trace: Trace, market: str, number: int, audit: Fraction
) -> str:
    """A secret for a lease under which its device's result is drawn, or is not, with chance ``audit``."""
    attempt = 0
    while True:
        secret = digest(["chosen", market, number, attempt])
        seal = sha256(bytes.fromhex(secret)).hexdigest()
        signed, _ = sign_result(device, market, seal, trace)
        if drawn(secret, sha256(signed.raw).hexdigest(), audit) == wanted:
            return secret
        attempt += 1
