"""The criterion of the printed algorithm judges as it reads, and its table lists every defect."""

import numpy as np
import pandas as pd
import pytest

from auction.printed import DEFECTS
from experiments.claims import printed_algorithm as claim


def results(returning, lacking=0, winners=20, corrected=1.0):
    """Of 20 markets so many reach line 27, the first of them with winners that lack requests; few may have winners."""
    printed = [
        {
            "lines": "as printed, q_i set",
            "line 27 is reached": float(market < returning),
            "winners that lack requests": 0.5 * (market < lacking) if market < winners else np.nan,
            "pairs beyond the provider's slots": 0.25,
            "allocated pairs that X still holds": 0.75,
            "passes": 10 + market,
        }
        for market in range(20)
    ]
    beside = dict.fromkeys(claim.FIGURES, corrected) | {"lines": "corrected", "passes": 10**6}
    defects = [(1, "a", 1.0, 2.0), (1, "b", 1.0, 1.0), (2, "a", 3.0, 3.0), (3, "a", np.nan, 1.0), (4, "a", 0.0, 1.0)]
    return {
        "literal": pd.DataFrame(printed + [beside] * 20),
        "defects": pd.DataFrame(defects, columns=["number", "measure", "as printed", "corrected"]),
    }


@pytest.mark.parametrize("corrected", [0.0, 1.0])
@pytest.mark.parametrize(
    "how, verdict",
    [
        ((20,), "upheld"),
        ((20, 0, 3), "upheld"),  # where nobody wins nobody lacks anything
        ((19,), "qualified"),
        ((20, 1), "qualified"),
        ((10,), "qualified"),
        ((9,), "refuted"),
        ((20, 10), "qualified"),
        ((20, 11), "refuted"),
        ((0,), "refuted"),
    ],
)
def test_the_criterion_judges_by_markets_that_return_with_winners_covered(how, verdict, corrected):
    assert claim.check(results(*how, corrected=corrected)).verdict == verdict


def test_the_figure_is_the_share_of_markets_with_its_interval():
    verdict = claim.check(results(2, 0))
    assert verdict.figure == "line 27 is reached, with winners covered, on 10% (1% to 32%) of 20 markets"
    assert "after 10 to 29 passes through the label Price, X holds 75% of" in verdict.explanation
    assert "0% of the winners lack requests and 25% of the pairs have no slot." in verdict.explanation
    assert verdict.explanation.endswith("3 can be run, the others corrected, and 2 of these change a figure.")


def test_the_table_lists_every_defect_and_the_text_alone_has_no_figures(tiny):
    table = claim.errata(tiny("printed_algorithm"))
    assert set(table["number"]) == {defect.number for defect in DEFECTS}
    alone = table[table["measure"] == "in the text alone"]
    assert set(alone["number"]) == {defect.number for defect in DEFECTS if not defect.measures}
    assert alone[["as printed", "corrected"]].isna().all(axis=None)
