"""What is asked for: requests of OpenAI's format read, and refused in it.

What the models here do not do (several choices, penalties, tools) is refused, never passed over.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from inference.errors import InputError
from inference.tokens.text import Text

LIMIT = 16
"""Tokens where none are asked for."""
STOPS = 4
"""As OpenAI's endpoints take them."""
NEUTRAL: dict[str, tuple[Any, ...]] = {
    "best_of": (1,),
    "echo": (False,),
    "frequency_penalty": (0,),
    "function_call": ("none",),
    "functions": ([],),
    "logit_bias": ({},),
    "logprobs": (False,),
    "modalities": (["text"],),
    "n": (1,),
    "parallel_tool_calls": (True, False),
    "presence_penalty": (0,),
    "response_format": ({"type": "text"},),
    "suffix": ("",),
    "tool_choice": ("none", "auto"),
    "tools": ([],),
    "top_logprobs": (0,),
}
"""What may be said, and only so, or as null: it changes nothing."""
NOTED = frozenset({"metadata", "service_tier", "store", "user"})
"""What may be said, and changes nothing."""
TAKEN = frozenset(
    {"max_completion_tokens", "max_tokens", "messages", "model", "prompt", "seed", "stream", "stream_options"}
    | {"stop", "temperature", "top_k", "top_p"}
)


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """A request that is not answered, as OpenAI's format says it: status, message, code, parameter."""

    def __init__(self, status: int, message: str, code: str, parameter: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.parameter = status, code, parameter

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        kind = "server_error" if self.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
        return {"error": {"message": str(self), "type": kind, "param": self.parameter, "code": self.code}}


def bad(message: str, parameter: str | None, code: str = "invalid_value") -> Refused:
    """What is wrong with a request."""
    return Refused(HTTPStatus.BAD_REQUEST, message, code, parameter)


class Models(Protocol):
    """What is served."""

    def names(self) -> Sequence[str]: ...

    def text(self, name: str) -> Text: ...

    def context(self, name: str) -> int:
        """Positions of prompt and completion."""

    def end(self, name: str) -> Collection[int]:
        """Tokens that end a completion."""


def unknown(name: str, models: Models) -> Refused:
    """That there is no such model."""
    message = f"the model {name[:80]!r} does not exist; there are {', '.join(models.names())}"
    return Refused(HTTPStatus.NOT_FOUND, message, "model_not_found", "model")


@dataclass(frozen=True, slots=True)
class Asked:
    """One completion."""

    model: str
    prompt: list[int]
    """Tokens."""
    limit: int
    temperature: float
    """0: always the likeliest token."""
    seed: int
    """The same one gives the same tokens; 0 where none is asked for."""
    top_k: int | None
    """Among how many of the likeliest tokens is drawn; None: all, as at temperature 0."""
    top_p: float
    bid: str | None
    """As the header ``X-Bid`` says it."""
    stops: tuple[str, ...] = ()
    """Texts before which the completion is cut; what completes it is told to stop."""


@dataclass(frozen=True, slots=True)
class Form:
    """How it is answered."""

    chat: bool
    stream: bool
    usage: bool
    """Whether the stream ends with the count of tokens."""


def read(content: Any, models: Models, chat: bool, bid: str | None) -> tuple[Asked, Form]:
    """Request and form of a JSON body.

    Raises:
        Refused: see above.
    """
    if not isinstance(content, dict):
        raise bad("a request is a JSON object", None, "invalid_json")
    for name, value in content.items():
        if name not in TAKEN | NOTED and not (name in NEUTRAL and (value is None or value in NEUTRAL[name])):
            raise bad(f"{name} = {str(value)[:40]!r} is not supported", name, "unsupported_parameter")
    model = content.get("model")
    if not isinstance(content.get("stream_options") or {}, dict):
        raise bad("stream_options is an object", "stream_options")
    if not isinstance(model, str) or model not in models.names():
        raise unknown(str(model), models)
    limit, context = _limit(content), models.context(model)
    prompt = _prompt(content, models.text(model), chat)
    if not prompt:
        raise bad("the prompt is empty", "messages" if chat else "prompt")
    if len(prompt) + limit > context:
        raise bad(
            f"this model's context is {context} tokens: {len(prompt)} in the prompt and {limit} to come",
            "messages" if chat else "prompt",
            "context_length_exceeded",
        )
    stream = content.get("stream") or False
    usage = (content.get("stream_options") or {}).get("include_usage") or False
    if type(stream) is not bool or type(usage) is not bool:
        raise bad("stream and stream_options.include_usage are true or false", "stream")
    temperature, top_k, top_p = _temperature(content), _top_k(content), _top_p(content)
    if temperature == 0:
        top_k, top_p = None, 1.0
    asked = Asked(model, prompt, limit, temperature, _seed(content), top_k, top_p, bid, _stops(content))
    return asked, Form(chat, stream, usage)


def _limit(content: dict[str, Any]) -> int:
    given = {name: content[name] for name in ("max_tokens", "max_completion_tokens") if content.get(name) is not None}
    if len(set(map(str, given.values()))) > 1:
        raise bad("max_tokens and max_completion_tokens differ", "max_tokens")
    name, limit = next(iter(given.items()), ("max_tokens", LIMIT))
    if type(limit) is not int or limit < 1:
        raise bad(f"{name} is {limit!r}; a whole number from 1 on is expected", name)
    return limit


def _temperature(content: dict[str, Any]) -> float:
    value = content.get("temperature")
    if value is None:
        return 1.0
    if type(value) not in (int, float) or not (value == 0 or 0.05 <= value <= 2):
        raise bad(f"temperature is {value!r}; 0 (the likeliest token) or 0.05 to 2 is expected", "temperature")
    return round(float(value), 6)


def _top_k(content: dict[str, Any]) -> int | None:
    value = content.get("top_k")
    if value is not None and (type(value) is not int or not -1 <= value <= 2**20):
        raise bad(f"top_k is {value!r}; a whole number from 1 to 2^20 is expected, or 0 or -1 for all", "top_k")
    return value if value and value > 0 else None


def _top_p(content: dict[str, Any]) -> float:
    value = content.get("top_p")
    if value is None:
        return 1.0
    if type(value) not in (int, float) or not 1e-6 <= value <= 1:
        raise bad(f"top_p is {value!r}; a number from 0.000001 to 1 is expected", "top_p")
    return round(float(value), 6)


def _seed(content: dict[str, Any]) -> int:
    value = content.get("seed")
    if value is None:
        return 0
    if type(value) is not int or not 0 <= value < 2**63:
        raise bad(f"seed is {value!r}; a whole number from 0 to 2^63 - 1 is expected", "seed")
    return value


def _stops(content: dict[str, Any]) -> tuple[str, ...]:
    value = content.get("stop")
    stops = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(stops, list) or len(stops) > STOPS or not all(isinstance(stop, str) and stop for stop in stops):
        raise bad(f"stop is a text, or a list of up to {STOPS}", "stop")
    return tuple(stops)


def _prompt(content: dict[str, Any], text: Text, chat: bool) -> list[int]:
    name = "messages" if chat else "prompt"
    prompt = content.get(name)
    if not chat and isinstance(prompt, list) and len(prompt) == 1 and isinstance(prompt[0], str | list):
        [prompt] = prompt
    try:
        if chat:
            return text.encode(text.conversation(_messages(prompt)))
        if isinstance(prompt, str):
            return text.encode(prompt)
    except InputError as error:
        raise bad(str(error), name) from None
    if isinstance(prompt, list) and all(type(token) is int and 0 <= token < text.vocabulary for token in prompt):
        return prompt
    raise bad(f"the prompt is one text, or one list of tokens below {text.vocabulary}", name)


def _messages(given: Any) -> list[dict[str, str]]:
    if not isinstance(given, list) or not given:
        raise bad("messages are a list of {role, content}", "messages")
    return [{"role": _role(each), "content": _content(each.get("content"))} for each in given]


def _role(message: Any) -> str:
    role = message.get("role") if isinstance(message, dict) else None
    if role == "developer":
        return "system"
    if role not in ("system", "user", "assistant"):
        raise bad("a message's role is system, developer, user or assistant", "messages")
    return str(role)


def _content(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(
        isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str) for part in content
    ):
        return "".join(part["text"] for part in content)
    raise bad("a message's content is a text, or a list of parts of type text", "messages")
