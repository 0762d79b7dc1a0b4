"""What was worked out before: an answer depends on nothing but what was read for it, so it is worked out once.

Of each question the first read is always the same, and so is each further one, given what the reads before it found: a
tree of reads, whose leaves are answers.
"""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from verification.model_check.world import Atom, Read, View, World

Answer = TypeVar("Answer")


class _Node:
    """A read, and what follows by what it finds."""

    __slots__ = ("following", "read")

    def __init__(self, read: Read) -> None:
        self.read = read
        self.following: dict[Atom | None, Any] = {}


class Recall:
    """Answers, by question and by what was read for them."""

    def __init__(self) -> None:
        self._first: dict[Hashable, Any] = {}

    def __call__(self, world: World, question: Hashable, answer: Callable[[View], Answer]) -> Answer:
        """What a question's answer is in a world; ``answer`` works it out from a view, if it must be."""
        node = self._first.get(question)
        while type(node) is _Node:
            node = node.following.get(world.get(node.read))
        if node is None:
            view = View(world)
            node = answer(view)
            self._keep(question, view, node)
        found: Answer = node
        return found

    def _keep(self, question: Hashable, view: View, found: Any) -> None:
        place, at = self._first, question
        for read in view.reads:
            node = place.setdefault(at, _Node(read))
            assert node.read == read, f"{question}: {read} is read where {node.read} was"
            place, at = node.following, view.world.get(read)
        place[at] = found
