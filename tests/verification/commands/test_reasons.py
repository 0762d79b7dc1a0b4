"""Verdicts in words."""

import pytest

from verification.commands.reasons import outcome, why

SUMMARY = {"winner": "challenger", "loser": "asserter", "disputed_node": "pass0.sum", "disputed_tile": 2}


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("step-wrong", "is not what the asserter committed to"),
        ("null-wrong", "whether the run had ended before this node is not"),
        ("silent", "the asserter did not answer before its time was spent"),
        ("wrong-proof", "the asserter's last message was refused (wrong-proof), and no better one came"),
    ],
)
def test_every_reason_has_words(reason, said):
    summary = SUMMARY | {"reason": reason}
    assert said in why(summary)
    assert outcome(summary) == f"the challenger wins ({reason}) over pass0.sum, tile 2"


def test_a_place_is_as_near_as_the_dispute_came():
    assert outcome(SUMMARY | {"reason": "silent", "disputed_tile": None}).endswith("over pass0.sum")
    assert outcome(SUMMARY | {"reason": "silent", "disputed_tile": None, "disputed_node": None}).endswith("no node")
    void = SUMMARY | {"winner": None, "loser": None, "reason": "void"}
    assert outcome(void) == "nobody wins: it is void" and "the referee's own code failed" in why(void)
