"""The command line of the market: simulate, check; serve, deposit; keys, work, renew, withdraw, ask, watch."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from auction.commands.terminal import print_json, printable
from experiments.marketplace.commands import parties
from experiments.marketplace.commands.shared import FAILED, Json, bad_input

app = typer.Typer(
    help="The market, simulated and live.\n\nExample: python -m experiments market serve --faucet 1",
    no_args_is_help=True,
)


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
        if not found.ledger.wrong:
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


for name, command in parties.COMMANDS.items():
    app.command(name)(command)
