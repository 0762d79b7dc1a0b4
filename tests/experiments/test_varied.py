"""What was varied is told from the results: every claim's texts can be filled, and are what the columns hold."""

import numpy as np
import pandas as pd
import pytest

from experiments import claims, published
from experiments.varied import shown, told


@pytest.mark.parametrize("name", claims.names())
def test_every_claim_says_what_was_varied_and_what_was_not(name, tiny):
    claim, results = claims.load(name), published.results(name) or tiny(name)
    for quantities in (claim.VARIED, claim.FIXED):
        filled = told(quantities, results)
        assert filled.keys() == quantities.keys() and filled
        assert all(text and not set("{}") & set(text) for text in filled.values()), filled
    assert not any(set("{}") & set(text) for text in getattr(claim, "CHANGED", {}).values())


def test_places_are_filled_from_columns():
    results = {"gaps": pd.DataFrame({"tasks": [20, 5, 10, 5], "model types": 3, "rule": ["b_c", "a", "a", "b_c"]})}
    texts = {"size": "{gaps.tasks} tasks of {gaps.model types} types", "rule": "{gaps.rule}", "when": "once"}
    assert told(texts, results) == {"size": "5 to 20 tasks of 3 types", "rule": "b c, a", "when": "once"}
    assert told({"size": "{gaps.tasks:each}, {gaps.rule:count} rules"}, results) == {"size": "5, 10, 20, 2 rules"}


@pytest.mark.parametrize(
    "values, how, text",
    [
        ([0.999, 0.0, 0.5], "%", "0 % to 99.9 %"),
        ([0.05], "%", "5 %"),
        ([1e6, 100], "", "100 to 1,000,000"),
        ([np.inf, 0.01, np.nan, 30.0], "", "0.01 to 30"),
        ([0.25, 1.0, 0.015625], "each", "0.015625, 0.25, 1"),
        (["a, b", "c_d"], "", "a, b; c d"),
        ([], "", "none"),
        ([True, False], "count", "2"),
    ],
)
def test_numbers_are_told_as_people_write_them(values, how, text):
    assert shown(pd.Series(values, dtype=object if not values else None), how) == text
