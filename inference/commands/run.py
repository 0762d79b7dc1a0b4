"""The command run: one continuation, or a conversation."""

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from inference import generate as runs
from inference.commands.arguments import (
    AdapterName,
    ArithmeticName,
    BackendName,
    Chat,
    Json,
    ModelName,
    Prompt,
    PromptFile,
    Tokens,
)
from inference.commands.loading import Loaded, load, prompt_ids
from inference.commands.output import check_writable, write
from inference.commands.progress import working
from inference.commands.terminal import printable, readable
from inference.errors import InputError
from inference.held import Held
from inference.likeliest import among
from inference.models.llama import check_temperature
from inference.tokens.text import Text
from inference.tokens.written import Written

MOST, MOST_OF_AN_ANSWER = 32, 512
"""Tokens, where it is not said."""


def run_model(
    prompt: Prompt = None,
    prompt_file: PromptFile = None,
    tokens: Tokens = None,
    model_name: ModelName = "smollm2",
    arithmetic: ArithmeticName = "exact",
    max_tokens: Annotated[
        int | None, typer.Option(help="how many tokens at most", show_default=f"{MOST}; {MOST_OF_AN_ANSWER} an answer")
    ] = None,
    temperature: Annotated[float, typer.Option(help="0: always the likeliest token")] = 0.0,
    top_k: Annotated[
        int | None, typer.Option(help="draw among so many tokens, the likeliest", show_default="all")
    ] = None,
    top_p: Annotated[float, typer.Option(help="draw among the likeliest of this probability")] = 1.0,
    seed: Annotated[int, typer.Option(help="of the random choices")] = 0,
    stop: Annotated[
        list[str] | None, typer.Option(help="a text to stop before; may be repeated", show_default=False)
    ] = None,
    chat: Chat = False,
    adapter: AdapterName = None,
    backend: BackendName = "wgpu",
    trace: Annotated[
        Path | None, typer.Option(help="where to write the digests of all nodes", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Continue a prompt; with --chat and no prompt, talk: a line a message, an empty line or Ctrl-D ends it.

    Example: python -m inference run --prompt "The capital of France is"
    """
    if not 0 <= seed < 2**64:
        raise InputError(f"--seed {seed} is not allowed; 0 to 2^64 - 1")
    if max_tokens is not None and max_tokens < 1:
        raise InputError(f"--max-tokens {max_tokens} is not allowed; at least 1")
    check_temperature(temperature)
    if chat and tokens is not None:
        raise InputError("--chat puts a text into a template; --tokens are taken as they are")
    if trace is not None:
        check_writable(trace)
    chosen = among(top_k, top_p)
    if chosen is not None:
        chosen.check(temperature)
    stops = tuple(stop or ())
    if not all(stops):
        raise InputError("--stop needs a text")
    if trace is not None and (stops or (chosen and arithmetic == "float32")):
        raise InputError("--trace is of a run without --stop; in float32 without --top-k and --top-p")
    generate = partial(runs.generate, temperature=temperature, seed=seed, among=chosen)
    talk = chat and prompt is None and prompt_file is None and tokens is None
    if talk and (as_json or trace is not None):
        raise InputError("--json and --trace need a prompt")
    ids = _nothing if talk else prompt_ids(prompt, tokens, chat, prompt_file)
    loaded = load(model_name, arithmetic, backend, adapter, ids)
    if talk:
        _converse(loaded, stops, max_tokens or MOST_OF_AN_ANSWER, partial(generate, loaded.backend, held=Held()))
        return
    limit = MOST if max_tokens is None else max_tokens
    written = Written(loaded.text, loaded.model.end, stops)
    once = partial(generate, loaded.backend, loaded.ids, limit=limit, trace=trace is not None)
    result = _spoken(written, once, shown=not as_json)
    if trace is not None:
        bound = runs.digests(loaded.model, loaded.ids, limit, temperature, among=chosen)
        write(trace, json.dumps({**bound, "seed": seed, "nodes": result.trace}))
    decoded = len(result.tokens) - 1
    rate = round(decoded / result.decode_seconds, 3) if decoded else None
    if as_json:
        summary = {
            "text": written.shown if stops else loaded.text.decode(result.tokens),
            "tokens": result.tokens,
            "digest": result.digest,
            "prefill_tokens_per_second": round(len(loaded.ids) / result.prefill_seconds, 3),
            "decode_tokens_per_second": rate,
            "adapter": loaded.adapter,
            "backend": backend,
        }
        print(json.dumps(summary))
        return
    speed = "" if rate is None else f"{rate:.1f} tokens a second, "
    print(
        f"{len(result.tokens)} token{'s' * (len(result.tokens) != 1)} on {printable(loaded.adapter)} ({backend}): "
        f"{speed}digest {result.digest[:16]}",
        file=sys.stderr,
    )


def _nothing(text: Text) -> list[int]:
    """No tokens yet; a model that cannot talk is refused before it is made ready."""
    if text.template is None:
        raise InputError("the model has no chat template; leave --chat out")
    return []


def _spoken(written: Written, generate: Callable[..., runs.Run], shown: bool) -> runs.Run:
    """A run whose text is printed as it comes."""

    def progress(token: int) -> bool:
        waiting.close()
        new = written.take(token)
        if shown:
            print(readable(new), end="", flush=True)
        return written.stopped

    with ExitStack() as waiting:
        waiting.enter_context(working("reading the prompt"))
        result = generate(progress=progress)
    rest = written.rest()
    if shown:
        print(readable(rest))
    return result


def _converse(loaded: Loaded, stops: tuple[str, ...], limit: int, generate: Callable[..., runs.Run]) -> None:
    """Messages from standard input, one a line, and their answers; every answer reads all that was said before,
    of which only what is new is computed."""
    messages: list[dict[str, str]] = []
    while (said := _asked()) is not None:
        messages.append({"role": "user", "content": said})
        ids = loaded.text.encode(loaded.text.conversation(messages))
        left = loaded.model.measures["context"] - len(ids)
        if left < 1:
            raise InputError(f"the conversation fills the context of {loaded.model.name}")
        written = Written(loaded.text, loaded.model.end, stops)
        _spoken(written, partial(generate, ids, limit=min(limit, left)), shown=True)
        messages.append({"role": "assistant", "content": written.shown})


def _asked() -> str | None:
    """The next line; None at the end, or where it is empty."""
    with suppress(ImportError):
        import readline  # noqa: F401 lines can be edited
    try:
        return input("> " if sys.stdin.isatty() else "") or None
    except EOFError:
        return None
