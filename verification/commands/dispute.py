"""``dispute``: a cheating asserter is challenged, and what comes of it."""

import json
import re
from contextlib import nullcontext
from difflib import get_close_matches
from pathlib import Path
from shlex import quote
from typing import Any

from verification.adversaries import break_dispute, corrupt_trace
from verification.adversaries.listing import cheat, names
from verification.commands.progress import working
from verification.commands.reasons import outcome, why
from verification.commands.source import Backend, Source, prepared, recorded
from verification.computation import Computation
from verification.contest import contest
from verification.dispute.transcript import summary
from verification.errors import InputError
from verification.files import appearing, check_new, check_writable, write
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
    ledger: Path | None,
    as_json: bool,
) -> None:
    """Let an asserter cheat and be challenged; print who wins, where, what it took, and what becomes of the money.

    Args:
        corrupt: node=NAME,element=I: bit 0 of that word is flipped.
        adversary: one of ``names()``.
        backends: the asserter's and the challenger's; the referee recomputes in numpy.
        out: where to write the transcript.
        ledger: where to write the market's ledger.

    Raises:
        InputError: see ``place``; nothing to dispute; a file that cannot be written.
    """
    mine, theirs = backends
    computation = prepared(source, task, mine, adapter)
    wrong = _wrong(source, task, computation, corrupt, adversary, mine, adapter)
    right = recorded(prepared(source, task, theirs, adapter), "the challenger runs the model")
    if wrong.tree.root == right.tree.root:
        raise InputError(f"the adversary {adversary} gives the right trace here: there is nothing to dispute")
    wrap, _ = break_dispute.ADVERSARIES.get(adversary or "", (None, ""))
    referee = prepared(source, task, "numpy", None)
    kept = nullcontext(":memory:") if ledger is None else appearing(ledger)
    with working("the two descend to one step, which the referee computes"), kept as path:
        held = contest(task, referee, wrong, right, source.prompt_chunk, wrap, path)
    if out is not None:
        write(out, held.transcript)
    result = summary(held.dispute) | held.settled | {"referee": held.transcript["referee"], "head": held.head}
    print(json.dumps(result) if as_json else _told(result, out, ledger))


def check_asked(corrupt: str | None, adversary: str | None, out: Path | None, ledger: Path | None) -> None:
    """That there is one way to cheat, which is known, and that files can be written.

    Raises:
        InputError: see above.
    """
    if (corrupt is None) == (adversary is None):
        raise InputError("give either --corrupt node=NAME,element=I or --adversary NAME")
    if adversary is not None and adversary not in names():
        nearest = get_close_matches(adversary, names(), 1)
        hint = f"did you mean {nearest[0]}? There" if nearest else "there"
        raise InputError(f"unknown adversary {adversary!r}; {hint} are {', '.join(names())}")
    if corrupt is not None:
        _fields(corrupt)
    if out is not None:
        check_writable(out)
    if ledger is not None:
        check_new(ledger)
        if out is not None and out.absolute() == ledger.absolute():
            raise InputError(f"{ledger}: transcript and ledger are two files")


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
        with working("preparing what the asserter runs instead"):
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
    name, element = _fields(text)
    found = [node for node, shape in enumerate(computation.nodes) if shape.name == name]
    if not found:
        last = len(computation.nodes) - 1
        raise InputError(
            f"--corrupt: there is no node {name!r}; there are {computation.nodes[0].name} to "
            f"{computation.nodes[last].name}, as in `python -m inference run --trace`"
        )
    shape = computation.nodes[found[0]]
    if element >= shape.rows * shape.words:
        raise InputError(f"--corrupt: element {element} of {shape.name}; it has 0 to {shape.rows * shape.words - 1}")
    return found[0], element


def _fields(text: str) -> tuple[str, int]:
    fields = dict(part.partition("=")[::2] for part in text.split(","))
    if fields.keys() != {"node", "element"} or not re.fullmatch("[0-9]{1,18}", fields["element"]):
        raise InputError(f"--corrupt {text!r} is not allowed; node=NAME,element=I")
    return fields["node"], int(fields["element"])


def _told(result: dict[str, Any], out: Path | None, ledger: Path | None) -> str:
    """A dispute that was settled, for a person."""
    share = result["referee_macs"] / result["inference_macs"]
    lines = [
        outcome(result),
        why(result),
        "{rounds_node} rounds over nodes, {rounds_tile} over tiles; {messages} messages, {bytes:,} bytes",
        f"the referee recomputed {{referee_macs:,}} multiply-accumulates, {share:.1e} of {{inference_macs:,}}",
        "price {price:,}, stake {stake:,}, bond {bond:,} micro-tokens",
        "of the stake {reward:,} go to the challenger, {fund:,} to the fund, and {burnt:,} are burnt",
        "the task {task}; the asserter's key " + ("is removed" if result["removed"] else "stays"),
        "referee {referee}",
    ]
    lines = [line.format(**result) for line in lines]
    if out is not None:
        lines.append(f"replay it: python -m verification replay {quote(str(out))} --referee {result['referee']}")
    if ledger is not None:
        lines.append(f"check its ledger: python -m verification ledger {quote(str(ledger))} --head {result['head']}")
    return "\n".join(map(printable, lines))
