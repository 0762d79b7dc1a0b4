"""What drives a party, a device or a user: a websocket that is made anew when it breaks, and one task that takes turns.

Frames, time, and what was computed are taken to the party one by one; what it wants sent is sent in order.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from auction.errors import InputError
from experiments.marketplace.live.application import SOCKET
from experiments.marketplace.messages import MOST_BYTES

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds between two attempts to connect."""
OPENING, BEGINNING = 10.0, 180.0
"""Seconds that a market has to answer a connection, and that one is waited for that listens and has not begun: what its
rounds run is compiled where it never ran."""
BEAT = 0.25
"""Seconds between two looks at the time."""


class Side(Protocol):
    """A party without input or output."""

    def reopened(self) -> None: ...

    def receive(self, raw: bytes, now: float) -> Sequence[Any]: ...


P = TypeVar("P", bound=Side)


def socket_of(url: str) -> str:
    """The address of a market's socket: of http://HOST:PORT or ws://HOST:PORT.

    Raises:
        InputError: another form.
    """
    scheme, _, rest = url.rstrip("/").removesuffix(SOCKET).partition("://")
    found = {"http": "ws", "ws": "ws", "https": "wss", "wss": "wss"}.get(scheme)
    if found is None or not rest or "/" in rest:
        raise InputError(f"{url}: a market's address is expected, like ws://127.0.0.1:8000")
    return f"{found}://{rest}{SOCKET}"


class Line(Generic[P]):
    """A party's connection to a market.

    Args:
        perform: does what the party wants done that is no frame.
        told: is called after everything that was taken to the party; what it raises ends ``run``.
        lost: is told in a sentence, once each time, that the connection is gone, or is not there yet.
        longest: seconds between two attempts to connect, at most, as the party knows its market.
    """

    def __init__(
        self,
        url: str,
        party: P,
        perform: Callable[[Any], object],
        told: Callable[[bytes | None], object] = lambda raw: None,
        tick: Callable[[float], Sequence[Any]] | None = None,
        lost: Callable[[str], object] = lambda sentence: None,
        longest: Callable[[], float] = lambda: LONGEST_PAUSE,
    ) -> None:
        self._lost, self._longest = lost, longest
        self.url, self.party, self._perform, self._told, self._tick = socket_of(url), party, perform, told, tick
        self._calls: asyncio.Queue[tuple[ClientConnection | None, Callable[[float], Sequence[Any]], bytes | None]]
        self._calls = asyncio.Queue()
        self.connections = 0
        """That were made."""

    def take(self, call: Callable[[float], Sequence[Any]]) -> None:
        """Take something to the party, in its turn: a call of it that gives its effects."""
        self._calls.put_nowait((None, call, None))

    async def run(self) -> None:
        """Until cancelled.

        Raises:
            InputError: nobody listens at the address, or is no market within the time that one has to begin.
            Refusal: the market is another one, or what its coordinator signed is wrong.
        """
        pause, up, late = FIRST_PAUSE, False, False
        begun = asyncio.get_running_loop().time()
        options: dict[str, Any] = {"max_size": MOST_BYTES, "compression": None, "proxy": None}
        while True:
            try:
                async with connect(self.url, open_timeout=OPENING, **options) as socket:
                    self.connections += 1
                    pause, up = FIRST_PAUSE, True
                    await self._converse(socket)
            except (OSError, InvalidHandshake, InvalidURI, TimeoutError) as error:
                waits = isinstance(error, TimeoutError) and asyncio.get_running_loop().time() < begun + BEGINNING
                if not self.connections and waits:
                    if not late:
                        self._lost("who listens there does not answer yet; waiting: a market that begins takes a while")
                    late = True
                elif not self.connections:
                    told = f"{self.url}: no market answers ({' '.join(str(error).split())})"
                    raise InputError(f"{told}; `python -m experiments market serve` begins one") from None
            except ConnectionClosed:
                pass
            if up:
                self._lost("the market does not answer; trying again. What was asked is kept there")
            up = False
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE, self._longest())

    async def _converse(self, socket: ClientConnection) -> None:
        """Until the connection ends.

        Raises:
            ConnectionClosed: it has.
        """
        loop = asyncio.get_running_loop()
        self.party.reopened()
        reader = asyncio.create_task(self._read(socket))
        beat = loop.time() + BEAT
        try:
            while not reader.done():
                raw, effects = None, list[Any]()
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(beat):
                        of, call, raw = await self._calls.get()
                    if of not in (None, socket):
                        continue  # of a connection that has ended
                    effects += call(loop.time())
                if loop.time() >= beat:  # however much there is to do meanwhile
                    beat = loop.time() + BEAT
                    effects += self._tick(loop.time()) if self._tick else ()
                frames = [effect for effect in effects if isinstance(effect, bytes)]
                for effect in effects:  # first: the party has them for begun, also where the connection breaks here
                    if not isinstance(effect, bytes):
                        self._perform(effect)
                self._told(raw)
                for frame in frames:
                    await socket.send(frame.decode())
            await reader
        finally:
            reader.cancel()

    async def _read(self, socket: ClientConnection) -> None:
        while True:
            raw = await socket.recv(decode=False)
            self._calls.put_nowait((socket, partial(self.party.receive, raw), raw))
