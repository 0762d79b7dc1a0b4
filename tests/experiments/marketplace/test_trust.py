from types import SimpleNamespace

from experiments.marketplace.trust import AT_FIRST, Trust


def event(kind, name, state, audits=""):
    value = None if state is None else {"owner": "owner", "state": state, "audits": audits}
    return SimpleNamespace(request=SimpleNamespace(kind=kind), facts=[("lease", name, value)])


def test_an_owner_is_offered_more_as_it_answers_and_less_as_it_does_not():
    trust = Trust()
    assert trust.room("owner") == AT_FIRST
    trust.fold(event("assign", "a", "offered"))
    trust.fold(event("assign", "b", "offered"))
    assert trust.room("owner") == AT_FIRST - 2
    trust.fold(event("accept", "a", "held"))
    assert trust.room("owner") == AT_FIRST
    trust.fold(event("decline", "b", None))
    assert trust.room("owner") == AT_FIRST
    trust.fold(event("result", "a", "received"))
    assert trust.room("owner") == AT_FIRST + 1
    trust.fold(event("final", "a", None))
    assert trust.room("owner") == AT_FIRST


def test_one_lease_is_always_offered_to_who_answers():
    trust = Trust()
    for at in range(3 * AT_FIRST):
        trust.fold(event("assign", str(at), "offered"))
        trust.fold(event("decline", str(at), None))
    assert trust.room("owner") == 1


def test_audits_count_for_nothing():
    trust = Trust()
    trust.fold(event("audit", "a", "offered", audits="b"))
    trust.fold(event("accept", "a", "held", audits="b"))
    trust.fold(event("decline", "a", None))
    assert trust.room("owner") == AT_FIRST
