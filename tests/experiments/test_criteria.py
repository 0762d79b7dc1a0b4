"""Criteria are read as they stand, the oldest first, and each is applied as it says."""

from datetime import date
from types import SimpleNamespace

import pytest

from experiments import criteria
from experiments.claims import Verdict, undecided
from experiments.criteria import Criterion


def test_the_first_criterion_of_zkml_is_kept():
    first, *_, last = criteria.of("zkml_is_impractical")
    assert first.date == date(2026, 11, 25) and first.judge == "as_first_fixed" and not first.changed
    assert "a power law fitted to those whose circuit is above the least that it builds" in first.text
    assert "\n" not in first.text and first.text != last.text and last.changed


def test_who_has_no_criterion_has_none():
    assert criteria.of("nobody") == ()


def test_a_criterion_is_applied_as_it_says():
    claim = SimpleNamespace(
        check=lambda results: Verdict("upheld", "1", "so") if results else undecided("nothing"),
        before=lambda results: "refuted",
    )
    plain = Criterion(date(2026, 1, 1), "Upheld if so.")
    assert plain.verdict(claim, {"a": 1}) == "upheld" and plain.verdict(claim, {}) == "undecided"
    assert Criterion(date(2026, 1, 1), "", judge="before").verdict(claim, {}) == "refuted"
    assert Criterion(date(2026, 1, 1), "", came_to="qualified").verdict(claim, {}) == "qualified"


@pytest.mark.parametrize("changed", [{"date": date(2026, 1, 2)}, {"text": "Upheld if not so."}])
def test_a_digest_is_of_date_and_words(changed):
    before = {"date": date(2026, 1, 1), "text": "Upheld if so."}
    assert Criterion(**before).digest == Criterion(**before, changed="for clarity", judge="before").digest
    assert Criterion(**before).digest != Criterion(**before | changed).digest


def test_what_is_undecided_has_no_figure():
    assert undecided("busy").figure == ""
    for verdict, figure in (("undecided", "2594 %"), ("refuted", "")):
        with pytest.raises(ValueError, match="figure"):
            Verdict(verdict, figure, "so")
