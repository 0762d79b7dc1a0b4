"""Completions in front of the market: OpenAI's clients ask, one user of this server orders, and streams what comes.

A completion ends when its result has come and its device stands by it; that nobody proved it wrong shows later, under
the order's name, which its mark has. What is struck before is computed again: the same tokens go on, others end the
stream with an error.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from functools import cache
from http import HTTPStatus
from typing import Any

from experiments.marketplace.live.asking import Asking, customer, input_of
from experiments.marketplace.live.driver import Driver
from experiments.marketplace.models import Language, request_of
from inference.completions.answers import Mark, Token
from inference.completions.asked import Asked, Refused, bad
from inference.tokens.text import Text
from verification.inference_models import exact, found

MICRO = 1_000_000
PAUSE = 1.0
"""Seconds between two connections."""


class Models:
    """The models that are traded, as completions know them."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self.text = cache(self._text)

    def names(self) -> Sequence[str]:
        return self._names

    def _text(self, name: str) -> Text:
        return Text(found(name).tokenizer, found(name).vocabulary)

    def context(self, name: str) -> int:
        return exact(name).measures["context"]

    def end(self, name: str) -> Sequence[int]:
        return exact(name).end


class Gateway:
    """A user that is connected without a socket.

    Args:
        bid: micro-tokens of an order whose request bears no ``X-Bid``.
        patience: ticks that orders wait.
    """

    def __init__(self, driver: Driver, key: bytes, *, bid: int, patience: int, fund: bool) -> None:
        self._driver, self._bid, self._patience = driver, bid, patience
        self._asking: Asking = customer(key, fund=fund)
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._joined = asyncio.Event()

    def push(self, raw: bytes) -> None:
        """A frame of the coordinator's."""
        self._frames.put_nowait(raw)

    def close(self) -> None:
        """The coordinator ends its connection; it makes another one."""
        self._frames.put_nowait(None)

    async def run(self) -> None:
        """Be connected, until cancelled."""
        await self._driver.ready.wait()
        while True:
            self._asking.customer.reopened()
            self._number = await self._driver.connect(self)
            await self._converse()
            self._joined.clear()
            await asyncio.sleep(PAUSE)

    async def _converse(self) -> None:
        while (raw := await self._frames.get()) is not None:
            await self._send(self._asking.customer.receive(raw, asyncio.get_running_loop().time()))
            self._asking.told(raw)
            if self._asking.customer.session.joined:
                self._joined.set()

    async def _send(self, effects: Sequence[Any]) -> None:
        for effect in effects:
            if isinstance(effect, bytes):
                await self._driver.receive(self._number, effect)

    async def complete(self, asked: Asked) -> AsyncIterator[Token | Mark]:
        """Tokens as they come, then the order's name and its lease's.

        Raises:
            Refused: a bid that is none; the order is refused, expires, or what was streamed is struck.
        """
        bid = bid_of(asked.bid, self._bid)
        model = Language(asked.model)
        name, inputs = input_of(model.input(asked.prompt))
        drawn: dict[str, Any] = {name: getattr(asked, name) for name in ("temperature", "seed", "top_k", "top_p")}
        terms = request_of(model, name, limit=asked.limit, **drawn)
        await self._joined.wait()
        order, effects = self._asking.placed([terms], inputs, bid, self._patience, unaudited=False)
        given: list[int] = []
        events = self._asking.followed(order)
        await self._send(effects)
        async for event in events:
            placed = event.placed
            tokens = placed.final.get(0) or placed.tokens.get(0, [])
            if tokens and tokens[: len(given)] != given:
                raise Refused(HTTPStatus.BAD_GATEWAY, "what was streamed is struck: it was wrong", "struck")
            for token in tokens[len(given) :]:
                given.append(token)
                yield Token(token)
            if placed.state in ("refused", "withdrawn", "expired"):
                raise Refused(
                    HTTPStatus.SERVICE_UNAVAILABLE, f"the order is {placed.state}: {placed.reason}", placed.state
                )
            if placed.leases:
                yield Mark({"order": order, "lease": next(iter(placed.leases)), "final": bool(placed.final)})
                return


def bid_of(text: str | None, default: int) -> int:
    """Micro-tokens of what a request bids; its exponent may be any, so nothing is made whole before it is known small.

    Raises:
        Refused: it is no amount above 0, or too large a one.
    """
    if text is None:
        return default
    try:
        bid = Decimal(text) * MICRO
        fits = 1 <= bid < 2**53
    except (ArithmeticError, ValueError):
        fits = False
    if not fits:
        raise bad(f"X-Bid: {text[:40]!r}: an amount of tokens above 0 is expected", None, "invalid_bid")
    return int(bid)
