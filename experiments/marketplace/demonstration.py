"""The market in one command, on this machine: what the whitepaper describes, seen to happen (sections 2 to 5).

    python -m experiments.marketplace.demonstration --out DIR

A coordinator, two pages in Chromium that give compute, a Python worker and a page that asks. One of the pages is told
to cheat: its result is audited, led to the wrong step, its stake slashed, its key removed, its task served by another.
It ends with 0 only if all that held, and every final token is numpy's.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import typer
from websockets.sync.client import connect

from auction.errors import InputError
from experiments.marketplace.messages import VERSION, Board, Hello, encode, to_peer
from experiments.marketplace.models import Language, request_of
from inference.browser.devtools import Browser, Page, driven
from verification.trace import Trace, record

PROMPTS = ("The capital of France is", "Hello", "A fault proof", "Once upon a time", "Two and two", "Rain")
LIMIT = 4
"""Tokens of an answer."""
BID = "0.5"
SERVING = ("--models", "tiny", "--tick", "0.5", "--round", "4", "--faucet", "50")
RULES = {"audit": "1/2", "fee": "11/20", "window": "40"}
START, WORK = 300, 600  # seconds for a process to be ready, and for all tasks: time-outs, not measures
POLL = 0.25  # seconds
ADDRESS = re.compile(r"https?://[\w.:\[\]-]+")
CAUGHT = "document.querySelector('.outcome.bad')"
Say = Callable[[str], None]


@contextmanager
def process(*arguments: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A command of the market, to the end of the block; what it says stands in its log."""
    command = [sys.executable, "-m", "experiments", "market", *arguments]
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT) as running:
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(10)
            except subprocess.TimeoutExpired:
                running.kill()


def address(serving: subprocess.Popen[bytes], log: Path) -> str:
    """Where a market that starts is served.

    Raises:
        InputError: it does not start.
    """
    until = time.monotonic() + START
    while time.monotonic() < until and serving.poll() is None:
        if match := ADDRESS.search(log.read_text()):
            return match.group()
        time.sleep(POLL)
    raise InputError(f"the market has not started: {log.read_text().strip()[-300:] or 'it said nothing'}")


def giving(browser: Browser, url: str, *, cost: str, cheat: bool) -> Page:
    """A page that gives compute, once its device has joined."""
    page = browser.page(f"{url}/give")
    page.wait("document.querySelector('#start')?.disabled === false", START)
    page.evaluate(f"document.querySelector('[name=cost]').value = {cost!r}")
    if cheat:
        page.evaluate("document.querySelector('#cheat').click()")
    page.evaluate("document.querySelector('#start').click()")
    page.wait("document.querySelector('#status .live')", START)
    return page


def asked(page: Page, number: int) -> None:
    """Post a task as a user does."""
    prompt = f"{PROMPTS[number % len(PROMPTS)]} {number}"
    values = {"prompt": prompt, "limit": str(LIMIT), "bid": BID, "patience": "60"}
    fill = "; ".join(f"form.elements[{name!r}].value = {value!r}" for name, value in values.items())
    page.evaluate(f"(() => {{ const form = document.querySelector('form'); {fill}; form.requestSubmit(); }})()")
    page.wait(f"document.querySelectorAll('#answers > li[data-state]').length > {number}", START)
    page.wait("!document.querySelector('#post').disabled", START)


def orders(page: Page) -> list[dict[str, Any]]:
    """The user's orders, as its page knows them."""
    return list(json.loads(page.evaluate("localStorage.getItem('orders') ?? '[]'")))


@cache
def expected(prompt: str) -> Trace:
    """What numpy computes: tokens and root."""
    model = Language("tiny")
    raw = model.input(prompt)
    return record(model.computation(request_of(model, sha256(raw).hexdigest(), limit=LIMIT), raw))


def watched(url: str) -> dict[str, Any]:
    """The board, as anybody is told it who watches."""
    with connect(f"{url.replace('http', 'ws', 1)}/market", max_size=None, proxy=None) as market:
        market.recv(timeout=START)
        market.send(encode(Hello(VERSION, "watch")).decode())
        while True:
            message = to_peer(str(market.recv(timeout=START)).encode())
            if isinstance(message, Board):
                return message.parts


def pictures(pages: dict[str, Page], out: Path) -> None:
    """Each page at the width of a desk and of a telephone, light and dark."""
    for name, page in pages.items():
        for width in (1280, 390):
            for dark in (False, True):
                page.look(width=width, dark=dark)
                page.evaluate("new Promise((resolve) => setTimeout(resolve, 400))")
                page.picture(out / f"{name}-{width}-{'dark' if dark else 'light'}.png")
        page.look(width=1280)


def followed(user: Page, watch: Page, tasks: int, say: Say, caught: Callable[[], None]) -> list[str]:
    """Until every task is final; a wrong run that was not drawn is challenged. What was challenged.

    Args:
        caught: called at the moment at which the watcher sees a result found wrong.
    """
    challenged, waiting = list[str](), True
    said, until = -1, time.monotonic() + WORK
    while True:
        known = orders(user)
        if waiting and watch.evaluate(f"Boolean({CAUGHT})"):
            waiting = False
            caught()
        done = sum(order["state"] == "served" for order in known)
        if done != said:
            say(f"{done} of {tasks} tasks are final")
            said = done
        if done == tasks:
            return challenged
        for order in known:
            wrong = order["state"] == "shown" and order["root"] != expected(order["prompt"]).tree.root.hex()
            if wrong and order["name"] not in challenged:
                challenged.append(order["name"])
                say(f"task {order['name'][:8]} was not drawn and has another root than numpy: the user challenges it")
                user.evaluate(f"document.querySelector('[data-act=challenge][data-order=\"{order['name']}\"]').click()")
        if time.monotonic() > until:
            raise InputError(f"{tasks - done} of {tasks} tasks are not final after {WORK} seconds")
        time.sleep(POLL)


def demonstrate(out: Path, tasks: int, say: Say) -> list[tuple[bool, str]]:
    """Run it all; what should hold, and whether it did."""
    out.mkdir(parents=True, exist_ok=True)
    ledger = out / "market.ledger"
    for stale in out.glob("market.ledger*"):
        stale.unlink()
    rules = [part for name, value in RULES.items() for part in ("--rule", f"{name}={value}")]
    with ExitStack() as stack:
        log = out / "coordinator.log"
        serving = stack.enter_context(
            process("serve", "--ledger", str(ledger), "--port", "0", *SERVING, *rules, log=log)
        )
        url = address(serving, log)
        say(f"a coordinator at {url}, its ledger {ledger}")
        work = ("work", url.replace("http", "ws"), "--model", "tiny", "--backend", "numpy", "--cost", "0.02", "--fund")
        stack.enter_context(process(*work, log=out / "worker.log"))
        say("a Python worker, on numpy")
        browsers = [stack.enter_context(driven()) for _ in range(2)]
        watch = browsers[0].page(f"{url}/watch")
        honest = giving(browsers[0], url, cost="0.01", cheat=False)
        say("a page that gives compute")
        user = browsers[0].page(f"{url}/ask")
        cheat = giving(browsers[1], url, cost="0.001", cheat=True)
        say("a second one, told to cheat")
        watch.wait("document.querySelectorAll('#devices .title').length >= 3", START)
        user.wait("!document.querySelector('#post').disabled", START)
        for number in range(tasks):
            asked(user, number)
        say(f"a user who asks {tasks} times")
        pages = {"watch": watch, "ask": user, "give": cheat, "give-honest": honest}

        @cache
        def caught() -> None:
            say("a result is found wrong: pictures of the pages")
            pictures(pages, out)

        challenged = followed(user, watch, tasks, say, caught)
        watch.wait(CAUGHT, START)
        caught()  # where it has not been
        board = watched(url)
        known = orders(user)
        problems = [problem for browser in browsers for problem in browser.problems]
    return [
        *judged(known, board, challenged),
        (not problems, f"no page failed{': ' if problems else ''}{'; '.join(problems[:3])}"),
        audit(ledger),
    ]


def judged(known: Sequence[dict[str, Any]], board: dict[str, Any], challenged: Sequence[str]) -> list[tuple[bool, str]]:
    """What the pages show, against what should be."""
    wrong = [order["prompt"] for order in known if order["tokens"] != expected(order["prompt"]).tokens]
    lost = [dispute for dispute in board["disputes"].values() if dispute.get("winner") == "challenger"]
    removed = [key for key, device in board["devices"].items() if device["removed"]]
    again = [order for order in known if order["struck"]]
    step = lost[0].get("step", {}) if lost else {}
    place = "step {step} of leaf {leaf} of node {node}, a {kind}".format(**step) if step else "no step"
    return [
        (all(order["state"] == "served" for order in known), f"{len(known)} tasks are final"),
        (not wrong, f"every final token is numpy's{': not of ' + '; '.join(wrong) if wrong else ''}"),
        (bool(lost), f"the cheat was {'challenged' if challenged else 'audited'} and led to {place}"),
        (int(board["totals"]["burnt"]) > 0, f"slashed: {int(board['totals']['burnt']) / 1e6:g} tokens were burnt"),
        (
            {dispute["asserter"] for dispute in lost} == set(removed),
            f"its key was removed, nobody else's: {len(removed)}",
        ),
        (bool(again) and all(order["state"] == "served" for order in again), "its task was served by another"),
    ]


def audit(ledger: Path) -> tuple[bool, str]:
    """That a stranger finds the ledger whole."""
    command = [sys.executable, "-m", "experiments", "market", "check", str(ledger)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode == 0, f"market check: {' '.join((done.stdout or done.stderr).split())[:200]}"


def main(
    out: Annotated[Path, typer.Option(help="for the ledger, the logs and the pictures")] = Path("build/market"),
    tasks: Annotated[int, typer.Option(min=1, max=200, help="that the user asks")] = 20,
) -> None:
    """Demonstrate the market: ends with 0 only if all that it prints held."""
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {line}", flush=True)

    try:
        found = demonstrate(out, tasks, say)
    except InputError as error:
        print(f"demonstration: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    for held, line in found:
        print(f"{'holds' if held else 'FAILS':>8}  {line}")
    print(f"          pictures of the pages: {out}/*.png")
    raise SystemExit(0 if all(held for held, _ in found) else 1)


if __name__ == "__main__":
    typer.run(main)
