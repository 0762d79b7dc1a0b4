"""An answer is worked out once for all worlds that do not differ in what was read for it."""

import pytest

from verification.model_check.recall import Recall
from verification.model_check.world import Atoms


def test_an_answer_depends_on_nothing_but_what_was_read():
    atoms, recall, worked_out = Atoms(), Recall(), []

    def world(**values):
        return {("number", name): atoms.of(("number", name), value) for name, value in values.items()}

    def answer(view):
        worked_out.append(1)
        first = view.fact("number", "a")
        return first or view.fact("number", "b") or "none"

    asked = [world(a=1, b=2), world(a=1, b=3), world(a=0, b=3), world(a=0, b=3, c=4), world(a=0), world(b=3), world()]
    assert [recall(each, "question", answer) for each in asked] == [1, 1, 3, 3, "none", 3, "none"]
    assert len(worked_out) == 5
    assert recall(asked[0], "another", lambda view: view.fact("number", "b")) == 2


def test_what_reads_something_else_than_before_is_noticed():
    atoms, recall = Atoms(), Recall()
    reads = iter("ab")
    one, two = ({("number", "a"): atoms.of(("number", "a"), value)} for value in (1, 2))
    recall(one, "question", lambda view: view.fact("number", next(reads)) or "none")
    with pytest.raises(AssertionError, match="is read where"):
        recall(two, "question", lambda view: view.fact("number", next(reads)) or "none")
