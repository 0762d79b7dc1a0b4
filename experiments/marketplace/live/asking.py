"""A user's order from the terminal or in the name of others: an estimate, tokens as they come, the final mark."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from experiments.marketplace import messages
from experiments.marketplace.customer import Customer, Placed
from experiments.marketplace.messages import Quote
from verification.errors import Refusal


@dataclass(frozen=True, slots=True)
class Event:
    """What became of an order: its state as the customer knows it, after something came."""

    placed: Placed
    shown: messages.Shown | None = None
    """A result of it that is open to claims now."""


@dataclass
class Asking:
    """A customer whose orders are followed: ``told`` is called after everything that it is told."""

    customer: Customer
    _news: dict[str, asyncio.Queue[Event]] = field(default_factory=dict)
    _quotes: dict[int, asyncio.Future[Quote]] = field(default_factory=dict)

    def told(self, raw: bytes | None) -> None:
        """Hand on what a frame was about."""
        if raw is None:
            return
        message = messages.to_peer(raw)
        match message:
            case messages.Quote(id=number) if number in self._quotes:
                self._quotes.pop(number).set_result(message)
            case messages.Refused(id=int(number)) if number in self._quotes:
                self._quotes.pop(number).set_exception(Refusal(message.reason, message.sentence))
            case messages.Shown(lease=lease):
                for name, placed in self.customer.orders.items():
                    if lease in placed.leases:
                        self._tell(name, message)
            case messages.Done() | messages.Refused():
                for name, placed in self.customer.orders.items():
                    if placed.state in ("waiting", "refused") and not placed.tokens:
                        self._tell(name)
            case messages.Token() | messages.Output() | messages.Strike() | messages.Final() | messages.Waits():
                self._tell(message.order)
            case _:
                pass

    def _tell(self, order: str, shown: messages.Shown | None = None) -> None:
        if order in self._news:
            self._news[order].put_nowait(Event(self.customer.orders[order], shown))

    def estimated(self, asked: Sequence[dict[str, Any]], inputs: dict[str, bytes], bid: int) -> tuple[Any, Any]:
        """A future of what an order would come to, or of its refusal, and the frames that ask."""
        number, effects = self.customer.estimate(asked, inputs, bid=bid)
        self._quotes[number] = asyncio.get_running_loop().create_future()
        return self._quotes[number], effects

    def placed(
        self, asked: Sequence[dict[str, Any]], inputs: dict[str, bytes], bid: int, patience: int, *, unaudited: bool
    ) -> tuple[str, Any]:
        """An order's name, and the frames that post it."""
        name, effects = self.customer.order(asked, inputs, bid=bid, patience=patience, unaudited=unaudited)
        self._news[name] = asyncio.Queue()
        return name, effects

    async def followed(self, name: str) -> AsyncIterator[Event]:
        """All that becomes of an order, until it is over."""
        try:
            while True:
                event = await self._news[name].get()
                yield event
                if event.placed.over:
                    return
        finally:
            self._news.pop(name, None)


def customer(key: bytes, *, fund: bool) -> Asking:
    """A user of a key."""
    return Asking(Customer(Ed25519PrivateKey.from_private_bytes(key), fund=fund))


def input_of(raw: bytes) -> tuple[str, dict[str, bytes]]:
    """An input's digest, and it by that."""
    name = sha256(raw).hexdigest()
    return name, {name: raw}
