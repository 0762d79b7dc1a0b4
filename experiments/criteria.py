"""Every claim's criteria with their dates, as first fixed and at each change: ``criteria.toml``."""

import datetime
import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import ModuleType
from typing import Any

from experiments.claims import Judgement, Results


@dataclass(frozen=True)
class Criterion:
    """What would uphold a claim, from a date on."""

    date: datetime.date
    text: str
    changed: str = ""  # why, where it replaces another
    judge: str = ""  # the claim's function of results that applies it, where ``check`` does not
    came_to: Judgement | None = None  # recorded, where today's experiment no longer has what it needs

    def verdict(self, claim: ModuleType, results: Results) -> Judgement:
        """What the results come to by this criterion."""
        if self.came_to is not None:
            return self.came_to
        judged: Judgement = getattr(claim, self.judge)(results) if self.judge else claim.check(results).verdict
        return judged

    @property
    def digest(self) -> str:
        """Of its date and its words: an entry that was published is never changed."""
        return hashlib.sha256(f"{self.date} {self.text}".encode()).hexdigest()[:16]


@cache
def all_criteria() -> dict[str, tuple[Criterion, ...]]:
    """By claim, the oldest first; the last is what ``check`` applies."""
    read = tomllib.loads(files("experiments").joinpath("criteria.toml").read_text(encoding="utf-8"))
    return {name: tuple(_criterion(**entry) for entry in entries) for name, entries in read.items()}


def _criterion(**entry: Any) -> Criterion:
    lines = {key: " ".join(value.split()) for key, value in entry.items() if isinstance(value, str)}
    return Criterion(**entry | lines)


def of(name: str) -> tuple[Criterion, ...]:
    """A claim's criteria, the oldest first; a finding has none, or those of the claim that it was."""
    return all_criteria().get(name, ())
