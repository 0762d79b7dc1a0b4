"""Neighbours merged until none can be: what byte-pair encoding and SentencePiece have in common."""

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush


def merge(symbols: Iterable[str], rank: Callable[[str, str], float | None]) -> list[str]:
    """Symbols of a text after all merges: at every step the pair of the lowest rank, of equal ones the leftmost.

    ``rank`` is None where two neighbours do not merge. n symbols take O(n log n).
    """
    parts = list(symbols)
    last = len(parts) - 1
    before, after = list(range(-1, last)), list(range(1, last + 2))

    def candidate(left: int, right: int) -> list[tuple[float, int, int, int]]:
        if left < 0 or right > last or (found := rank(parts[left], parts[right])) is None:
            return []
        return [(found, left, right, len(parts[left]) + len(parts[right]))]

    queue = [each for left in range(last) for each in candidate(left, left + 1)]
    heapify(queue)
    while queue:
        _, left, right, length = heappop(queue)
        if not parts[left] or not parts[right] or len(parts[left]) + len(parts[right]) != length:
            continue  # one of the two was merged meanwhile
        parts[left] += parts[right]
        parts[right] = ""
        after[left] = after[right]
        if after[left] <= last:
            before[after[left]] = left
        for each in (*candidate(before[left], left), *candidate(left, after[left])):
            heappush(queue, each)
    return [part for part in parts if part]
