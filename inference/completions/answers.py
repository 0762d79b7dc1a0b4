"""What is answered: completions of OpenAI's format, whole or as a stream of server-sent events."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from inference.completions.asked import Asked, Form, Refused
from inference.tokens.written import Written

Complete = Callable[[Asked], AsyncIterator["Token | Mark"]]
"""Gives the tokens of a completion, an end token the last, one by one as they come, and may give a mark after them.

Raises ``Refused``, also in the middle.
"""


@dataclass(frozen=True, slots=True)
class Token:
    """The next token."""

    token: int


@dataclass(frozen=True, slots=True)
class Mark:
    """What is known of a completion besides, as JSON: beside OpenAI's own fields, under ``mark``."""

    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """How one completion is told."""

    asked: Asked
    form: Form
    name: str
    created: int
    """Seconds since 1970."""

    def _of(self, kind: str, choices: list[dict[str, Any]], written: Written, usage: bool) -> dict[str, Any]:
        told = {"id": self.name, "object": kind, "created": self.created, "model": self.asked.model, "choices": choices}
        if usage:
            prompt, new = len(self.asked.prompt), len(written.tokens)
            told["usage"] = {"prompt_tokens": prompt, "completion_tokens": new, "total_tokens": prompt + new}
        return told | ({"mark": written.mark} if written.mark is not None else {})

    def whole(self, written: Written) -> dict[str, Any]:
        """All at once."""
        said: dict[str, Any] = {"index": 0, "logprobs": None, "finish_reason": written.finish}
        said |= {"message": _message(written.shown)} if self.form.chat else {"text": written.shown}
        return self._of("chat.completion" if self.form.chat else "text_completion", [said], written, usage=True)

    def _piece(self, written: Written, text: str | None, finish: str | None = None, first: bool = False) -> bytes:
        said: dict[str, Any] = {"index": 0, "logprobs": None, "finish_reason": finish}
        if self.form.chat:
            said["delta"] = ({"role": "assistant"} if first else {}) | ({} if text is None else {"content": text})
        else:
            said["text"] = text or ""
        return _event(self._of(self._kind, [said], written, usage=False))

    @property
    def _kind(self) -> str:
        return "chat.completion.chunk" if self.form.chat else "text_completion"

    async def streamed(self, written: Written, pieces: AsyncIterator[Token | Mark]) -> AsyncIterator[bytes]:
        """Server-sent events; what is refused in the middle is the last."""
        if self.form.chat:
            yield self._piece(written, "", first=True)
        try:
            async for piece in pieces:
                if isinstance(piece, Mark):
                    written.mark = piece.content
                elif text := written.take(piece.token):
                    yield self._piece(written, text)
                if written.stopped:  # what is known of the whole is not waited for
                    break
        except Refused as refused:
            yield _event(refused.plain())
            return
        if text := written.rest():
            yield self._piece(written, text)
        yield self._piece(written, None, written.finish)
        if self.form.usage:
            yield _event(self._of(self._kind, [], written, usage=True))
        yield b"data: [DONE]\n\n"


async def collected(written: Written, pieces: AsyncIterator[Token | Mark]) -> Written:
    """A completion, when all of it is there.

    Raises:
        Refused: see ``Complete``.
    """
    async for piece in pieces:
        if isinstance(piece, Mark):
            written.mark = piece.content
        else:
            written.take(piece.token)
        if written.stopped:  # what is known of the whole is not waited for
            break
    written.rest()
    return written


def _message(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text, "refusal": None}


def _event(content: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(content, separators=(",", ":")).encode() + b"\n\n"
