"""What disputes over small computations took, against what is reckoned."""

import pytest

from verification.computation import WORK
from verification.dispute.clocks import budgets
from verification.dispute.dispute import Dispute, identity
from verification.dispute.party import honest
from verification.economics.settling import Cost, bisection, linear
from verification.encoding.request import request
from verification.encoding.signature import public
from verification.trace import leaves, record


def messages(toy, key, wrong, right, levels):
    """Of a dispute between two traces, and what the referee computed."""
    roots = {"asserter": wrong.tree.root.hex(), "challenger": right.tree.root.hex()}
    names = dict.fromkeys(("claim", "header"), "11" * 32)
    content = names | {"computation": identity(toy), "asserter": public(key(1)), "challenger": public(key(2))}
    content |= {"roots": roots, "rules": {"delta": 60, "levels": levels, "message_limit": 96_000}, "tick": 0}
    content |= {"budgets": budgets(60, 60), "head": {"number": 0, "digest": "22" * 32}}
    dispute = Dispute(toy, request(key(9), "begin", "ab" * 32, content))
    parties = {"asserter": honest(key(1), wrong), "challenger": honest(key(2), right)}
    while dispute.verdict is None:
        if dispute.turn is None:  # its steps were wrong, and nobody else has its root
            dispute.forfeit()
        else:
            dispute.receive(parties[dispute.turn](dispute), dispute.state.index)
    return dispute.state.index - 1, dispute.verdict.macs


@pytest.mark.parametrize("levels", [1, 2, 4])
@pytest.mark.parametrize("name", ["smallest", "small", "tall"])
def test_no_dispute_takes_more_and_some_take_all(toys, key, name, levels):
    toy, right, reached = toys[name], record(toys[name]), set()
    for node, shape in enumerate(toy.nodes):
        count = leaves(shape)
        steps = max(len(toy.steps(node, leaf)) for leaf in range(count))
        most = bisection(toy.macs, len(toy.nodes), count, steps, levels)
        wrong = right.copy()
        wrong.change(node, 0, right.leaf(node, 0) ^ 1)
        sent, macs = messages(toy, key, wrong, right, levels)
        assert sent <= most.messages and macs <= most.referee
        reached.add(sent == most.messages)
    assert True in reached


def test_the_referees_share_is_what_is_saved():
    macs = 10**10
    assert linear(macs) == Cost(macs, 0, 0)
    assert bisection(macs, 2**12, 2**5, 2**4, 2) == Cost(WORK, macs, 2 * (6 + 3 + 2) + 5)
    assert bisection(1000, 2, 1, 1, 2) == Cost(1000, 1000, 5)
