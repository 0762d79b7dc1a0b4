"""``commit`` and ``check``: a run's result as a device signs it, and the whitepaper's linear recomputation of it."""

import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.commands.source import Backend, Source, prepared, recorded
from verification.computation import Computation
from verification.dispute.referee import linear
from verification.encoding.canonical import canonical, parsed
from verification.encoding.request import opened
from verification.encoding.schema import binary
from verification.errors import Refusal
from verification.files import read, write
from verification.result import check_result, sign_result, tokens_of
from verification.task import Task, read_task
from verification.terminal import printable

NO_MARKET = "0" * 64
"""The market of a result that is for none; its lease is the task."""


def commit(source: Source, task: Task, backend: Backend, adapter: str | None, out: Path, as_json: bool) -> None:
    """Run a task and write its result, under a key made for it.

    Raises:
        InputError: a file that cannot be written.
    """
    trace = recorded(prepared(source, task, backend, adapter), "the device runs the model")
    result, output = sign_result(Ed25519PrivateKey.generate(), NO_MARKET, task.name, trace)
    content = {"task": task.plain(), "result": parsed(result.raw), "output": b64encode(output).decode()}
    write(out, content)
    nodes = trace.computation.nodes
    # What a text's run delivers is a node of its own.
    delivered = {"tokens": tokens_of(output)} if nodes[-1].op == "output" else {"digest": sha256(output).hexdigest()}
    told = {"nodes": len(nodes), "root": trace.tree.root.hex(), **delivered}
    if as_json:
        print(json.dumps(told | {"signed_by": result.party}))
    else:
        print(
            "{nodes} nodes, root {root}, ".format(**told) + "".join(f"{key} {what}" for key, what in delivered.items()),
            f"signed by {result.party} in {printable(str(out))}",
            sep="\n",
        )


def check(source: Source, path: Path, backend: Backend, adapter: str | None, as_json: bool) -> bool:
    """Recompute a result's whole run; print whether it holds, and give it.

    Raises:
        InputError: a file that is none of ``commit``'s.
    """
    content = read(path, {"task", "result", "output"}, "a result of `commit`")
    task = read_task(content["task"])
    computation = prepared(source, task, backend, adapter)
    try:
        root = signed_root(content, task, computation)
        wrong = linear(root, recorded(computation, "recomputing the run"))
    except Refusal as refusal:
        wrong = str(refusal)
    nodes = len(computation.nodes)
    if as_json:
        print(json.dumps({"holds": not wrong, "wrong": wrong, "nodes": nodes}))
    else:
        print(
            printable(f"the result does not hold: {wrong}" if wrong else f"the result holds: {nodes} nodes recomputed")
        )
    return not wrong


def signed_root(content: dict[str, Any], task: Task, computation: Computation) -> str:
    """The root that a file of ``commit``'s claims.

    Raises:
        Refusal: see ``opened`` and ``check_result``.
    """
    result = opened(canonical(content["result"]), NO_MARKET)
    return check_result(result, binary(content["output"]), task.name, computation)
