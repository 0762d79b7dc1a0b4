"""The command line of verification: commit, check, dispute, replay, ledger, adversaries, model-check.

What a model is and how it runs is not known here: ``application`` is given a ``Source`` of computations.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from verification._interrupt import INTERRUPTED, raise_again
from verification.commands.adversaries import adversaries
from verification.commands.commit import check, commit
from verification.commands.dispute import check_choice, dispute
from verification.commands.ledger import ledger
from verification.commands.model_check import model_check
from verification.commands.replay import replay
from verification.commands.source import Backend, Source, task_of
from verification.errors import InputError, Refusal
from verification.terminal import printable, replace_unencodable

BAD_INPUT, FAILED = 2, 1

ModelName = Annotated[str, typer.Option("--model", help="tiny, smollm2, a .gguf file or a Hugging Face directory")]
Prompt = Annotated[str | None, typer.Option(help="text, taken raw", show_default=False)]
MaxTokens = Annotated[int, typer.Option(help="how many tokens at most")]
Seed = Annotated[int, typer.Option(help="of the task's random choices")]
Temperature = Annotated[float, typer.Option(help="0: always the likeliest token")]
BackendName = Annotated[Backend, typer.Option(help="what runs the model")]
AdapterName = Annotated[str | None, typer.Option(help="part of an adapter's name", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output")]


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
        help="Commit to a run, recompute it, dispute it down to one step, and derive the verdict again.",
        no_args_is_help=True,
        add_completion=False,
    )

    @app.command("commit")
    def commit_command(
        out: Annotated[Path, typer.Option(help="result.json")],
        prompt: Prompt = None,
        model: ModelName = "smollm2",
        max_tokens: MaxTokens = 32,
        seed: Seed = 0,
        temperature: Temperature = 0.0,
        backend: BackendName = "wgpu",
        adapter: AdapterName = None,
    ) -> None:
        """Run a prompt and sign the result, header and output, under a key made for it.

        Example: python -m verification commit --model tiny --prompt "Hello" --out result.json
        """
        commit(source, task_of(source, model, prompt, max_tokens, temperature, seed), backend, adapter, out)

    @app.command("check")
    def check_command(
        path: Annotated[Path, typer.Argument(metavar="RESULT", help="from commit", show_default=False)],
        backend: BackendName = "wgpu",
        adapter: AdapterName = None,
    ) -> None:
        """Recompute a signed run from start to end; exit code 1 where it does not hold.

        Example: python -m verification check result.json
        """
        if not check(source, path, backend, adapter):
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
        """Let a cheating asserter be challenged, on a ledger of their own; the referee recomputes one step in numpy.

        Example: python -m verification dispute --model tiny --prompt "Hello" --adversary flipped-bit
        """
        check_choice(corrupt, adversary)
        task = task_of(source, model, prompt, max_tokens, temperature, seed)
        dispute(source, task, corrupt, adversary, (backend, challenger), adapter, out, as_json)

    @app.command("replay")
    def replay_command(
        path: Annotated[Path, typer.Argument(metavar="TRANSCRIPT", help="from dispute", show_default=False)],
        referee: Annotated[str, typer.Option(metavar="KEY", help="whose records count", show_default=False)],
        as_json: Json = False,
    ) -> None:
        """Derive a verdict again from the messages and the referee's records; exit code 1 where it does not follow.

        The transcript names a referee too, which proves nothing: the key must come from elsewhere.

        Example: python -m verification replay transcript.json --referee KEY
        """
        if not replay(source, path, referee, as_json):
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
        adversaries(as_json)

    @app.command("model-check")
    def model_check_command(
        nodes: Annotated[int, typer.Option(help="of the chains that are computed, 1 to 4")] = 1,
        roles: Annotated[str | None, typer.Option(help="only these", show_default=False)] = None,
        as_json: Json = False,
    ) -> None:
        """Explore all that parties can do over small chains, in every order; exit code 1 where something does not hold.

        Example: python -m verification model-check --nodes 2
        """
        if not model_check(nodes, roles, as_json):
            raise typer.Exit(FAILED)

    return app
