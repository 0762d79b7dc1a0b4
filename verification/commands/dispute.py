"""``dispute``: a cheating asserter is challenged, and what comes of it."""

import json
from pathlib import Path
from typing import Any

from verification.adversaries import break_dispute, corrupt_trace
from verification.adversaries.listing import cheat, names
from verification.commands.source import Backend, Source, recorded
from verification.computation import Computation
from verification.contest import contest
from verification.dispute.transcript import summary
from verification.errors import InputError
from verification.files import check_writable, write
from verification.task import Task
from verification.terminal import printable
from verification.trace import Trace


def dispute(
    source: Source,
    task: Task,
    corrupt: str | None,
    adversary: str | None,
    backends: tuple[Backend, Backend],
    adapter: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Let an asserter cheat and be challenged; print who wins, where, what it took, and what becomes of the money.

    Args:
        corrupt: node=NAME,element=I: bit 0 of that word is flipped.
        adversary: one of ``names()``.
        backends: the asserter's and the challenger's; the referee recomputes in numpy.
        out: where to write the transcript.

    Raises:
        InputError: see ``check_choice`` and ``place``; nothing to dispute; a file that cannot be written.
    """
    if out is not None:
        check_writable(out)
    mine, theirs = backends
    computation = source.computation(task, mine, adapter)
    wrong = _wrong(source, task, computation, corrupt, adversary, mine, adapter)
    right = recorded(source.computation(task, theirs, adapter), "the challenger runs the model")
    if wrong.tree.root == right.tree.root:
        raise InputError(f"the adversary {adversary} gives the right trace here: there is nothing to dispute")
    wrap, _ = break_dispute.ADVERSARIES.get(adversary or "", (None, ""))
    held = contest(task, source.computation(task, "numpy", None), wrong, right, source.prompt_chunk, wrap)
    if out is not None:
        write(out, held.transcript)
    result = summary(held.dispute) | held.settled | {"referee": held.transcript["referee"]}
    print(json.dumps(result) if as_json else _told(result))


def check_choice(corrupt: str | None, adversary: str | None) -> None:
    """That there is one way to cheat, and that it is known.

    Raises:
        InputError: see above.
    """
    if (corrupt is None) == (adversary is None):
        raise InputError("give either --corrupt node=NAME,element=I or --adversary NAME")
    if adversary is not None and adversary not in names():
        raise InputError(f"unknown adversary {adversary!r}; there are {', '.join(names())}")


def _wrong(
    source: Source,
    task: Task,
    computation: Computation,
    corrupt: str | None,
    adversary: str | None,
    backend: Backend,
    adapter: str | None,
) -> Trace:
    """The trace that the asserter commits to."""
    at = None if corrupt is None else place(corrupt, computation)
    if adversary in corrupt_trace.SUBSTITUTES:
        other = source.substitute(task, str(adversary), backend, adapter)
        run = recorded(other, "the asserter runs something else", keep_all=True)
        return corrupt_trace.substituted(computation, run)
    trace = recorded(computation, "the asserter runs the model")
    if at is None:
        return cheat(trace, str(adversary))
    corrupt_trace.flip(trace, *at)
    return trace


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


def _told(result: dict[str, Any]) -> str:
    """A dispute that was settled, for a person."""
    share = result["referee_macs"] / result["inference_macs"]
    lines = [
        "the {winner} wins ({reason}) over " + where(result),
        "{rounds_node} rounds over nodes, {rounds_tile} over tiles; {messages} messages, {bytes:,} bytes",
        f"the referee recomputed {{referee_macs:,}} multiply-accumulates, {share:.1e} of {{inference_macs:,}}",
        "price {price:,}, stake {stake:,}, bond {bond:,} micro-tokens",
        "of the stake {reward:,} go to the challenger, {fund:,} to the fund, and {burnt:,} are burnt",
        "the task {task}; the asserter's key " + ("is removed" if result["removed"] else "stays"),
        "referee {referee}",
    ]
    return "\n".join(printable(line.format(**result)) for line in lines)


def where(result: dict[str, Any]) -> str:
    """Where a dispute ended, for a person."""
    node = result["disputed_node"] or "no node"
    return node if result["disputed_tile"] is None else f"{node}, tile {result['disputed_tile']}"
