"""The command line of verification: commit, check, dispute, replay, tiles, ledger, adversaries, model-check.

What a model is and how it runs is not known here: ``application`` is given a ``Source`` of computations.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from distribute_lab.help import flowing
from verification._interrupt import INTERRUPTED, raise_again
from verification.commands.adversaries import adversaries
from verification.commands.commit import check, commit
from verification.commands.dispute import check_asked, dispute
from verification.commands.ledger import ledger
from verification.commands.model_check import NAMES, model_check
from verification.commands.replay import replay
from verification.commands.source import Backend, Source, picture_asked, task_of
from verification.commands.tiles import tiles
from verification.errors import InputError, Refusal
from verification.files import check_writable
from verification.terminal import printable, replace_unencodable

BAD_INPUT, FAILED = 2, 1

ModelName = Annotated[
    str,
    typer.Option(
        "--model", help="tiny, smollm2, a .gguf file or a Hugging Face directory; terrain, a directory of diffusers"
    ),
]
Prompt = Annotated[str | None, typer.Option(help="text, taken raw; or what to draw", show_default=False)]
Drawn = Annotated[
    int | None, typer.Option("--class", help="of a terrain, instead of a prompt: 1 to 100", show_default=False)
]
NegativePrompt = Annotated[str | None, typer.Option(help="what not to draw", show_default=False)]
Guidance = Annotated[
    float | None, typer.Option(help="how much a drawn prompt weighs; 1 or less: none", show_default="5")
]
Steps = Annotated[int | None, typer.Option(help="of the scheduler of a drawn prompt", show_default="20")]
Size = Annotated[int | None, typer.Option(help="pixels a side of a drawn prompt", show_default="the model's")]
MaxTokens = Annotated[int, typer.Option(help="how many tokens at most")]
Seed = Annotated[int, typer.Option(help="of the task's random choices")]
Temperature = Annotated[float, typer.Option(help="0: always the likeliest token")]
TopK = Annotated[int | None, typer.Option(help="draw among so many tokens, the likeliest", show_default="all")]
TopP = Annotated[float, typer.Option(help="draw among the likeliest of this probability")]
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
        sys.exit(flowing(app)(standalone_mode=False))
    except bad_input as error:
        fail(str(error))
    except typer.TyperException as error:
        if message := getattr(error, "format_message", error.__str__)():
            fail(message)
        sys.exit(BAD_INPUT)  # without a command: its help was shown
    except OSError as error:
        if error.filename is None:
            raise
        fail(f"{error.filename}: {error.strerror}")
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
        out: Annotated[
            Path, typer.Option(metavar="FILE", help="where the signed result is written, as JSON that `check` reads")
        ],
        prompt: Prompt = None,
        drawn: Drawn = None,
        model: ModelName = "smollm2",
        max_tokens: MaxTokens = 32,
        seed: Seed = 0,
        temperature: Temperature = 0.0,
        top_k: TopK = None,
        top_p: TopP = 1.0,
        negative_prompt: NegativePrompt = None,
        guidance: Guidance = None,
        steps: Steps = None,
        size: Size = None,
        backend: BackendName = "wgpu",
        adapter: AdapterName = None,
        as_json: Json = False,
    ) -> None:
        """Run a prompt and sign the result, header and output, under a key made for it.

        Example: python -m verification commit --model tiny --prompt "Hello" --out result.json

        Example: python -m verification commit --model terrain --class 40 --seed 7 --out picture.json

        Example: python -m verification commit --model DIRECTORY --prompt "a horse" --steps 30 --out picture.json
        """
        check_writable(out)
        asked = picture_asked(negative_prompt, guidance, steps, size)
        task = task_of(source, model, prompt, max_tokens, temperature, seed, top_k, top_p, drawn, asked)
        commit(source, task, backend, adapter, out, as_json)

    @app.command("check")
    def check_command(
        path: Annotated[Path, typer.Argument(metavar="RESULT", help="a file of `commit`", show_default=False)],
        backend: BackendName = "wgpu",
        adapter: AdapterName = None,
        as_json: Json = False,
    ) -> None:
        """Recompute a signed run from start to end; exit code 1 where it does not hold.

        Example: python -m verification check result.json
        """
        if not check(source, path, backend, adapter, as_json):
            raise typer.Exit(FAILED)

    @app.command("dispute")
    def dispute_command(
        prompt: Prompt = None,
        drawn: Drawn = None,
        model: ModelName = "smollm2",
        max_tokens: MaxTokens = 32,
        seed: Seed = 0,
        temperature: Temperature = 0.0,
        top_k: TopK = None,
        top_p: TopP = 1.0,
        negative_prompt: NegativePrompt = None,
        guidance: Guidance = None,
        steps: Steps = None,
        size: Size = None,
        corrupt: Annotated[
            str | None,
            typer.Option(
                metavar="node=NAME,element=I",
                help="flip bit 0 of that word; names as in `python -m inference run --trace`",
                show_default=False,
            ),
        ] = None,
        adversary: Annotated[
            str | None,
            typer.Option(
                metavar="NAME",
                help="of the first two families of `adversaries`: flipped-bit, wrong-tile, ...",
                show_default=False,
            ),
        ] = None,
        transcript: Annotated[
            Path | None,
            typer.Option(metavar="FILE", help="where all messages are written, for `replay`", show_default=False),
        ] = None,
        market: Annotated[
            Path | None,
            typer.Option(
                "--ledger", metavar="FILE", help="where the market's ledger is written: a new file", show_default=False
            ),
        ] = None,
        backend: Annotated[Backend, typer.Option(help="what the asserter runs the model on")] = "wgpu",
        challenger: Annotated[Backend, typer.Option(help="what the challenger runs it on")] = "wgpu",
        adapter: AdapterName = None,
        as_json: Json = False,
    ) -> None:
        """Let a cheating asserter be challenged, on a ledger of their own; the referee recomputes one step in numpy.

        Example: python -m verification dispute --model tiny --prompt Hi --adversary wrong-tile --ledger market.ledger

        Example: python -m verification dispute --model terrain --class 40 --seed 7 --adversary wrong-node
        """
        check_asked(corrupt, adversary, transcript, market)
        asked = picture_asked(negative_prompt, guidance, steps, size)
        task = task_of(source, model, prompt, max_tokens, temperature, seed, top_k, top_p, drawn, asked)
        dispute(source, task, corrupt, adversary, (backend, challenger), adapter, transcript, market, as_json)

    @app.command("replay")
    def replay_command(
        path: Annotated[
            Path, typer.Argument(metavar="TRANSCRIPT", help="a file of `dispute --transcript`", show_default=False)
        ],
        referee: Annotated[
            str, typer.Option(metavar="KEY", help="whose records count: 64 hexadecimal digits", show_default=False)
        ],
        of_tiles: Annotated[
            Path | None,
            typer.Option(
                "--tiles",
                metavar="FOLDER",
                help="of `tiles`: load what the deciding step reads, proven, not the whole model",
                show_default=False,
            ),
        ] = None,
        of_ledger: Annotated[
            Path | None,
            typer.Option("--ledger", metavar="FILE", help="the market's: it must hold the verdict", show_default=False),
        ] = None,
        as_json: Json = False,
    ) -> None:
        """Derive a verdict again from the messages and the referee's records; exit code 1 where it does not follow.

        The transcript names a referee too, which proves nothing: the key must come from elsewhere.

        Example: python -m verification replay transcript.json --referee KEY
        """
        if not replay(source, path, referee, of_tiles, as_json, of_ledger):
            raise typer.Exit(FAILED)

    @app.command("tiles")
    def tiles_command(
        out: Annotated[Path, typer.Option(metavar="FOLDER", help="which is not there yet")],
        model: ModelName = "smollm2",
        as_json: Json = False,
    ) -> None:
        """Write a model's manifest and tiles, from which `replay` loads what one step reads, each tile with its proof.

        Example: python -m verification tiles --model tiny --out tiny.tiles
        """
        tiles(source, model, out, as_json)

    @app.command("ledger")
    def ledger_command(
        path: Annotated[
            Path,
            typer.Argument(metavar="FILE", help="market.ledger, as `dispute --ledger` writes it", show_default=False),
        ],
        head: Annotated[
            str | None,
            typer.Option(
                metavar="N:DIGEST",
                help="an event you know from elsewhere: it must be in the ledger",
                show_default=False,
            ),
        ] = None,
        as_json: Json = False,
    ) -> None:
        """Check a market's ledger; exit code 1 where it does not hold.

        Every signature, the chain of events, the sums of money, and that each event is what its request does.

        Example: python -m verification ledger market.ledger
        """
        if not ledger(path, head, as_json):
            raise typer.Exit(FAILED)

    @app.command("adversaries")
    def adversaries_command(as_json: Json = False) -> None:
        """Play everybody who tries to cheat, and say what comes of each: why it ends, who loses, who gains what.

        Example: python -m verification adversaries
        """
        adversaries(as_json)

    @app.command("model-check")
    def model_check_command(
        nodes: Annotated[int, typer.Option(help="of the chains that are computed, 1 to 4")] = 1,
        roles: Annotated[str | None, typer.Option(help=f"only these: {NAMES}", show_default=False)] = None,
        as_json: Json = False,
    ) -> None:
        """Explore all that parties can do over small chains, in every order; exit code 1 where something does not hold.

        Example: python -m verification model-check --nodes 1 --roles "two challengers"
        """
        if not model_check(nodes, roles, as_json):
            raise typer.Exit(FAILED)

    return app
