"""What a user asks for: a model's run on a prompt."""

from dataclasses import asdict, dataclass

from verification.encoding.canonical import LARGEST_NUMBER, digest
from verification.encoding.schema import each, name_text, number, seed, with_any
from verification.errors import InputError, Refusal

MILLION = 1_000_000
MOST_TOKENS = 2**20
LIKELIEST = {"top_k": number(1, 2**20), "top_p": number(1, MILLION - 1)}
"""Among which tokens is drawn, where not among all: so many of the likeliest, and of these the fewest that have so many
millionths of their probability."""
TASK = with_any(
    {
        "model": name_text,
        "prompt": each(number(0, 2**31 - 1), MOST_TOKENS),
        "limit": number(1, LARGEST_NUMBER),
        "millionths": number(0, LARGEST_NUMBER),
        "seed": seed,
    },
    LIKELIEST,
)


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
        return asked | {"prompt": list(self.prompt), "seed": str(self.seed)}


def read_task(content: object) -> Task:
    """A task from JSON.

    Raises:
        InputError: it is none.
    """
    try:
        found = TASK(content)
    except Refusal as refusal:
        raise InputError(f"task: {refusal}") from None
    return Task(**found | {"prompt": tuple(found["prompt"])})
