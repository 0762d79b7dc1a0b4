"""``market ask``: one prompt, ordered, shown as it comes and marked final when nobody can claim against it any more."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from auction.errors import InputError
from experiments.marketplace.live.asking import Asking, Event, customer, input_of
from experiments.marketplace.live.party import Line
from experiments.marketplace.models import Language, request_of
from inference.tokens.text import Text
from inference.tokens.written import UNSETTLED
from verification.inference_models import found

MICRO = 1_000_000
ENDS = {
    "fallen": "its provider was found wrong",
    "missed": "its provider was not done in time",
    "returned": "its provider handed it back",
    "declined": "its provider declined it",
    "annulled": "a dispute over it could not be judged",
}
"""Why a lease ended otherwise than final, by its outcome."""
PURSE = "beyond-free"
"""Of what is refused since its owner has not the money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What is asked for."""

    model: str
    text: str
    bid: int
    """Micro-tokens, fees included."""
    limit: int
    seed: int
    temperature: float
    top_k: int | None = None
    top_p: float = 1.0
    patience: int
    """Ticks."""
    unaudited: bool
    """Whether it may go unaudited where nobody could."""
    dry_run: bool
    """Whether nothing but the estimate is asked for."""


@dataclass(slots=True)
class Told:
    """What came of it, as JSON has it."""

    estimate: dict[str, Any] = field(default_factory=dict)
    order: str = ""
    state: str = "estimated"
    reason: str = ""
    """Why it was refused or struck, or waited last."""
    tokens: list[int] = field(default_factory=list)
    text: str = ""
    final: bool = False
    leases: list[str] = field(default_factory=list)
    paid: str = "0"


Say = Callable[[str], object]


async def ask(url: str, prompt: Prompt, key: bytes, *, fund: bool, say: Say, show: Say) -> Told:
    """Ask a market, and wait for the end.

    Args:
        say: is given a line of what happens.
        show: is given text as it comes, not final.

    Raises:
        InputError, Refusal: see ``Line.run``; a model that is not at hand, for its tokenizer, or not traded there; its
            estimate is refused.
    """
    asking = customer(key, fund=fund)
    joined = asyncio.Event()

    def told(raw: bytes | None) -> None:
        asking.told(raw)
        if asking.customer.session.joined:
            joined.set()

    line = Line(url, asking.customer, lambda check: None, told, lost=say)
    running = asyncio.create_task(line.run())
    asked = asyncio.create_task(_asked(line, asking, joined, prompt, say, show))
    try:
        await asyncio.wait((running, asked), return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            await running
        return await asked
    finally:
        for task in (running, asked):
            task.cancel()
        await asyncio.gather(running, asked, return_exceptions=True)


async def _asked(line: Line[Any], asking: Asking, joined: asyncio.Event, prompt: Prompt, say: Say, show: Say) -> Told:
    await joined.wait()
    welcome = asking.customer.session.welcome
    assert welcome is not None
    if prompt.model not in (traded := [each["name"] for each in welcome.models]):
        raise InputError(f"{prompt.model} is not traded here; --model takes {', '.join(traded)}")
    model = Language(prompt.model)
    llama = await asyncio.to_thread(found, prompt.model)
    text = Text(llama.tokenizer, llama.vocabulary)
    name, inputs = input_of(model.input(prompt.text))
    await asyncio.to_thread(lambda: model.digest)
    drawn: dict[str, Any] = {name: getattr(prompt, name) for name in ("temperature", "seed", "top_k", "top_p")}
    requests = [request_of(model, name, limit=prompt.limit, **drawn)]
    found_out = Told()
    estimated: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def estimate(now: float) -> Any:
        quoted, effects = asking.estimated(requests, inputs, prompt.bid)
        estimated.set_result(quoted)
        return effects

    line.take(estimate)
    quote = await (await estimated)
    found_out.estimate = {"price": quote.price, "wait": quote.wait, "devices": quote.devices, "reason": quote.reason}
    if quote.price is None:
        needed = "" if quote.bid is None else f"; {int(quote.bid) / MICRO:g} tokens would win"
        say(f"estimate: would not win now: {quote.reason}{needed}")
    else:
        wait = f"the next round in {_seconds(quote.wait * welcome.seconds_per_tick)}"
        say(f"estimate: {int(quote.price) / MICRO:g} tokens; {wait}; {_many(quote.devices, 'device')} can run it")
        if quote.reason:
            say(f"but {quote.reason}")
    if prompt.dry_run:
        return found_out
    placed: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def order(now: float) -> Any:
        name, effects = asking.placed(requests, inputs, prompt.bid, prompt.patience, unaudited=prompt.unaudited)
        placed.set_result(name)
        return effects

    line.take(order)
    found_out.order = await placed
    say(f"order {found_out.order[:16]}: {prompt.bid / MICRO:g} tokens at most")
    now = asyncio.get_running_loop().time
    try:
        async for event in asking.followed(found_out.order):
            left = 0.0
            if event.shown is not None:
                left = (event.shown.window - asking.customer.session.tick(now())) * welcome.seconds_per_tick
            _take(found_out, event, left, text, say, show)
    except asyncio.CancelledError:
        say(f"order {found_out.order[:16]} goes on in the market; nobody shows it here any more")
        raise
    if found_out.state == "refused":
        [refused] = [each for each in asking.customer.session.refused if each.request.name == found_out.order]
        why = refused.sentence
        if refused.reason == PURSE:
            why = f"its owner has not {prompt.bid / MICRO:g} tokens; --fund asks the market's faucet, --keys says whose"
        say(f"refused: {why} ({refused.reason})")
    return found_out


def _many(number: int, one: str) -> str:
    return f"{number:,} {one}{'' if number == 1 else 's'}"


def _seconds(value: float) -> str:
    return _many(max(1, round(value)), "second")


def _take(told: Told, event: Event, left: float, text: Text, say: Say, show: Say) -> None:
    """What came of it.

    Args:
        left: seconds for which what is shown is open to claims.
    """
    placed = event.placed
    if placed.state == "waiting" and not placed.tokens and placed.reason not in ("", told.reason):
        needed = "" if placed.needed is None else f"; {placed.needed / MICRO:g} tokens would have won"
        say(f"waits: {ENDS.get(placed.reason, placed.reason)}{needed}")
    told.state, told.reason, told.paid = placed.state, placed.reason, str(placed.paid)
    told.leases = list(placed.leases)
    tokens = placed.final.get(0) or placed.tokens.get(0, [])
    if tokens[: len(told.tokens)] != told.tokens:
        why = ENDS.get(placed.reason, placed.reason) or "it was another result"
        say(f"struck: {why}; it is computed again")
        told.tokens, told.text = [], ""
    whole = text.decode(tokens)
    if not placed.leases and whole.endswith(UNSETTLED):  # the next token may change it
        whole = whole[:-1]
    told.tokens = list(tokens)
    if new := whole[len(told.text) :]:
        show(new)
    told.text, told.final = whole, bool(placed.final)
    if event.shown is not None:
        say(f"computed, not final: anybody may prove it wrong for another {_seconds(left)}")
    if placed.over and told.final:
        say(f"final: nobody proved it wrong; paid {placed.paid / MICRO:g} tokens")
    elif placed.over and placed.state != "refused":
        say(f"{placed.state}{': ' if placed.reason else ''}{placed.reason}; what was bid is back")
