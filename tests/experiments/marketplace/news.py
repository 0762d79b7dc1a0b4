"""What a party that runs is told, for tests that wait for it."""

import asyncio


class News:
    """Waits for what a party is told."""

    def __init__(self, line):
        self._came, told = asyncio.Event(), line._told
        line._told = lambda raw: (told(raw), self._came.set())

    async def until(self, holds):
        while not holds():
            self._came.clear()
            await self._came.wait()
