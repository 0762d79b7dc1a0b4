from hypothesis import given
from hypothesis import strategies as st

from experiments.marketplace.agenda import Agenda

SUBJECTS = st.tuples(st.integers(0, 20), st.sampled_from("ab"), st.sampled_from("xyz"))


@given(st.lists(SUBJECTS), st.integers(0, 20))
def test_each_subject_is_due_once_at_its_soonest_in_order(added, tick):
    agenda = Agenda()
    for at, kind, subject in added:
        agenda.add(at, kind, subject)
    soonest = {}
    for at, kind, subject in added:
        soonest[kind, subject] = min(at, soonest.get((kind, subject), at))
    due = sorted((at, *subject) for subject, at in soonest.items() if at <= tick)
    assert list(agenda.due(tick)) == [(kind, subject) for _, kind, subject in due]
    assert len(agenda) == len(soonest) - len(due)
    assert list(agenda.due(tick)) == []


def test_what_is_forgotten_is_not_due_and_leaves_no_trace():
    agenda = Agenda()
    for number in range(1_000):
        agenda.add(10**6, "a", f"{number}")
        agenda.add(number, "b", "kept")
        if number:
            agenda.forget("a", f"{number}")
    agenda.forget("a", "unknown")
    assert len(agenda) == 2 and len(agenda._heap) <= 2 * len(agenda) + 64
    assert list(agenda.due(10**6)) == [("b", "kept"), ("a", "0")]
