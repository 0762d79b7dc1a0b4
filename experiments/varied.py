"""What a claim varied and what it did not: places in its texts are filled from the columns of its results."""

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.claims import Results

_PLACE = re.compile(r"\{(\w+)\.([^}:]+)(?::(each|count|%))?\}")


def told(quantities: Mapping[str, str], results: Results) -> dict[str, str]:
    """Texts whose places ``{table.column}`` are filled: names one after another, numbers as least to most.

    ``{table.column:each}`` is every number, ``{table.column:%}`` shares in per cent, ``{table.column:count}`` how many
    there are.
    """
    return {
        what: _PLACE.sub(lambda place: shown(results[place[1]][place[2]], place[3] or ""), text)
        for what, text in quantities.items()
    }


def shown(column: pd.Series, how: str = "") -> str:
    """The values of a column in words, each once; "none" where there is no finite one.

    Args:
        how: "each", "count" or "%", as in ``told``.
    """
    values = list(dict.fromkeys(column.dropna()))
    if how == "count":
        return str(len(values))
    if all(isinstance(value, str) for value in values):
        between = "; " if any("," in value for value in values) else ", "
        return between.join(value.replace("_", " ") for value in values) or "none"
    numbers = np.unique(np.asarray(values, dtype=float))
    numbers = numbers[np.isfinite(numbers)] * (100 if how == "%" else 1)
    words = [f"{number:,.0f}" if number == round(number) else f"{number:.6g}" for number in numbers]
    words = [f"{word} %" for word in words] if how == "%" else words
    if how == "each" or len(words) < 2:
        return ", ".join(words) or "none"
    return f"{words[0]} to {words[-1]}"
