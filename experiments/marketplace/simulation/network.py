"""Connections between peers and a coordinator in simulated time: bytes arrive in order, after the peer's latency."""

from collections.abc import Callable
from typing import Any, Protocol

import simpy

from experiments.marketplace import auctioneer
from experiments.marketplace.coordinator import Coordinator
from experiments.marketplace.effects import Close, Compute, Effect, Send, Solve

SOLVING = 1.0
"""Seconds from a round's beginning to its answer."""


class Peer(Protocol):
    """Who has a connection."""

    latency: float

    def hear(self, raw: bytes) -> None:
        """Bytes have come."""

    def dropped(self) -> None:
        """The coordinator has ended the connection."""


def later(clock: simpy.Environment, delay: float, do: Callable[..., Any], *given: Any) -> None:
    """Call a function after so many seconds."""
    clock.timeout(delay).callbacks.append(lambda _: do(*given))


class Network:
    """All connections of a coordinator.

    Args:
        own: what becomes of a lease that the coordinator computes itself.
        solved: sees every round with its answer.
    """

    def __init__(
        self,
        clock: simpy.Environment,
        coordinator: Coordinator,
        own: Callable[[Compute], None],
        solved: Callable[[Solve, auctioneer.Answer], None],
    ) -> None:
        self.clock, self.coordinator, self._own, self._solved = clock, coordinator, own, solved
        self._peers: dict[int, Peer] = {}
        self._number = 0
        self.frames = 0

    def connect(self, peer: Peer) -> int:
        """A new connection's number; the coordinator learns of it after the latency."""
        self._number += 1
        number = self._number
        self._peers[number] = peer
        later(self.clock, peer.latency, self._opened, number)
        return number

    def _opened(self, number: int) -> None:
        if number in self._peers:
            self.take(self.coordinator.opened(number, self.clock.now))

    def send(self, number: int, raw: bytes) -> None:
        """From a peer to the coordinator."""
        if number in self._peers:
            later(self.clock, self._peers[number].latency, self._receive, number, raw)

    def _receive(self, number: int, raw: bytes) -> None:
        if number in self._peers:
            self.frames += 1
            self.take(self.coordinator.receive(number, raw, self.clock.now))

    def close(self, number: int) -> None:
        """A peer has gone; what was under way is lost."""
        if self._peers.pop(number, None) is not None:
            self.take(self.coordinator.closed(number, self.clock.now))

    def tick(self) -> None:
        """Time passes for the coordinator."""
        self.take(self.coordinator.tick(self.clock.now))

    def take(self, effects: list[Effect]) -> None:
        """Do what the coordinator wants done."""
        for effect in effects:
            match effect:
                case Send(number, raw):
                    if number in self._peers:
                        later(self.clock, self._peers[number].latency, self._hear, number, raw)
                case Solve():
                    answer = auctioneer.answer(effect)
                    self._solved(effect, answer)
                    later(self.clock, SOLVING, self._answer, effect.round, answer)
                case Compute():
                    self._own(effect)
                case Close(number):
                    if peer := self._peers.pop(number, None):
                        peer.dropped()
                case _:
                    pass

    def _hear(self, number: int, raw: bytes) -> None:
        if number in self._peers:
            self.frames += 1
            self._peers[number].hear(raw)

    def _answer(self, number: int, answer: auctioneer.Answer) -> None:
        self.take(self.coordinator.solved(number, answer, self.clock.now))
