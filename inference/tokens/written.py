"""A continuation as its tokens come: its text, as soon as it is settled, up to an end token or a stop word."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from inference.tokens.text import Text

UNSETTLED = "\ufffd"


@dataclass(slots=True)
class Written:
    """A continuation as it comes."""

    text: Text
    end: Collection[int]
    stops: Sequence[str] = ()
    """Texts before which it is cut."""
    tokens: list[int] = field(default_factory=list)
    shown: str = ""
    """Of its text, what is settled: later tokens may change its last character where that is no whole one yet, and may
    make a stop of its last letters."""
    finish: str = "length"
    mark: dict[str, Any] | None = None
    """What is known of it besides."""

    def take(self, token: int) -> str:
        """Take the next token; the text that it settles."""
        self.tokens.append(token)
        if token in self.end:
            self.finish = "stop"
            return ""
        whole = self._whole()
        if self.finish == "stop":
            return self._show(whole)
        settled = whole.rstrip(UNSETTLED)
        held = [size for stop in self.stops for size in range(1, len(stop)) if settled.endswith(stop[:size])]
        return self._show(settled[: len(settled) - max(held, default=0)])

    def rest(self) -> str:
        """The text that is left when no token comes any more."""
        return self._show(self._whole())

    @property
    def stopped(self) -> bool:
        """Whether a stop word came: no further token is wanted."""
        return self.finish == "stop" and self.tokens[-1] not in self.end

    def _whole(self) -> str:
        whole = self.text.decode([token for token in self.tokens if token not in self.end])
        found = [at for stop in self.stops if (at := whole.find(stop)) >= 0]
        if found:
            self.finish = "stop"
        return whole[: min(found, default=len(whole))]

    def _show(self, text: str) -> str:
        new, self.shown = text[len(self.shown) :], max(self.shown, text, key=len)
        return new
