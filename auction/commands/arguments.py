"""Arguments that several commands take, and how options are listed."""

from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any

import typer

from auction import registry

MarketFile = Annotated[
    Path,
    typer.Argument(
        help="market.json or market.npz, amounts in micro-tokens, 10^6 to a token; or bids of CATS, .txt",
        show_default=False,
    ),
]
Options = Annotated[list[str] | None, typer.Option("--option", help="key=value, repeatable", show_default=False)]
ReadingName = Annotated[str, typer.Option(help="bundle (a task may combine providers) or whole (one provider a task)")]
TimeLimit = Annotated[float | None, typer.Option(help="seconds for each solver")]
Seed = Annotated[int, typer.Option(help="same seed, same result")]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output and nothing else")]
Scheduler = Annotated[
    str | None,
    typer.Option(
        help="a Dask scheduler whose workers do the work, tcp://host:port, or local: one of this machine",
        show_default=False,
    ),
]


def options_in_words(function: Any) -> str:
    """The options of a solver, family or mechanism, a paragraph each: default, what is allowed, what it is."""
    meaning = registry.explanations(function)
    return "\n".join(
        f"{name}={_default(parameter)} ({registry.describe(parameter.annotation)})"
        + (f": {meaning[name]}" if name in meaning else "")
        for name, parameter in registry.options_of(function).items()
    )


def _default(parameter: Parameter) -> str:
    """As it is typed; of a long list the ends."""
    text = str(parameter.default).lower() if parameter.annotation is bool else str(parameter.default)
    items = text.split(",")
    return text if len(items) < 4 else f"{items[0]},{items[1]},...,{items[-1]}"
