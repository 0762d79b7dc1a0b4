"""The command line of verification: commit, check, dispute, replay, ledger, adversaries.

What a model is and how it runs is not known here: ``application`` is given a ``Source`` of computations.
"""

import json
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from rich.progress import Progress

from verification._interrupt import INTERRUPTED, raise_again
from verification.commands.ledger import ledger
from verification.computation import Computation
from verification.errors import InputError, Refusal
from verification.files import check_writable, read, write
from verification.first import referee
from verification.first.adversaries.break_protocol import BEFOREHAND
from verification.first.adversaries.corrupt_trace import SUBSTITUTES, flip, substituted
from verification.first.commitment import check as check_commitment
from verification.first.commitment import commit
from verification.first.contest import Task, beforehand, cheats, names, place, play_out, table
from verification.first.transcript import KEYS, forfeited, read_commitment, replay, summary, transcript
from verification.terminal import printable, replace_unencodable
from verification.trace import Trace, record

BAD_INPUT, FAILED = 2, 1
Backend = Literal["wgpu", "dawn", "numpy"]

ModelName = Annotated[str, typer.Option("--model", help="tiny, smollm2, a .gguf file or a Hugging Face directory")]
Prompt = Annotated[str | None, typer.Option(help="text, taken raw", show_default=False)]
MaxTokens = Annotated[int, typer.Option(help="how many tokens at most")]
Seed = Annotated[int, typer.Option(help="of the task's random choices")]
Temperature = Annotated[float, typer.Option(help="0: always the likeliest token")]
BackendName = Annotated[Backend, typer.Option(help="what runs the model")]
AdapterName = Annotated[str | None, typer.Option(help="part of an adapter's name", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output")]


class Source(Protocol):
    """Where computations come from."""

    def tokens(self, model: str, prompt: str) -> list[int]:
        """A prompt as tokens."""

    def computation(self, task: Task, backend: Backend, adapter: str | None) -> Computation:
        """The task's computation on a backend."""

    def substitute(self, task: Task, adversary: str, backend: Backend, adapter: str | None) -> Computation:
        """Another computation of the same schedule: what one of ``corrupt_trace.SUBSTITUTES`` runs instead."""


def run(app: typer.Typer, *others: type[Exception]) -> None:
    """Run the command line: exit code 2 and one line on bad input, 130 when interrupted.

    Args:
        others: errors of the source of computations that are bad input too.
    """
    bad_input: tuple[type[Exception], ...] = (InputError, Refusal, *others)
    raise_again()
    replace_unencodable()
    try:
        sys.exit(app(standalone_mode=False))
    except bad_input as error:
        fail(str(error))
    except typer.TyperException as error:
        fail(getattr(error, "format_message", error.__str__)())
    except MemoryError:
        fail("not enough memory for a model of this size")
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(INTERRUPTED)


def fail(message: str) -> None:
    """Print one line and exit with code 2."""
    print("error: " + printable(" ".join(message.split())), file=sys.stderr)
    sys.exit(BAD_INPUT)


def application(source: Source) -> typer.Typer:
    """The commands over a source of computations."""
    app = typer.Typer(
        help="Commit to a run, recompute it, dispute it down to one tile, and derive the verdict again.",
        no_args_is_help=True,
        add_completion=False,
    )

    @app.command("commit")
    def commit_command(
        out: Annotated[Path, typer.Option(help="commitment.json")],
        prompt: Prompt = None,
        model: ModelName = "smollm2",
        max_tokens: MaxTokens = 32,
        seed: Seed = 0,
        temperature: Temperature = 0.0,
        backend: BackendName = "wgpu",
        adapter: AdapterName = None,
    ) -> None:
        """Run a prompt and commit to the trace, under a key made for it.

        Example: python -m verification commit --model tiny --prompt "Hello" --out commitment.json
        """
        check_writable(out)
        task = _task(source, model, prompt, max_tokens, temperature, seed)
        trace = recorded(source.computation(task, backend, adapter), "the provider runs the model")
        made = commit(task.name, trace, Ed25519PrivateKey.generate(), os.urandom(32))
        write(out, {"task": asdict(task), "seal": made.seal, "commitment": asdict(made)})
        print(f"{len(trace.computation.nodes)} nodes, root {made.header.root}")

    @app.command("check")
    def check_command(
        path: Annotated[Path, typer.Argument(metavar="COMMITMENT", help="commitment.json", show_default=False)],
        backend: BackendName = "wgpu",
        adapter: AdapterName = None,
    ) -> None:
        """Recompute a committed run from start to end; exit code 1 where it does not hold.

        Example: python -m verification check commitment.json
        """
        content = read(path, {"task", "seal", "commitment"})
        task, made = _read_task(path, content["task"]), read_commitment(content["commitment"])
        computation = source.computation(task, backend, adapter)
        try:
            check_commitment(made, content["seal"], task.name, computation)
            wrong = referee.linear(made.header, recorded(computation, "recomputing the run"))
        except Refusal as refusal:
            wrong = str(refusal)
        print(printable(wrong or f"the commitment holds: {len(computation.nodes)} nodes recomputed"))
        if wrong:
            raise typer.Exit(FAILED)

    @app.command("dispute")
    def dispute_command(
        prompt: Prompt = None,
        model: ModelName = "smollm2",
        max_tokens: MaxTokens = 32,
        seed: Seed = 0,
        temperature: Temperature = 0.0,
        corrupt: Annotated[
            str | None, typer.Option(help="node=NAME,element=I: bit 0 of that word flipped", show_default=False)
        ] = None,
        adversary: Annotated[str | None, typer.Option(help="a name from `adversaries`", show_default=False)] = None,
        out: Annotated[
            Path | None, typer.Option("--transcript", help="where to write all messages", show_default=False)
        ] = None,
        backend: Annotated[Backend, typer.Option(help="what the asserter runs the model on")] = "wgpu",
        challenger: Annotated[Backend, typer.Option(help="what the challenger runs it on")] = "wgpu",
        adapter: AdapterName = None,
        as_json: Json = False,
    ) -> None:
        """Let a cheating asserter be challenged; the referee recomputes one tile in numpy.

        Example: python -m verification dispute --model tiny --prompt "Hello" --adversary flipped-bit
        """
        if out is not None:
            check_writable(out)
        if (corrupt is None) == (adversary is None):
            raise InputError("give either --corrupt node=NAME,element=I or --adversary NAME")
        if adversary is not None and adversary not in names():
            raise InputError(f"unknown adversary {adversary!r}; there are {', '.join(names())}")
        task = _task(source, model, prompt, max_tokens, temperature, seed)
        computation = source.computation(task, backend, adapter)
        at = None if corrupt is None else place(corrupt, computation)
        if adversary in BEFOREHAND:
            if out is not None:
                raise InputError(f"the adversary {adversary} loses before there is a dispute: leave --transcript out")
            reason = beforehand(task, computation, recorded(computation, "a rival runs the model"), adversary)
            result = forfeited(computation, reason)
            print(json.dumps(result) if as_json else f"the challenger wins ({reason}) before there is a dispute")
            return
        if adversary in SUBSTITUTES:
            other = source.substitute(task, adversary, backend, adapter)
            wrong = substituted(computation, recorded(other, "the asserter runs something else", keep_all=True))
        else:
            wrong = recorded(computation, "the asserter runs the model")
            if at is not None:
                flip(wrong, *at)
            elif adversary is not None:
                wrong = cheats(wrong, adversary)
        right = recorded(source.computation(task, challenger, adapter), "the challenger runs the model")
        if (wrong.tree.root, wrong.tokens) == (right.tree.root, right.tokens):
            raise InputError(f"the adversary {adversary} gives the right trace here: there is nothing to dispute")
        judge = source.computation(task, "numpy", None)
        made, dispute, events = play_out(task, judge, wrong, right, adversary)
        if out is not None:
            write(out, transcript(asdict(task), made, dispute, events))
        result = summary(dispute)
        print(json.dumps(result) if as_json else _told(result))

    @app.command("replay")
    def replay_command(
        path: Annotated[Path, typer.Argument(metavar="TRANSCRIPT", help="from dispute", show_default=False)],
    ) -> None:
        """Derive a verdict again from the messages alone; exit code 1 where it does not follow.

        Example: python -m verification replay transcript.json
        """
        content = read(path, KEYS)
        task = _read_task(path, content["task"])
        wrong = replay(content, source.computation(task, "numpy", None))
        print(printable(wrong or f"the verdict follows: the {content['verdict']['winner']} wins"))
        if wrong:
            raise typer.Exit(FAILED)

    @app.command("ledger")
    def ledger_command(
        path: Annotated[Path, typer.Argument(metavar="FILE", help="a coordinator's", show_default=False)],
        head: Annotated[
            str | None, typer.Option(metavar="N:DIGEST", help="of an event, from a receipt", show_default=False)
        ] = None,
        as_json: Json = False,
    ) -> None:
        """Check a ledger: signatures, chain, sums, and every request again; exit code 1 where one does not hold.

        Example: python -m verification ledger ledger.db
        """
        if not ledger(path, head, as_json):
            raise typer.Exit(FAILED)

    @app.command("adversaries")
    def adversaries_command(as_json: Json = False) -> None:
        """Who tries to cheat, and what comes of it."""
        rows = table()
        if as_json:
            print(json.dumps(rows))
            return
        for kind in dict.fromkeys(row["kind"] for row in rows):
            print(f"They {kind}:")
            for row in (row for row in rows if row["kind"] == kind):
                print(f"  {row['name']:<21}{row.get('loses', ''):<17}{row['what']}")
                for who, amount in row.get("outcome", {}).items():
                    print(f"  {'':<21}{amount:>+14,}   {who}")

    return app


def _task(source: Source, model: str, prompt: str | None, limit: int, temperature: float, seed: int) -> Task:
    if prompt is None:
        raise InputError("give a --prompt")
    _check_choices(temperature, seed)
    return Task(model, tuple(source.tokens(model, prompt)), limit, temperature, seed)


def _check_choices(temperature: float, seed: int) -> None:
    """What must hold before a task has a name; its computation refuses the rest."""
    if not 0 <= seed < 2**64:
        raise InputError(f"seed {seed} is not allowed; 0 to 2^64 - 1")
    if not math.isfinite(temperature):
        raise InputError(f"temperature {temperature} is not allowed; a number is")


def _told(result: dict[str, Any]) -> str:
    """A decided dispute for a person."""
    where = result["disputed_node"] or "no node"
    if result["disputed_tile"] is not None:
        where += f", tile {result['disputed_tile']}"
    share = result["referee_macs"] / result["inference_macs"]
    return (
        f"the {result['winner']} wins ({result['reason']}) over {where}\n"
        f"{result['rounds_node']} rounds over nodes, {result['rounds_tile']} over tiles; "
        f"{result['messages']} messages, {result['bytes']:,} bytes\n"
        f"the referee recomputed {result['referee_macs']:,} multiply-accumulates, {share:.1e} of the run's "
        f"{result['inference_macs']:,}"
    )


def recorded(computation: Computation, what: str, *, keep_all: bool = False) -> Trace:
    """A run committed to, with a progress bar."""
    with _progress(what, len(computation.nodes)) as advance:
        return record(computation, lambda node, output: advance(node), keep_all=keep_all)


@contextmanager
def _progress(what: str, nodes: int) -> Iterator[Callable[[int], None]]:
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(what, total=nodes)
        yield lambda node: progress.update(bar, completed=node + 1)


def _read_task(path: Path, content: Any) -> Task:
    try:
        task = Task(**content | {"prompt": tuple(content["prompt"])})
        whole = all(type(n) is int for n in (*task.prompt, task.limit, task.seed))
        if not whole or type(task.model) is not str or type(task.temperature) is not float:
            raise TypeError
    except (KeyError, TypeError):
        raise InputError(f"{path}: task holds model, prompt (tokens), limit, temperature and seed") from None
    _check_choices(task.temperature, task.seed)
    return task
