"""The demonstration says that something failed where it did, and runs whole."""

import pytest

from experiments.marketplace.demonstration import demonstrate, expected, judged
from inference.browser import headless

PROMPT = "Hello 1"


def market():
    """What pages and board show where all held: orders, board."""
    order = {"prompt": PROMPT, "tokens": expected(PROMPT).tokens, "state": "served", "struck": [{"text": ""}]}
    step = {"node": 52, "leaf": 0, "step": 2, "kind": "rotation"}
    dispute = {"asserter": "cheat", "winner": "challenger", "step": step}
    devices = {"cheat": {"removed": True}, "honest": {"removed": False}}
    return [order], {"totals": {"burnt": "1"}, "disputes": {"claim": dispute}, "devices": devices}


def test_all_holds_where_it_did():
    assert all(held for held, _ in judged(*market(), []))


@pytest.mark.parametrize(
    "change, failed",
    [
        (lambda orders, board: orders[0].update(tokens=[0]), "every final token is numpy's"),
        (lambda orders, board: orders[0].update(struck=[]), "its task was served by another"),
        (lambda orders, board: board["totals"].update(burnt="0"), "slashed"),
        (lambda orders, board: board["devices"]["honest"].update(removed=True), "its key was removed"),
        (lambda orders, board: board["disputes"]["claim"].update(winner="asserter"), "the cheat was audited"),
    ],
)
def test_what_did_not_hold_is_said(change, failed):
    orders, board = market()
    change(orders, board)
    assert any(not held and line.startswith(failed) for held, line in judged(orders, board, []))


@pytest.mark.slow
def test_it_runs(tmp_path):
    if "chromium" not in headless.installed():
        pytest.skip("chromium is not installed")
    assert all(held for held, _ in demonstrate(tmp_path, 4, print))
    assert len(list(tmp_path.glob("*.png"))) == 16
