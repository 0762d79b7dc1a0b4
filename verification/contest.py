"""A cheat and its challenger, set up and played: what ``dispute`` of the command line shows."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.adversaries import break_protocol, corrupt_trace
from verification.bisection import Dispute
from verification.commitment import Commitment, canonical, check, commit, public
from verification.computation import Computation
from verification.errors import InputError
from verification.messages import ROLES
from verification.party import honest, play
from verification.trace import Trace

NEVER_ASSERTERS = ("silent-at-challenge", "silent-at-guard")
"""What an asserter cannot do, or not with the traces that are made here."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a user asks for."""

    model: str
    prompt: tuple[int, ...]
    """Tokens."""
    limit: int
    temperature: float
    seed: int

    @property
    def name(self) -> str:
        """Its digest."""
        return sha256(canonical(asdict(self))).hexdigest()


def names() -> list[str]:
    """Adversaries that ``dispute`` plays."""
    return [row["name"] for row in table() if row["kind"] != "play for money"]


def table() -> list[dict[str, str]]:
    """Every adversary: name, kind, the reason it loses by, and what it does."""

    def rows(kind: str, found: Sequence[tuple[str, str, str]]) -> list[dict[str, str]]:
        return [{"name": name, "kind": kind, "loses": loses, "what": what} for name, loses, what in found]

    def first_line(function: Callable[..., Any]) -> str:
        return (function.__doc__ or "").partition("\n")[0].rstrip(".")

    traces = [
        (name, "tokens-wrong" if name.endswith("tokens") else "step-wrong", first_line(function))
        for name, function in corrupt_trace.ADVERSARIES.items()
    ]
    others = [(name, "step-wrong", what) for name, what in corrupt_trace.SUBSTITUTES.items()]
    protocol = [
        (name, reason, f"Silent when its turn comes at stage {name.removeprefix('silent-at-')}")
        if name.startswith("silent-at-")
        else (name, reason, first_line(wrap))
        for name, (wrap, reason) in break_protocol.ADVERSARIES.items()
        if name not in NEVER_ASSERTERS
    ]
    return rows("corrupt the trace", traces + others) + rows("break the protocol", protocol)


def cheats(mine: Trace, adversary: str) -> Trace:
    """The trace an adversary commits to; it may change its own honest one.

    One that breaks the protocol does so over a wrong leaf, of a node of several leaves of several steps, so that all
    stages come; or over the tokens it delivers.
    """
    generator = np.random.default_rng(0)
    if adversary in corrupt_trace.ADVERSARIES:
        return corrupt_trace.ADVERSARIES[adversary](mine, generator)
    if adversary == "silent-at-deliver":
        return corrupt_trace.other_tokens(mine, generator)
    computation = mine.computation
    several = (n for n, tree in enumerate(mine.trees) if tree and len(tree) > 1 and len(computation.steps(n, 0)) > 1)
    corrupt_trace.flip(mine, next(several, 0), 0)
    return mine


def play_out(
    task: Task, computation: Computation, wrong: Trace, right: Trace, adversary: str | None
) -> tuple[Commitment, Dispute, list[dict[str, Any]]]:
    """Dispute a wrong trace: the opened commitment, the decided dispute and its events.

    Keys and nonce follow from the task, so that the same command gives the same transcript.
    """
    asserter, challenger = (
        Ed25519PrivateKey.from_private_bytes(sha256(f"{role} {task.name}".encode()).digest()) for role in ROLES
    )
    made = commit(task.name, wrong, asserter, sha256(task.name.encode()).digest())
    check(made, made.seal, task.name, computation)
    dispute = Dispute(computation, made.header, public(challenger))
    cheat = honest("asserter", asserter, wrong)
    if adversary in break_protocol.ADVERSARIES:
        cheat = break_protocol.ADVERSARIES[adversary][0]("asserter", asserter, cheat)
    return made, dispute, play(dispute, cheat, honest("challenger", challenger, right))


def place(text: str, computation: Computation) -> tuple[int, int]:
    """Node and element of ``node=NAME,element=I``.

    Raises:
        InputError: another form, an unknown node, an element that it does not have.
    """
    fields = dict(part.partition("=")[::2] for part in text.split(","))
    if fields.keys() != {"node", "element"} or not fields["element"].isdecimal():
        raise InputError(f"--corrupt {text!r} is not allowed; node=NAME,element=I")
    found = [node for node, shape in enumerate(computation.nodes) if shape.name == fields["node"]]
    if not found:
        last = len(computation.nodes) - 1
        raise InputError(
            f"--corrupt: there is no node {fields['node']!r}; there are {computation.nodes[0].name} to "
            f"{computation.nodes[last].name}, as in `python -m inference run --trace`"
        )
    shape, element = computation.nodes[found[0]], int(fields["element"])
    if element >= shape.rows * shape.words:
        raise InputError(f"--corrupt: element {element} of {shape.name}; it has 0 to {shape.rows * shape.words - 1}")
    return found[0], element
