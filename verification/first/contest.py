"""A cheat and its challenger, set up and played: what ``dispute`` of the command line shows."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.computation import Computation
from verification.errors import InputError, Refusal
from verification.first.adversaries import break_protocol, corrupt_trace, play_for_money
from verification.first.bisection import Dispute
from verification.first.commitment import Commitment, canonical, check, commit, public
from verification.first.messages import ROLES
from verification.first.party import honest, play
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
    known = corrupt_trace.ADVERSARIES, corrupt_trace.SUBSTITUTES, break_protocol.ADVERSARIES, break_protocol.BEFOREHAND
    return [name for group in known for name in group if name not in NEVER_ASSERTERS]


def table() -> list[dict[str, Any]]:
    """Every adversary: name, kind, what it does, and the reason it loses for or what it and others gain."""

    def first_line(function: Callable[..., Any]) -> str:
        return (function.__doc__ or "").partition("\n")[0].rstrip(".")

    rows = [
        ("corrupt the trace", name, "tokens-wrong" if name.endswith("tokens") else "step-wrong", first_line(function))
        for name, function in corrupt_trace.ADVERSARIES.items()
    ]
    rows += [("corrupt the trace", name, "step-wrong", what) for name, what in corrupt_trace.SUBSTITUTES.items()]
    for name, (wrap, reason) in break_protocol.ADVERSARIES.items():
        silent = f"Silent when its turn comes at stage {name.removeprefix('silent-at-')}"
        what = silent if name.startswith("silent-at-") else first_line(wrap)
        if name not in NEVER_ASSERTERS:
            rows.append(("break the protocol", name, reason, what))
    rows += [("break the protocol", name, *each) for name, each in break_protocol.BEFOREHAND.items()]
    found: list[dict[str, Any]] = [
        {"name": name, "kind": kind, "loses": loses, "what": what} for kind, name, loses, what in rows
    ]
    games = {"withheld-reveal": play_for_money.withheld_reveal} | play_for_money.ADVERSARIES
    for name, game in games.items():
        kind = "break the protocol" if name == "withheld-reveal" else "play for money"
        found.append({"name": name, "kind": kind, "outcome": game(play_for_money.RULES), "what": first_line(game)})
    return found


def beforehand(task: Task, computation: Computation, right: Trace, adversary: str) -> str:
    """The reason for which an adversary loses before there is a dispute; "" where it does not."""
    rival, thief = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2))
    one = commit(task.name, right, rival, bytes(32))
    if adversary == "two-commitments":
        corrupt_trace.flip(right, 0, 0)
        return adversary if break_protocol.equivocates(one, commit(task.name, right, rival, bytes(32))) else ""
    try:
        check(break_protocol.copied(one, thief), one.seal, task.name, computation)
    except Refusal as refusal:
        return refusal.reason
    return ""


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
