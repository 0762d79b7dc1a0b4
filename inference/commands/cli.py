"""The command line of inference: adapters, run, next, perplexity, graph, plan."""

import json
import math
import sys
from pathlib import Path
from typing import Annotated

import typer

from distribute_lab.help import flowing
from inference import generate as runs
from inference import models
from inference._interrupt import INTERRUPTED, raise_again
from inference.commands.arguments import (
    AdapterName,
    ArithmeticName,
    BackendName,
    Chat,
    Json,
    ModelName,
    Prompt,
    Tokens,
    UnsavedName,
)
from inference.commands.bench import bench
from inference.commands.devices import adapters, conformance, serve
from inference.commands.drawing import draw
from inference.commands.kernels import compile_kernels
from inference.commands.loading import load, prompt_ids, read
from inference.commands.output import check_writable, write
from inference.commands.picture import check, picture
from inference.commands.plan import plan
from inference.commands.progress import working
from inference.commands.run import run_model
from inference.commands.terminal import printable, replace_unencodable
from inference.commands.tune import tune
from inference.errors import InputError
from inference.files import model_file
from inference.graph import cost, described, digest
from inference.models.llama import graph, model

app = typer.Typer(
    help="Run language models, and models that draw, as graphs of WebGPU kernels, in float32 or in integers of the "
    "same bits everywhere.",
    no_args_is_help=True,
    add_completion=False,
)

app.command("adapters")(adapters)
app.command("bench")(bench)
app.command("compile")(compile_kernels)
app.command("check")(check)
app.command("conformance")(conformance)
app.command("plan")(plan)
app.command("picture")(picture)
app.command("run")(run_model)
app.command("serve")(serve)
app.command("tune")(tune)

BAD_INPUT = 2


def run(app: typer.Typer) -> None:
    """Run the command line: exit code 2 and one line on bad input, 130 when interrupted."""
    raise_again()
    replace_unencodable()
    try:
        sys.exit(flowing(app)(standalone_mode=False))
    except InputError as error:
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


@app.command("next")
def next_tokens(
    prompt: Prompt = None,
    tokens: Tokens = None,
    top: Annotated[int, typer.Option(help="how many")] = 5,
    model_name: ModelName = "smollm2",
    arithmetic: ArithmeticName = "exact",
    chat: Chat = False,
    adapter: AdapterName = None,
    backend: BackendName = "wgpu",
    as_json: Json = False,
) -> None:
    """The most likely next tokens and their raw logits.

    Example: python -m inference next --prompt "The capital of France is" --top 5
    """
    if top < 1:
        raise InputError(f"--top {top} is not allowed; at least 1")
    loaded = load(model_name, arithmetic, backend, adapter, prompt_ids(prompt, tokens, chat))
    with working("reading the prompt"):
        scores = runs.next_scores(loaded.backend, loaded.ids)
    best = (-scores).argsort(kind="stable")[:top].tolist()
    rows = [{"id": token, "text": loaded.text.decode([token]), "score": float(scores[token])} for token in best]
    if as_json:
        print(json.dumps(rows))
        return
    for row in rows:
        print(f"{row['id']:>7}  {row['score']:>9.4f}  {row['text']!r}")


@app.command()
def perplexity(
    file: Annotated[Path, typer.Argument(help="a text", show_default=False)],
    model_name: ModelName = "smollm2",
    arithmetic: ArithmeticName = "exact",
    adapter: AdapterName = None,
    backend: BackendName = "wgpu",
    as_json: Json = False,
) -> None:
    """How well a model predicts a text: one window, the mean over tokens 2..n.

    Example: python -m inference perplexity text.txt --arithmetic float32
    """
    content = read(file)
    loaded = load(model_name, arithmetic, backend, adapter, lambda text: text.encode(content))
    with working(f"reading {len(loaded.ids)} tokens"):
        nll = float(runs.fit(loaded.backend, loaded.ids).nll.mean())
    found = runs.exponential(nll)
    if as_json:  # which has no infinity
        perplexity = found if math.isfinite(found) else None
        print(json.dumps({"perplexity": perplexity, "nll": nll, "tokens": len(loaded.ids)}))
    else:
        print(f"perplexity {found:.4f} over {len(loaded.ids)} tokens")


@app.command()
def save(
    out: Annotated[Path, typer.Argument(help="model.npz", show_default=False)],
    model_name: UnsavedName = "smollm2",
    arithmetic: ArithmeticName = "exact",
) -> None:
    """Save a model in one arithmetic: weights, tables and formats with their digest; it loads faster than its file.

    Example: python -m inference save smollm2.npz
    """
    model_file.check_name(out)
    check_writable(out)
    with working(f"saving {model_name}"):
        llama = models.find(model_name)
        built = model(Path(model_name).name, llama, arithmetic)
        model_file.save(out, built, llama.tokenizer)
    print(built.digest)


@app.command("graph")
def show_graph(
    model_name: UnsavedName = "smollm2",
    arithmetic: ArithmeticName = "exact",
    tokens: Annotated[int, typer.Option(help="tokens of one pass")] = 1,
    out: Annotated[Path | None, typer.Option(help="graph.svg", show_default=False)] = None,
    as_json: Json = False,
) -> None:
    """What a pass of the model is made of: ops, shapes, cost; as a drawing with --out.

    Example: python -m inference graph --model tiny --out graph.svg
    """
    if tokens < 1:
        raise InputError(f"--tokens {tokens} is not allowed; at least 1")
    with working(f"loading {model_name}"):
        built_model = model(Path(model_name).name, models.find(model_name), arithmetic)
    built = graph(
        built_model, tokens, capacity=max(tokens, min(1024, built_model.measures["context"])), first=tokens - 1
    )
    costs = cost(built)
    if out is not None:
        write(out, draw(built))
    if as_json:
        rows = [
            {
                "name": name,
                "op": built.nodes[name]["op"],
                "inputs": list(built.nodes[name]["inputs"]),
                "shape": list(built.nodes[name]["shape"]),
                "operations": each.operations,
                "bytes": each.bytes,
            }
            for name, each in costs.items()
        ]
        print(json.dumps({"digest": digest(built), "nodes": rows}))
        return
    for name, each in costs.items():
        node = built.nodes[name]
        shape = " × ".join(str(n) for n in node["shape"])
        print(f"{name:<28} {described(node):<22} {shape:>14} {each.operations:>12,} {each.bytes:>12,} B")
