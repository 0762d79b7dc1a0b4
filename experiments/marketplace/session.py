"""A peer's side of one connection to a coordinator: it proves its keys, asks, and learns what became of what it asked.

Without input or output: bytes go in, frames come out. Whoever holds the connection says when it opened anew.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from experiments.marketplace import messages
from experiments.marketplace.messages import Challenge, Done, Fund, Hello, Refused, Role, ToPeer, Welcome
from verification.encoding.canonical import digest, parsed
from verification.encoding.request import Request, request
from verification.encoding.signature import public, sign
from verification.errors import Refusal
from verification.market.rules import Rules, read_rules

COMEBACK, MOST_REFUSED = 8, 256


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request: performed, or refused for a reason."""

    request: Request
    reason: str = ""
    sentence: str = ""


class Session:
    """A connection of an owner's, or of one of its devices.

    Args:
        market: that is expected, where it is known from elsewhere; another one is refused.
    """

    def __init__(
        self,
        role: Role,
        owner: Ed25519PrivateKey,
        device: Ed25519PrivateKey | None = None,
        *,
        origin: str = "",
        market: str = "",
    ) -> None:
        self.role, self.owner, self.device, self.origin, self.market = role, owner, device, origin, market
        self.owner_name = public(owner)
        self.device_name = "" if device is None else public(device)
        self.coordinator = ""
        self.rules = Rules()
        self.welcome: Welcome | None = None
        self._nonce = ""
        self._begun, self._seconds_per_tick = 0.0, 1.0
        self._numbers = 0
        self._asked: dict[int, Request] = {}
        self.refused: deque[Answer] = deque(maxlen=MOST_REFUSED)
        """What was asked for and is not had, in order: the last of it."""

    @property
    def joined(self) -> bool:
        """Whether the coordinator listens."""
        return self.welcome is not None

    @property
    def key(self) -> Ed25519PrivateKey:
        """That the connection is of."""
        return self.owner if self.device is None else self.device

    def tick(self, now: float) -> int:
        """What tick it is, by the driver's clock since the welcome."""
        if self.welcome is None:
            return 0
        return self.welcome.tick + int((now - self._begun) / self.welcome.seconds_per_tick)

    def comeback(self) -> float:
        """Seconds in which to try to connect again: a part of delta, by which who was cut off has to be back."""
        return self.rules.delta * self._seconds_per_tick / COMEBACK

    def reopened(self) -> None:
        """The connection was made anew: what was asked may have been performed, or not."""
        self.welcome = None
        self._asked.clear()

    def challenged(self, told: Challenge) -> bytes:
        """The proof of the connection's key.

        Raises:
            Refusal: other-version, other-market, malformed (a genesis that is none).
        """
        if told.version != messages.VERSION:
            raise Refusal("other-version", f"the coordinator speaks version {told.version}, not {messages.VERSION}")
        if self.market not in ("", told.market):
            raise Refusal("other-market", f"the market is {told.market}, not {self.market}")
        first = parsed(bytes(told.genesis))
        self.market, self._nonce = told.market, told.nonce
        self.coordinator, self.rules = first["party"], read_rules(first["content"]["rules"])
        signed = {"nonce": told.nonce, "origin": self.origin, "role": self.role}
        return messages.encode(
            Hello(
                version=messages.VERSION,
                role=self.role,
                owner=self.owner_name,
                device=self.device_name,
                origin=self.origin,
                signature=sign(self.key, messages.HELLO, self.market, signed),
            )
        )

    def welcomed(self, told: Welcome, now: float) -> None:
        """The coordinator took the proof."""
        self.welcome, self._begun, self._seconds_per_tick = told, now, told.seconds_per_tick

    def enrolled(self, fund: bool) -> list[bytes]:
        """What is asked of a market that does not know the connection's key: that it knows the owner; its purse, where
        the market is a demonstration that ``fund`` owners."""
        asked = [self.ask(self.owner, "register", {})]
        return [*asked, messages.encode(Fund(id=self.number(), owner=self.owner_name))] if fund else asked

    def ask(
        self, key: Ed25519PrivateKey, kind: str, content: dict[str, Any], blobs: dict[str, bytes] | None = None
    ) -> bytes:
        """A frame that asks for what a key signs."""
        return self.ask_for(request(key, kind, self.market, content), blobs)

    def ask_for(self, asked: Request, blobs: dict[str, bytes] | None = None) -> bytes:
        """A frame that asks for what is signed."""
        return messages.ask(self.number(asked), asked, blobs)

    def number(self, asked: Request | None = None) -> int:
        """Of the next thing that is asked; ``answered`` gives the request back."""
        self._numbers += 1
        if asked is not None:
            self._asked[self._numbers] = asked
        return self._numbers

    def nonce(self) -> str:
        """Of a request that may be made more than once; never the same one, also while nobody listens."""
        return digest([self._nonce, self.number()])

    def answered(self, told: Done | Refused) -> Answer | None:
        """What became of a request of this connection; None where it is of none."""
        asked = self._asked.pop(told.id, None) if isinstance(told.id, int) else None
        if asked is None or isinstance(told, Done):
            return None if asked is None else Answer(asked)
        self.refused.append(Answer(asked, told.reason, told.sentence))
        return self.refused[-1]

    def taken(self, raw: bytes, now: float) -> tuple[ToPeer, list[bytes]]:
        """A frame read, and what is answered to it here: to a challenge the proof."""
        told = messages.to_peer(raw)
        if isinstance(told, Challenge):
            return told, [self.challenged(told)]
        if isinstance(told, Welcome):
            self.welcomed(told, now)
        return told, []
