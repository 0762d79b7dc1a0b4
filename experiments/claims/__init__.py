"""Claims of the whitepaper, one file or package each.

A claim is a module or, with helpers of its own, a package with

    PART                                         of the report: a key of PARTS
    SECTION, STATEMENT, CRITERION                what the whitepaper says and what would uphold it, fixed in advance;
                                                 one that is revised after a run says so, and how
    run(size: Size) -> Results                   the experiment: tidy tables of raw results
    check(results) -> Verdict                    the criterion applied to them
    figures(results) -> dict[caption, Figure]    what to look at
    tables(results) -> dict[caption, DataFrame]  the numbers behind it

Adding one means adding one file and its test, on results built by hand; the report and the notebook's list find it.
"""

import sys
from dataclasses import dataclass
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
}
Results = dict[str, pd.DataFrame]
Judgement = Literal["upheld", "qualified", "refuted"]


@dataclass(frozen=True)
class Verdict:
    """What a claim came to."""

    verdict: Judgement
    figure: str  # the number that decides, with its interval
    explanation: str  # one or two sentences


def names() -> list[str]:
    """Every claim there is."""
    return registry.names(sys.modules[__name__])


def load(name: str) -> Any:
    """A claim's module.

    Raises:
        InputError: no claim of that name.
    """
    return registry.load(sys.modules[__name__], name, "claim")
