"""The commands of who takes part in a market that is served: work, renew, withdraw, ask, watch."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from experiments.marketplace.commands.shared import FAILED, Json, bad_input

Url = Annotated[str, typer.Argument(metavar="URL", help="of a market: ws://127.0.0.1:8000", show_default=False)]
Fund = Annotated[bool, typer.Option("--fund", help="ask the market's faucet for money, where it has one")]
Keys = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="of your keys, made where there is none; without it they end with the command"),
]


def work_for_market(
    url: Url,
    model: Annotated[str, typer.Option(help="that are offered: tiny, smollm2, or both with a comma")] = "tiny",
    adapter: Annotated[str | None, typer.Option(help="part of an adapter's name", show_default=False)] = None,
    backend: Annotated[Literal["wgpu", "dawn", "numpy"], typer.Option(help="what runs the model")] = "wgpu",
    cost: Annotated[float, typer.Option(help="tokens below which a lease is declined")] = 0.0001,
    keys: Keys = None,
    fund: Fund = False,
) -> None:
    """Work for a market: offer a device, compute what it is leased, answer disputes.

    Ctrl-C ends it once what it was leased is over, a second one at once.

    Example: python -m experiments market work ws://127.0.0.1:8000 --model tiny --backend numpy --fund
    """
    from experiments.marketplace.live.commands import work

    with bad_input():
        work(url, model.split(","), backend, adapter, cost, keys, fund)


def renew_device(
    url: Url,
    keys: Annotated[Path, typer.Option(metavar="FILE", help="of the owner and the device", show_default=False)],
) -> None:
    """Replace a device's key that has nothing open by a new one, which the owner's money goes on with.

    Example: python -m experiments market renew ws://127.0.0.1:8000 --keys mine.keys
    """
    import asyncio

    from experiments.marketplace.live.operating import renew

    with bad_input():
        old, new = asyncio.run(renew(url, keys))
    print(f"device {old} is replaced by {new}")


def withdraw_money(
    url: Url,
    keys: Annotated[Path, typer.Option(metavar="FILE", help="of the owner", show_default=False)],
    tokens: Annotated[float, typer.Option(help="of what is free")],
) -> None:
    """Take an owner's money out of a market; what happens outside is between it and the operator.

    Example: python -m experiments market withdraw ws://127.0.0.1:8000 --keys mine.keys --tokens 5
    """
    import asyncio

    from experiments.marketplace.live.commands import micro
    from experiments.marketplace.live.operating import withdraw

    with bad_input():
        owner = asyncio.run(withdraw(url, keys, micro("--tokens", tokens)))
    print(f"{owner} has taken out {tokens:g} tokens")


def ask_market(
    url: Url,
    prompt: Annotated[str, typer.Option(help="text, taken raw", show_default=False)],
    bid: Annotated[float, typer.Option(help="tokens at most, fees included")] = 0.01,
    model: Annotated[str, typer.Option(help="tiny, of random weights, whose text is noise, or smollm2")] = "tiny",
    max_tokens: Annotated[int, typer.Option(help="how many tokens at most")] = 16,
    seed: Annotated[int, typer.Option(help="of the random choices")] = 0,
    temperature: Annotated[float, typer.Option(help="0: always the likeliest token")] = 0.0,
    top_k: Annotated[
        int | None, typer.Option(min=1, help="draw among so many tokens, the likeliest", show_default="all")
    ] = None,
    top_p: Annotated[float, typer.Option(min=1e-6, max=1, help="draw among the likeliest of this probability")] = 1.0,
    patience: Annotated[int, typer.Option(help="ticks that it waits at most")] = 600,
    unaudited: Annotated[bool, typer.Option("--unaudited", help="even where nobody could audit it")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="the estimate alone")] = False,
    keys: Keys = None,
    fund: Fund = False,
    as_json: Json = False,
) -> None:
    """Order a completion: what it would cost, tokens as they come (not final), then the final mark.

    Example: python -m experiments market ask ws://127.0.0.1:8000 --prompt "Hello" --bid 0.01 --fund
    """
    from experiments.marketplace.live.ask import Prompt
    from experiments.marketplace.live.commands import ask, micro

    with bad_input():
        asked = Prompt(
            model=model,
            text=prompt,
            bid=micro("--bid", bid),
            limit=max_tokens,
            seed=seed,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            patience=patience,
            unaudited=unaudited,
            dry_run=dry_run,
        )
        if not ask(url, asked, keys, fund, as_json):
            raise typer.Exit(FAILED)


def watch_market(url: Url) -> None:
    """Watch a market in the terminal: rounds, orders, devices, leases, and disputes as they descend. Ctrl-C ends it.

    Example: python -m experiments market watch ws://127.0.0.1:8000
    """
    from experiments.marketplace.live.commands import watch

    with bad_input():
        watch(url)


COMMANDS: dict[str, Callable[..., None]] = {
    "work": work_for_market,
    "renew": renew_device,
    "withdraw": withdraw_money,
    "ask": ask_market,
    "watch": watch_market,
}
"""By name."""
