"""What the commands of the live market do: serve, work, ask, watch."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

from rich.live import Live

from auction.commands.terminal import key_values, print_json, printable, stdout, working
from auction.errors import InputError, unknown
from auction.solvers import names as solvers
from experiments.marketplace.live import secrets
from experiments.marketplace.live.ask import Prompt
from experiments.marketplace.live.ask import ask as asked
from experiments.marketplace.live.machine import Machine
from experiments.marketplace.live.party import Line
from experiments.marketplace.live.server import Market, Serving, listening
from experiments.marketplace.live.warming import warm
from experiments.marketplace.live.watch import Watcher
from experiments.marketplace.live.worker import Worker
from experiments.marketplace.models import Known, Language, SmallNumbers
from experiments.marketplace.settings import Settings
from inference.commands.terminal import readable
from verification.market.rules import Rules
from verification.task import MOST_TOKENS

MICRO = 1_000_000
HOTTEST = 100
"""Of temperatures."""
MODELS = ("tiny", "smollm2")
NUMBERS = SmallNumbers()
"""For markets of many orders: none of its work is inference."""
WORKER, USER = ("owner", "device"), ("owner",)
"""Keys by name."""


def micro(name: str, tokens: float) -> int:
    """Micro-tokens of tokens.

    Raises:
        InputError: below 0, or beyond what amounts may be.
    """
    amount = round(tokens * MICRO) if abs(tokens) < 2**40 else -1
    if amount < 0:
        raise InputError(f"{name} {tokens} is not allowed; 0 to 2^40 tokens")
    return amount


def settings_of(round_seconds: float, tick: float, solver: str, faucet: float) -> Settings:
    """How a coordinator runs its market.

    Raises:
        InputError: see what is said.
    """
    if not 0.01 <= tick <= 60:
        raise InputError(f"--tick {tick} is not allowed; 0.01 to 60 seconds")
    if not tick <= round_seconds <= 3600:
        raise InputError(f"--round {round_seconds} is not allowed; a tick ({tick}) to 3600 seconds")
    if solver not in solvers():
        raise unknown("solver", solver, solvers())
    return Settings(
        seconds_per_tick=tick,
        round_ticks=round(round_seconds / tick),
        solver=solver,
        solve_limit=round_seconds / 2,
        faucet=micro("--faucet", faucet),
    )


def rules_of(given: Sequence[str]) -> Rules:
    """The rules of a market, some of which are given as NAME=VALUE.

    Raises:
        InputError: no such rule, or value.
        Refusal: see ``Rules``.
    """
    rules, changed = Rules(), dict[str, Any]()
    for name, text in key_values(list(given)).items():
        if name not in rules.plain():
            raise unknown("rule", name, rules.plain())
        kind = type(getattr(rules, name))
        try:
            changed[name] = text == "true" if kind is bool else kind(text)
        except (ValueError, ZeroDivisionError):
            what = "a fraction" if kind is Fraction else "a whole number"
            raise InputError(f"--rule {name}={text}: {what} is expected") from None
    return Rules(**changed)


def serve(
    ledger: Path,
    host: str,
    port: int,
    models: Sequence[str],
    settings: Settings,
    rules: Sequence[str],
    certificate: Path | None,
    private: Path | None,
    api_key: str | None,
    bid: float,
) -> None:
    """Serve a market until interrupted.

    Raises:
        InputError, Refusal: see ``listening`` and ``Market.run``.
    """
    _known(models, (*MODELS, NUMBERS.name))
    traded: list[Known] = [NUMBERS if name == NUMBERS.name else Language(name) for name in models]
    serving = Serving(
        ledger=ledger,
        keys=ledger.with_name(ledger.name + ".keys"),
        models=traded,
        rules=rules_of(rules),
        settings=settings,
        host=host,
        port=port,
        certificate=certificate,
        private=private,
        api_key=api_key,
        bid=micro("--bid", bid),
    )
    with listening(serving) as listener:
        with working("reading the models"):
            for model in traded:
                model.digest, model.layouts  # noqa: B018 read once, here
        with working("preparing the auction; a minute the first time"):
            warm(settings)
        market = Market(serving, listener)

        def ready() -> None:
            print(f"{market.url}/watch, /ask and /give; Ctrl-C ends it", file=sys.stderr, flush=True)

        with suppress(KeyboardInterrupt):
            asyncio.run(market.run(ready))


def work(
    url: str, models: Sequence[str], backend: str, adapter: str | None, cost: float, keys: Path | None, fund: bool
) -> None:
    """Work for a market until interrupted; what is leased then is gone on with, unless interrupted again.

    Raises:
        InputError, Refusal: see ``Worker.run``.
    """
    _known(models)
    least = max(1, micro("--cost", cost))
    machine = Machine(list(models), backend, adapter, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4)

    def say(line: str) -> None:
        print(printable(line), file=sys.stderr, flush=True)

    worker = Worker(url, machine, _secrets(keys, WORKER), cost=least, fund=fund, say=say)

    def leave() -> None:
        if sys.stderr.isatty():
            print(file=sys.stderr)  # after the ^C that a terminal shows
        worker.leave()

    async def run() -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, leave)
        await worker.run()

    with suppress(KeyboardInterrupt):
        asyncio.run(run())
    say(worker.did())


def ask(url: str, prompt: Prompt, keys: Path | None, fund: bool, as_json: bool) -> bool:
    """Ask a market; whether what was asked for came, and is final.

    Raises:
        InputError, Refusal: see ``_check`` and ``asked``.
    """
    _check(prompt)
    shown = False

    def say(line: str) -> None:
        nonlocal shown
        if shown:
            print(flush=True)
        print(printable(line), file=sys.stderr, flush=True)
        shown = False

    def show(text: str) -> None:
        nonlocal shown
        if not as_json:
            print(readable(text), end="", flush=True)
            shown = True

    told = asyncio.run(asked(url, prompt, _secrets(keys, USER)["owner"], fund=fund, say=say, show=show))
    if as_json:
        print_json(asdict(told))
    return told.final or prompt.dry_run


def _check(prompt: Prompt) -> None:
    """Whether a market could be asked for it.

    Raises:
        InputError: an option is what no market takes.
    """
    _known([prompt.model])
    if not prompt.text:
        raise InputError("--prompt is empty; at least one token is needed")
    if not prompt.bid:
        raise InputError(f"--bid is nothing; at least {1 / MICRO:f} tokens are needed")
    if not 0 <= prompt.temperature <= HOTTEST:
        raise InputError(f"--temperature {prompt.temperature:g} is not allowed; 0 to {HOTTEST}")
    for option, value, least, most in (
        ("--max-tokens", prompt.limit, 1, MOST_TOKENS),
        ("--seed", prompt.seed, 0, 2**64 - 1),
        ("--patience", prompt.patience, 1, 2**32),
    ):
        if not least <= value <= most:
            raise InputError(f"{option} {value} is not allowed; {least} to {most}")


def _known(models: Sequence[str], known: Sequence[str] = MODELS) -> None:
    for name in models:
        if name not in known:
            raise unknown("model", name, known)


def _secrets(path: Path | None, names: Sequence[str]) -> dict[str, bytes]:
    return secrets.fresh(names) if path is None else secrets.kept(path, names)


def watch(url: str) -> None:
    """Show a market's board until interrupted.

    Raises:
        InputError, Refusal: see ``Line.run``.
    """
    watcher = Watcher()

    async def run() -> None:
        with Live(console=stdout, screen=stdout.is_terminal, auto_refresh=False) as live:

            def told(raw: bytes | None) -> None:
                if raw is not None:
                    live.update(watcher.shown(), refresh=True)

            def lost(sentence: str) -> None:
                live.update(sentence, refresh=True)

            await Line(url, watcher, lambda effect: None, told, lost=lost).run()

    with suppress(KeyboardInterrupt):
        asyncio.run(run())
