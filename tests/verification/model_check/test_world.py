"""Worlds are told apart by what they hold, however it came to that."""

from hypothesis import given
from hypothesis import strategies as st

from verification.ledger.state import Draft
from verification.model_check.world import DEPOSIT, Atoms, View, change, follow, puts_of

FACTS = st.lists(
    st.tuples(
        st.sampled_from(["order", "claims:device"]), st.sampled_from("abc"), st.sampled_from([None, 1, {"x": 2}])
    ),
    max_size=12,
)
MOVES = st.lists(
    st.tuples(st.sampled_from(["stake:a:1", "stake:b:1", "bond:a:2"]), st.integers(1, 3), st.booleans()), max_size=8
)


@given(FACTS, MOVES)
def test_the_key_tells_what_a_world_holds(facts, moves):
    atoms = Atoms()
    world, key, expected, queue, held = {}, 0, {}, [], {}
    for kind, subject, value in facts:
        changes, key = change(world, key, puts_of(View(world), [(kind, subject, value)], [], atoms), atoms)
        world = follow(world, changes)
        expected[kind, subject] = value
        if kind != "order":
            known = subject in queue
            queue += [subject] if value is not None and not known else []
            queue = [name for name in queue if value is not None or name != subject]
    for account, amount, back in moves:
        if back and held.get(account, 0) < amount:
            continue
        move = (account, "free:a", amount) if back else ("fund", account, amount)
        changes, key = change(world, key, puts_of(View(world), [], [move], atoms), atoms)
        world = follow(world, changes)
        held[account] = held.get(account, 0) + (-amount if back else amount)
    view = View(world)
    assert {of: view.fact(*of) for of in expected} == expected
    assert list(view.subjects("claims:device")) == queue
    state = view.state
    assert {account: state.balances.get(account, 0) for account in held} == held
    for owner in "ab":
        locked = sum(amount for account, amount in held.items() if f":{owner}:" in account)
        assert Draft(state).total(owner) == DEPOSIT + locked
    marks = 0
    for atom in world.values():
        marks ^= atom.mark
    assert key == marks
