"""What a user asks for: a model's run on a prompt, a text or a picture."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from verification.encoding.canonical import LARGEST_NUMBER, digest
from verification.encoding.schema import each, name_text, number, seed, with_any
from verification.errors import InputError, Refusal

MILLION = 1_000_000
MOST_TOKENS = 2**20
LIKELIEST = {"top_k": number(1, 2**20), "top_p": number(1, MILLION - 1)}
"""Among which tokens is drawn, where not among all: so many of the likeliest, and of these the fewest that have so many
millionths of their probability."""
PICTURE = {
    "negative": each(number(0, 2**31 - 1), MOST_TOKENS),
    "guidance": number(0, 100 * MILLION),
    "steps": number(1, 1000),
    "size": number(1, 2**16),
}
"""Of a prompt that is drawn: tokens of what not to draw, millionths of guidance, steps, pixels a side."""
TASK = with_any(
    {
        "model": name_text,
        "prompt": each(number(0, 2**31 - 1), MOST_TOKENS),
        "limit": number(1, LARGEST_NUMBER),
        "millionths": number(0, LARGEST_NUMBER),
        "seed": seed,
    },
    LIKELIEST | PICTURE,
)


TOKENS = frozenset({"prompt", "negative"})
"""Keys of lists."""


@dataclass(frozen=True, slots=True)
class Task:
    """One run, up to a limit of tokens."""

    model: str
    prompt: tuple[int, ...]
    """Tokens."""
    limit: int
    millionths: int
    """Of the temperature."""
    seed: int
    top_k: int | None = None
    """``LIKELIEST``; None: among all."""
    top_p: int | None = None
    negative: tuple[int, ...] | None = None
    """``PICTURE``; None: a text of zeros, or no picture of a prompt."""
    guidance: int | None = None
    steps: int | None = None
    size: int | None = None

    @property
    def temperature(self) -> float:
        return self.millionths / MILLION

    @property
    def name(self) -> str:
        """Its digest."""
        return digest(self.plain())

    def plain(self) -> dict[str, object]:
        """As JSON; what is not asked for is left out."""
        asked = {name: value for name, value in asdict(self).items() if value is not None}
        tokens = {name: list(asked[name]) for name in TOKENS & asked.keys()}
        return asked | tokens | {"seed": str(self.seed)}


def read_task(content: object) -> Task:
    """A task from JSON.

    Raises:
        InputError: it is none.
    """
    try:
        found = TASK(content)
    except Refusal as refusal:
        raise InputError(f"task: {refusal}") from None
    return task_from(found)


def task_from(found: Mapping[str, Any]) -> Task:
    """A task of what ``TASK`` has read."""
    tokens: dict[str, Any] = {name: tuple(found[name]) for name in TOKENS & found.keys()}
    return Task(**{**found, **tokens})
