"""Claims of the whitepaper and findings beyond it, one file or package each.

A module or, with helpers of its own, a package with::

    TITLE, PART                                  its heading, and the part of the report: a key of PARTS
    SECTION, STATEMENT                           a claim: the sentences it judges, word for word ("…": left out)
    FINDING                                      a finding, in their place: the question it answers
    VARIED, FIXED                                what was varied and what was not: quantity -> its values; those that
                                                 the results have as ``{table.column}``, see ``experiments.varied``
    CHANGED                                      settings that were changed after results were seen: quantity -> what it
                                                 was, what that came to, and why; where there are any
    OPEN                                         which of its tables the page shows unfolded, if any
    headline(results)                            a sentence and a picture for the page's head, of what leads it
    TIMED = True                                 where it measures time, so that nothing else may run beside it
    run(size, block=0) -> Results                the experiment: tidy tables of raw results; every draw depends on the
                                                 block, by ``sweep.seed_range``: blocks have no seed in common
    check(results) -> Verdict                    the newest criterion of ``criteria.toml`` applied to them
    figures(results) -> dict[caption, Figure]    what to look at
    tables(results) -> dict[caption, DataFrame]  the numbers behind it

A claim has an entry in ``criteria.toml``, fixed before the first run; one that changes gets another, with why.
Adding one means adding one file, that entry, its test, on results built by hand, and its name in ``coverage.toml`` and
docs/whitepaper.md; the report and the notebook's list find it.
"""

import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

import pandas as pd

from auction import registry

Size = Literal["tiny", "small", "full"]
SIZES: tuple[Size, ...] = ("tiny", "small", "full")
PARTS = {
    "allocation": "The allocation: how far from the optimum",
    "mechanism": "The mechanism: what prices promise, and to whom",
    "inference": "The inference: the same bits on every device",
    "verification": "The verification: who catches a cheat, and at what price",
    "market": "The market that runs: orders, devices and disputes under one coordinator",
}
Results = dict[str, pd.DataFrame]
Judgement = Literal["upheld", "qualified", "refuted", "undecided", "found"]


@dataclass(frozen=True)
class Verdict:
    """What a claim came to; a finding is ``found``, since it judges nobody's sentence.

    ``undecided`` (a busy machine, an absent peer, an interval too wide) has no figure: its explanation says what lacks.
    """

    verdict: Judgement
    figure: str  # the number that decides, with its interval
    explanation: str  # one or two sentences

    def __post_init__(self) -> None:
        if (self.verdict == "undecided") != (self.figure == ""):
            raise ValueError("a verdict has a figure, and what is undecided has none")


def undecided(why: str) -> Verdict:
    """No verdict, and no figure."""
    return Verdict("undecided", "", why)


def names() -> list[str]:
    """Every claim and finding there is."""
    return registry.names(sys.modules[__name__])


def load(name: str) -> Any:
    """Its module.

    Raises:
        InputError: none of that name.
    """
    return registry.load(sys.modules[__name__], name, "claim")


def is_finding(module: ModuleType) -> bool:
    """Whether it answers a question of its own, beyond the whitepaper."""
    return hasattr(module, "FINDING")
