"""What is to be looked at when: ticks of subjects, derived from the ledger's state and nowhere else kept."""

from collections.abc import Iterator
from heapq import heapify, heappop, heappush


class Agenda:
    """The soonest tick of each subject; what is due at one tick comes in the order of its name, whenever it came in."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, str, str]] = []
        self._soonest: dict[tuple[str, str], int] = {}

    def add(self, tick: int, kind: str, subject: str) -> None:
        """Look at a subject at a tick, if not sooner."""
        if tick < self._soonest.get((kind, subject), tick + 1):
            self._soonest[kind, subject] = tick
            heappush(self._heap, (tick, kind, subject))

    def forget(self, kind: str, subject: str) -> None:
        """Do not look at a subject that is over: its tick may be far, and many such would fill the memory."""
        if self._soonest.pop((kind, subject), None) is not None and len(self._heap) > 2 * len(self._soonest) + 64:
            self._heap = [(tick, *key) for key, tick in self._soonest.items()]
            heapify(self._heap)

    def due(self, tick: int) -> Iterator[tuple[str, str]]:
        """Kind and subject of what is due by a tick, each once."""
        while self._heap and self._heap[0][0] <= tick:
            at, kind, subject = heappop(self._heap)
            if self._soonest.get((kind, subject)) == at:
                del self._soonest[kind, subject]
                yield kind, subject

    def __len__(self) -> int:
        return len(self._soonest)
