"""The command line of the market: simulate, check; serve, deposit; keys, work, renew, withdraw, ask, watch."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from auction.commands.terminal import print_json, printable
from auction.errors import InputError
from inference.errors import InputError as InferenceError
from verification.errors import InputError as VerificationError
from verification.errors import Refusal

app = typer.Typer(
    help="The market, simulated and live.\n\nExample: python -m experiments market serve --faucet 1",
    no_args_is_help=True,
)

Json = Annotated[bool, typer.Option("--json", help="JSON on standard output")]
FAILED = 1


@contextmanager
def bad_input() -> Iterator[None]:
    """What the other packages refuse, as bad input here."""
    try:
        yield
    except (InferenceError, VerificationError, Refusal) as error:
        raise InputError(str(error)) from None


@app.command("simulate")
def simulate_market(
    orders: Annotated[int, typer.Option(help="orders that come")] = 2_000,
    devices: Annotated[int, typer.Option(help="devices of the catalogue")] = 400,
    dishonest: Annotated[float, typer.Option(metavar="SHARE", help="of the devices, 0 to 1")] = 0.2,
    seed: Annotated[int, typer.Option(help="the same seed, the same head of the ledger")] = 0,
    solver: Annotated[str, typer.Option(help="that allocates each round")] = "bid_density",
    mechanism: Annotated[str, typer.Option(help="that prices each round")] = "whitepaper",
    out: Annotated[
        Path | None,
        typer.Option(help="folder for ledger.sqlite, rounds.parquet and page.html", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Simulate a market: its coordinator and parties as they run live, under a clock, latency and churn of a model.

    Every request is signed, each dishonest result a real wrong trace, each dispute played message by message.

    Example: python -m experiments market simulate --orders 2000 --devices 400 --out simulated
    """
    from experiments.marketplace.simulation.simulate import simulated

    with bad_input():
        found, told = simulated(
            orders=orders,
            devices=devices,
            dishonest=dishonest,
            seed=seed,
            solver=solver,
            mechanism=mechanism,
            out=out,
        )
    if as_json:
        print_json(found)
    else:
        Console().print(told)
        if out is not None:
            print(f"page: {out / 'page.html'}")


@app.command("check")
def check_ledger(
    ledger: Annotated[Path, typer.Argument(help="of `market serve` or `market simulate --out`", show_default=False)],
    head: Annotated[
        str | None,
        typer.Option(
            metavar="N:DIGEST", help="an event you know from elsewhere: it must be in the ledger", show_default=False
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a market's ledger; exit code 1 where it does not hold.

    Every signature and event, every sum of money, and every dispute, played again where its model and input are kept.

    Example: python -m experiments market check market.ledger --head 812:9c1f...
    """
    from experiments.marketplace.check import check
    from verification.commands.ledger import head_of, summary, told
    from verification.commands.progress import progress
    from verification.files import check_readable

    with bad_input():
        known = None if head is None else head_of(head)
        check_readable(ledger, "a market's ledger")
        with progress("performing every request again") as observe:
            found = check(ledger, known, observe)
    lacking = [each for each in found.disputes if each.lacks]
    if as_json:
        disputes = {
            "disputes": len(found.disputes),
            "not_rederived": {str(each.number): each.lacks for each in lacking},
        }
        print_json(summary(found.ledger) | disputes | {"holds": not found.reasons, "reasons": found.reasons})
    else:
        print(told(found.ledger, head))
        derived = len(found.disputes) - len(lacking)
        print(f"disputes that are over: {len(found.disputes)}, of which {derived} were played again here")
        for each in lacking:
            print(printable(f"  not re-derived: the end by event {each.number}: {each.lacks}"))
        for reason in found.reasons:
            print(printable(f"wrong: {reason}"))
    if found.reasons:
        raise typer.Exit(FAILED)


@app.command("serve")
def serve_market(
    ledger: Annotated[
        Path, typer.Option(help="the market's file: one that goes on, or begins; its keys lie beside it")
    ] = Path("market.ledger"),
    host: Annotated[str, typer.Option(help="where; one that others reach takes TLS")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: a free one")] = 8000,
    models: Annotated[str, typer.Option(help="traded, with commas: tiny, smollm2; numbers, for load")] = "tiny",
    round_seconds: Annotated[float, typer.Option("--round", help="seconds from one round to the next")] = 5.0,
    tick: Annotated[float, typer.Option(help="seconds")] = 1.0,
    rule: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="of a market that begins: delta=20, window=60", show_default=False),
    ] = None,
    solver: Annotated[str, typer.Option(help="of rounds; see python -m auction solvers")] = "bid_density",
    faucet: Annotated[float, typer.Option(help="tokens that each new owner is given once: for demonstrations")] = 0.0,
    certificate: Annotated[
        Path | None, typer.Option("--tls-certificate", metavar="FILE", help="PEM", show_default=False)
    ] = None,
    private: Annotated[Path | None, typer.Option("--tls-key", metavar="FILE", help="PEM", show_default=False)] = None,
    api_key: Annotated[
        str | None,
        typer.Option(envvar="DISTRIBUTE_LAB_API_KEY", help="that completions at /v1 ask for", show_default="none"),
    ] = None,
    bid: Annotated[float, typer.Option(help="tokens of a completion that bears no X-Bid")] = 0.1,
) -> None:
    """Serve a market: pages to watch, ask and give compute, websockets for workers, OpenAI's API at /v1.

    Ctrl-C ends it; it goes on where it stood when it is served again.

    Example: python -m experiments market serve --faucet 1 --round 2
    """
    from experiments.marketplace.live.commands import serve, settings_of

    with bad_input():
        settings = settings_of(round_seconds, tick, solver, faucet)
        serve(ledger, host, port, models.split(","), settings, rule or [], certificate, private, api_key, bid)


@app.command("deposit")
def deposit_money(
    ledger: Annotated[Path, typer.Argument(help="of `market serve`; its keys lie beside it", show_default=False)],
    owner: Annotated[str, typer.Option(metavar="KEY", help="64 hexadecimal digits, see `market keys`")],
    tokens: Annotated[float, typer.Option(help="that came from outside")],
    as_json: Json = False,
) -> None:
    """Credit an owner with money from outside: the operator's part, also while the market is served.

    Example: python -m experiments market deposit market.ledger --owner 3f0c... --tokens 5
    """
    from experiments.marketplace.live.commands import micro
    from experiments.marketplace.live.operating import deposit

    with bad_input():
        found = deposit(ledger, ledger.with_name(ledger.name + ".keys"), owner, micro("--tokens", tokens))
    if as_json:
        print_json(found)
    else:
        print(f"{owner} has {int(found['free']) / 1e6:g} tokens to spend; event {found['event']}, head {found['head']}")


@app.command("keys")
def show_keys(
    file: Annotated[Path, typer.Argument(help="made where there is none", show_default=False)], as_json: Json = False
) -> None:
    """Show the public halves of an owner's and a device's keys, and make them where there are none.

    Example: python -m experiments market keys mine.keys
    """
    from experiments.marketplace.live.commands import WORKER
    from experiments.marketplace.live.secrets import names_of

    with bad_input():
        found = names_of(file, WORKER)
    if as_json:
        print_json(found)
    else:
        for name, key in found.items():
            print(f"{name:8}{key}")


Url = Annotated[str, typer.Argument(metavar="URL", help="of a market: ws://127.0.0.1:8000", show_default=False)]
Fund = Annotated[bool, typer.Option("--fund", help="ask the market's faucet for money, where it has one")]
Keys = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="of your keys, made where there is none; without it they end with the command"),
]


@app.command("work")
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


@app.command("renew")
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


@app.command("withdraw")
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


@app.command("ask")
def ask_market(
    url: Url,
    prompt: Annotated[str, typer.Option(help="text, taken raw", show_default=False)],
    bid: Annotated[float, typer.Option(help="tokens at most, fees included")] = 0.01,
    model: Annotated[str, typer.Option(help="tiny, of random weights, whose text is noise, or smollm2")] = "tiny",
    max_tokens: Annotated[int, typer.Option(help="how many tokens at most")] = 16,
    seed: Annotated[int, typer.Option(help="of the random choices")] = 0,
    temperature: Annotated[float, typer.Option(help="0: always the likeliest token")] = 0.0,
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
            patience=patience,
            unaudited=unaudited,
            dry_run=dry_run,
        )
        if not ask(url, asked, keys, fund, as_json):
            raise typer.Exit(FAILED)


@app.command("watch")
def watch_market(url: Url) -> None:
    """Watch a market in the terminal: rounds, orders, devices, leases, and disputes as they descend. Ctrl-C ends it.

    Example: python -m experiments market watch ws://127.0.0.1:8000
    """
    from experiments.marketplace.live.commands import watch

    with bad_input():
        watch(url)
