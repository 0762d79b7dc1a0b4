"""Readers of what parties sign: results, transcripts, messages, ledgers, stores of tiles."""

import json
from base64 import b64encode
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from reader import folder

from verification import tile_store
from verification.adversaries.listing import cheat
from verification.commands.commit import NO_MARKET, signed_root
from verification.commands.replay import rules_of_market
from verification.computation import Computation
from verification.contest import contest
from verification.dispute.messages import KINDS
from verification.dispute.transcript import KEYS, replay
from verification.encoding.canonical import canonical, parsed
from verification.encoding.request import request
from verification.encoding.schema import read as read_content
from verification.encoding.signature import public
from verification.errors import Refusal
from verification.files import read
from verification.inference_models import Models
from verification.ledger.inspect import inspect
from verification.ledger.store import Ledger
from verification.market.operations import OPERATIONS
from verification.market.rules import Rules
from verification.result import sign_result
from verification.task import Task, read_task
from verification.trace import Trace, record


@cache
def dispute() -> tuple[dict[str, Any], Task, Computation, Trace]:
    """A transcript of a cheat in the tiny model, what it is about, and the cheat's trace."""
    task = Task("tiny", (72, 105), 2, 0, 0)
    computation = Models().computation(task, "numpy", None)
    wrong, right = record(computation, keep_all=True), record(computation, keep_all=True)
    wrong = cheat(wrong, "silent-at-open")
    held = contest(task, computation, wrong, right, Models().prompt_chunk)
    return json.loads(json.dumps(held.transcript)), task, computation, wrong


def write_transcript(root: Path) -> None:
    (folder(root, "dispute") / "transcript.json").write_text(json.dumps(dispute()[0]))


def read_transcript(path: Path) -> None:
    content = read(path / "transcript.json", KEYS, "a transcript")
    read_task(content["task"])
    with suppress(Refusal):
        rules_of_market(content, content["referee"])
    replay(content, dispute()[2], content["referee"], Rules())


def write_result(root: Path) -> None:
    _, task, _, wrong = dispute()
    key = Ed25519PrivateKey.from_private_bytes(b"d" * 32)
    result, output = sign_result(key, NO_MARKET, task.name, wrong)
    content = {"task": task.plain(), "result": parsed(result.raw), "output": b64encode(output).decode()}
    (folder(root, "result") / "result.json").write_text(json.dumps(content))


def read_result(path: Path) -> None:
    content = read(path / "result.json", {"task", "result", "output"}, "a result")
    signed_root(content, read_task(content["task"]), dispute()[2])


def write_messages(root: Path) -> None:
    messages = [entry["message"] for entry in dispute()[0]["entries"]]
    for number, message in enumerate(messages):
        (folder(root, f"{number}") / "message.json").write_bytes(canonical(message))


def read_message(path: Path) -> None:
    """As if whoever wrote it had signed it."""
    envelope = parsed((path / "message.json").read_bytes())
    if isinstance(envelope, dict) and isinstance(envelope.get("kind"), str) and envelope["kind"] in KINDS:
        read_content(KINDS[envelope["kind"]], envelope.get("content"))


def write_ledger(root: Path) -> None:
    key = Ed25519PrivateKey.from_private_bytes(b"c" * 32)
    content = {"coordinator": public(key), "rules": Rules().plain(), "protocol": "0" * 64}
    with Ledger.create(folder(root, "ledger") / "ledger.db", key, content, OPERATIONS) as ledger:
        for since in (0, 6, 12):
            ledger.perform(request(key, "advance", ledger.market, {"since": since, "ticks": 6}))


def read_ledger(path: Path) -> None:
    inspect(path / "ledger.db", OPERATIONS)
    with Ledger(path / "ledger.db", OPERATIONS):
        pass


def write_store(root: Path) -> None:
    tile_store.write(root / "store", Models().model("tiny"))


def read_store(path: Path) -> None:
    store = tile_store.Store(path)
    computation = Models().stored(Task("tiny", (72, 105), 2, 0, 0), store)
    for node in range(len(computation.nodes)):
        computation.steps(node, 0)
    for name in store.content["constants"]:
        computation.tiles.tile(name, 0)
