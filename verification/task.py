"""What a user asks for: a model's run on a prompt."""

from dataclasses import asdict, dataclass

from verification.encoding.canonical import LARGEST_NUMBER, digest
from verification.encoding.schema import each, mapping, name_text, number, seed
from verification.errors import InputError, Refusal

MILLION = 1_000_000
MOST_TOKENS = 2**20
TASK = mapping(
    {
        "model": name_text,
        "prompt": each(number(0, 2**31 - 1), MOST_TOKENS),
        "limit": number(1, LARGEST_NUMBER),
        "millionths": number(0, LARGEST_NUMBER),
        "seed": seed,
    }
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

    @property
    def temperature(self) -> float:
        return self.millionths / MILLION

    @property
    def name(self) -> str:
        """Its digest."""
        return digest(self.plain())

    def plain(self) -> dict[str, object]:
        """As JSON."""
        return asdict(self) | {"prompt": list(self.prompt), "seed": str(self.seed)}


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
