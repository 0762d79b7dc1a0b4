"""Completions by a model on this machine, one at a time, in exact integers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from threading import Event, Lock
from weakref import WeakKeyDictionary

from inference.completions.answers import Complete, Mark, Token
from inference.completions.asked import Asked, bad
from inference.errors import InputError
from inference.generate import Backend, generate
from inference.held import Held
from inference.likeliest import among


class _Gone(Exception):  # noqa: N818 - no fault
    """Nobody reads a completion any more."""


def local(backend: Callable[[str], Backend]) -> Complete:
    """Completions on a backend of each model; the mark has the digest of the run's logits and tokens.

    What a prompt shares with the one before it is not computed again."""
    running = Lock()
    held = WeakKeyDictionary[Backend, Held]()

    async def complete(asked: Asked) -> AsyncIterator[Token | Mark]:
        loop, gone = asyncio.get_running_loop(), Event()
        pieces: asyncio.Queue[Token | Mark | Exception | None] = asyncio.Queue()

        def put(piece: Token | Mark | Exception | None) -> None:
            loop.call_soon_threadsafe(pieces.put_nowait, piece)

        def progress(token: int) -> None:
            if gone.is_set():
                raise _Gone
            put(Token(token))

        def work() -> None:
            try:
                with running:
                    if gone.is_set():
                        return
                    runtime = backend(asked.model)
                    run = generate(
                        runtime,
                        asked.prompt,
                        limit=asked.limit,
                        temperature=asked.temperature,
                        seed=asked.seed,
                        among=among(asked.top_k, asked.top_p),
                        held=held.setdefault(runtime, Held()),
                        progress=progress,
                    )
                put(Mark({"digest": run.digest}))
                put(None)
            except _Gone:
                pass
            except Exception as error:  # noqa: BLE001 it is raised to who asked
                put(error)

        done = loop.run_in_executor(None, work)
        try:
            while (piece := await pieces.get()) is not None:
                if isinstance(piece, InputError):
                    raise bad(str(piece), None)
                if isinstance(piece, Exception):
                    raise piece
                yield piece
            await done
        finally:
            gone.set()

    return complete
