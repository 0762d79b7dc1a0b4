"""Every sentence of the whitepaper in its order, and what of this package speaks to it: ``coverage.toml``."""

import tomllib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Kind = Literal["claim", "test", "not tested", "no statement"]
KINDS: tuple[Kind, ...] = ("claim", "test", "not tested", "no statement")


@dataclass(frozen=True)
class Sentence:
    """A sentence, by its first words. Exactly one of the four kinds is given."""

    section: str  # number and title
    words: str
    claim: tuple[str, ...] = ()  # names of the claims that judge it
    test: tuple[str, ...] = ()  # path::name of the tests that show it as built
    not_tested: str = ""  # because of what
    no_statement: str = ""  # what it is instead
    left_out: str = ""  # what of it the claim or the test does not reach

    @property
    def kind(self) -> Kind:
        """Which of the four it is."""
        given = dict(zip(KINDS, (self.claim, self.test, self.not_tested, self.no_statement), strict=True))
        (kind,) = (name for name, content in given.items() if content)
        return kind


@cache
def sentences() -> tuple[Sentence, ...]:
    """All of them, in the whitepaper's order."""
    read = tomllib.loads(files("experiments").joinpath("coverage.toml").read_text(encoding="utf-8"))
    return tuple(_sentence(section, words, **entry) for section, part in read.items() for words, entry in part.items())


def _sentence(section: str, words: str, **entry: Any) -> Sentence:
    names: dict[str, Any] = {key: tuple(entry.pop(key)) for key in ("claim", "test") if key in entry}
    return Sentence(section, words, **names, **entry)


def counts() -> dict[Kind, int]:
    """How many sentences there are of each kind."""
    found = Counter(sentence.kind for sentence in sentences())
    return {kind: found[kind] for kind in KINDS}


def share() -> float:
    """Sentences with a claim or a test, as a share of those that state something."""
    found = counts()
    return (found["claim"] + found["test"]) / (len(sentences()) - found["no statement"])
