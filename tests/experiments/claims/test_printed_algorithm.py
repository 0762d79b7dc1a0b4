"""The criterion of the printed algorithm judges as it reads, and its table lists every defect."""

import pytest

from auction.printed import DEFECTS
from experiments.claims import printed_algorithm as claim


@pytest.fixture(scope="module")
def results():
    return claim.run("tiny")


@pytest.mark.parametrize("returning, verdict", [(8, "upheld"), (5, "qualified"), (3, "refuted")])
def test_the_criterion_judges_by_markets_that_return(results, returning, verdict):
    literal = results["literal"].copy()
    printed = literal.index[literal["lines"] != "corrected"]
    assert len(printed) == 8
    literal.loc[printed, ["line 27 is reached", "winners that lack requests"]] = 0.0
    literal.loc[printed[:returning], "line 27 is reached"] = 1.0
    assert claim.check(results | {"literal": literal}).verdict == verdict
    literal.loc[printed, "winners that lack requests"] = 0.5
    assert claim.check(results | {"literal": literal}).verdict == "refuted"


def test_the_table_lists_every_defect_and_the_text_alone_has_no_figures(results):
    table = claim.errata(results)
    assert set(table["number"]) == {defect.number for defect in DEFECTS}
    alone = table[table["measure"] == "in the text alone"]
    assert set(alone["number"]) == {defect.number for defect in DEFECTS if not defect.measures}
    assert alone[["as printed", "corrected"]].isna().all(axis=None)
