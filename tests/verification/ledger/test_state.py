"""A draft lies over a state and changes nothing of it; what is applied is what the draft showed."""

from collections import Counter
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.errors import Refusal
from verification.ledger.state import BURNT, FUND, INT64, OUTSIDE, Draft, State, amount_of, owner_of

A, B = "free:a", "stake:b:lease"


def state_of(balances=(), facts=()):
    state = State()
    state.apply([(OUTSIDE, account, amount) for account, amount in dict(balances).items()], facts, 0)
    return state


@pytest.mark.parametrize(
    "account, owner",
    [("free:a", "a"), ("stake:a:b", "a"), ("stake:a:b:c", "a"), (FUND, ""), (BURNT, ""), (OUTSIDE, "")],
)
def test_an_account_tells_its_owner(account, owner):
    assert owner_of(account) == owner


@pytest.mark.parametrize(
    "reason, source, target, amount",
    [
        ("not-an-amount", A, B, True),
        ("not-an-amount", A, B, 1.0),
        ("not-an-amount", A, B, "1"),
        ("negative-amount", A, B, -1),
        ("zero-amount", A, B, 0),
        ("beyond-int64", A, B, 2**63),
        ("beyond-int64", OUTSIDE, A, INT64 - 99),  # with the 100 that are there
        ("beyond-free", A, B, 71),
        ("beyond-stake", B, A, 21),
        ("beyond-fund", FUND, A, 1),
        ("burnt", BURNT, A, 1),
    ],
)
def test_a_move_that_cannot_be_is_refused(refused, reason, source, target, amount):
    draft = Draft(state_of({A: 70, B: 20, BURNT: 10}))
    assert refused(draft.move, source, target, amount) == reason
    assert draft.moves == []


def test_a_draft_follows_the_event_that_its_state_ends_with():
    state = state_of()
    state.market, state.number, state.head, state.tick = "market", 7, "digest", 5
    draft = Draft(state)
    assert (draft.market, draft.number, draft.head, draft.tick) == ("market", 8, "digest", 5)


def test_the_last_micro_token_of_int64_can_be_held():
    draft = Draft(state_of({A: 70}))
    draft.move(OUTSIDE, B, INT64 - 70)
    assert draft.outside == INT64 and draft.balance(B) == INT64 - 70


def test_an_amount_of_nothing_is_allowed_where_it_is_asked_for(refused):
    assert amount_of("bond", 0, zero=True) == 0
    assert refused(amount_of, "bond", 0) == "zero-amount"


def test_an_account_below_nothing_is_not_applied(refused):
    state = state_of({A: 1})
    assert refused(state.apply, [(A, B, 2)], [], 0) == "not-conserved"


def test_sums_that_are_not_conserved_are_found(refused):
    for change in ({"free:a": 71}, {FUND: 1}, {"free:a": 70, "free:c": 0}, {"free:b": 70, "free:a": 0}):
        state = state_of({A: 70, B: 20})
        state.check()
        state.balances.update(change)
        assert refused(state.check) == "not-conserved"


def test_what_leaves_is_counted_with_a_running_digest():
    state = state_of(facts=[("lease", "x", 1), ("lease", "y", 2), ("order", "x", 3)])
    state.apply([], [("lease", "y", None), ("lease", "z", None)], 0)  # there never was a z
    state.apply([], [("lease", "x", None)], 5)
    first = sha256(b'["","y",1]').hexdigest()
    assert state.retired == {"lease": (2, sha256(f'["{first}","x",2]'.encode()).hexdigest())}
    assert state.facts == {"lease": {}, "order": {"x": 3}}
    assert (state.number, state.tick) == (2, 5)


def test_a_copy_is_a_state_of_its_own():
    state = state_of({A: 1}, [("lease", "x", {"a": 1})])
    copied = state.copy()
    assert copied == state
    copied.apply([(A, B, 1)], [("lease", "x", None), ("lease", "y", 1)], 3)
    assert state == state_of({A: 1}, [("lease", "x", {"a": 1})])
    assert copied != state


NAMES = st.sampled_from("abc")
PUT = st.tuples(st.just("put"), st.sampled_from(["lease", "order"]), NAMES, st.sampled_from([None, 1, 2]))
ACCOUNTS = st.sampled_from([OUTSIDE, FUND, BURNT, "free:a", "free:b", "stake:a:x", "stake:b:x"])
MOVE = st.tuples(st.just("move"), ACCOUNTS, ACCOUNTS, st.integers(1, 3))


@given(operations=st.lists(st.lists(st.one_of(PUT, MOVE), max_size=8), max_size=8))
def test_a_draft_shows_what_will_be_applied_and_leaves_the_state_as_it_is(operations):
    """Against plain dictionaries, copied for each operation."""
    state, facts, sums = State(), {"lease": {}, "order": {}}, Counter()
    for operation in operations:
        draft, before = Draft(state), state.copy()
        for what, *arguments in operation:
            if what == "put":
                kind, subject, value = arguments
                draft.put(kind, subject, value)
                facts[kind].pop(subject, None) if value is None else facts[kind].update({subject: value})
            else:
                source, target, amount = arguments
                possible = source == OUTSIDE or (source != BURNT and sums[source] >= amount)
                try:
                    draft.move(source, target, amount)
                    assert possible
                    sums[source] -= amount
                    sums[target] += amount
                except Refusal:
                    assert not possible
        assert state == before
        for _ in range(2):  # as the draft shows it, and as it is then
            for kind, known in facts.items():
                assert set(draft.subjects(kind)) == set(known)
                assert [draft.fact(kind, subject) for subject in "abc"] == [known.get(subject) for subject in "abc"]
            for owner in "ab":
                assert draft.total(owner) == sum(held for name, held in sums.items() if owner_of(name) == owner)
            assert [draft.balance(name) for name in sums if name != OUTSIDE] == [
                sums[name] for name in sums if name != OUTSIDE
            ]
            assert draft.outside == -sums[OUTSIDE]
            order = {kind: list(draft.subjects(kind)) for kind in facts}
            if draft.number == state.number + 1:
                state.apply(draft.moves, draft.facts, draft.tick)
                state.check()
                draft = Draft(state)
                assert {kind: list(draft.subjects(kind)) for kind in facts} == order
