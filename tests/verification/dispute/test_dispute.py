"""Disputes: the leftmost difference is found within the rounds, the cheat loses, an honest party never does."""

import pytest

from verification.dispute.transcript import bounds
from verification.trace import leaves, record


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_a_flipped_bit_in_any_leaf_of_any_node_is_found(toy, disputed, rules, levels):
    right = record(toy)
    for node, shape in enumerate(toy.nodes):
        if right.trees[node] is None:
            continue
        for leaf in range(leaves(shape)):
            trace = right.copy()
            words = trace.leaf(node, leaf).copy()
            words[len(words) // 2] ^= 1
            trace.change(node, leaf, words)
            dispute = disputed(trace, right, rules=rules(levels=levels)).dispute
            verdict = dispute.verdict
            assert (verdict.winner, verdict.reason) == ("challenger", "step-wrong")
            assert (verdict.node, verdict.leaf) == (node, leaf)
            most = bounds(toy, node, levels)
            rounds = dispute.state.rounds
            assert rounds.get("descend-nodes", 0) <= most[0]
            assert rounds.get("descend-leaves", 0) + rounds.get("descend-steps", 0) <= most[1]
            turned = disputed(right, trace, rules=rules(levels=levels)).dispute.verdict
            assert (turned.winner, turned.reason) == ("asserter", "step-right")
