"""Arguments that several commands take, and how options are listed."""

from pathlib import Path
from typing import Annotated, Any

import typer

from auction import registry

MarketFile = Annotated[
    Path,
    typer.Argument(help="market.json or market.npz; amounts are micro-tokens, 10^6 to a token", show_default=False),
]
Options = Annotated[list[str] | None, typer.Option("--option", help="key=value, repeatable", show_default=False)]
ReadingName = Annotated[str, typer.Option(help="bundle (a task may combine providers) or whole (one provider a task)")]
TimeLimit = Annotated[float | None, typer.Option(help="seconds for each solver")]
Seed = Annotated[int, typer.Option(help="same seed, same result")]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output and nothing else")]


def options_in_words(function: Any) -> str:
    """The options of a solver, family or mechanism, a line each."""
    return "\n".join(
        f"{name}={str(p.default).lower() if p.annotation is bool else p.default} ({registry.describe(p.annotation)})"
        for name, p in registry.options_of(function).items()
    )
