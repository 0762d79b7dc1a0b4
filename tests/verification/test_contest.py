"""A claim and its dispute on a ledger: who was wrong pays, to the last micro-token, and the transcript replays."""

import numpy as np
import pytest

from verification.adversaries import corrupt_trace
from verification.adversaries.break_dispute import ADVERSARIES
from verification.contest import PRICE, contest
from verification.dispute.transcript import replay
from verification.market.rules import Rules
from verification.task import Task
from verification.trace import record

TASK = Task("toy", (4,), 3, 0, 5)
RULES = Rules()


@pytest.fixture(scope="module")
def traces(toys):
    """A right trace and a wrong one."""
    right = record(toys["small"])
    return right, corrupt_trace.flipped_bit(right.copy(), np.random.default_rng(0))


@pytest.mark.parametrize("name", ["", "silent-at-node", "garbage", "forged-proof"])
def test_a_wrong_result_falls_however_its_asserter_plays(toys, traces, name):
    right, wrong = traces
    wrap, _ = ADVERSARIES.get(name, (None, ""))
    held = contest(TASK, toys["small"], wrong, right, 128, wrap)
    assert held.dispute.verdict.winner == "challenger"
    settled = held.settled
    stake = RULES.sigma * PRICE
    assert (settled["price"], settled["stake"]) == (PRICE, stake)
    assert (settled["reward"], settled["fund"]) == (stake // 8, stake // 4)
    assert settled["reward"] + settled["fund"] + settled["burnt"] == stake
    assert settled["removed"] and settled["task"] == "waits again, ranked higher by 1"
    assert replay(held.transcript, toys["small"], held.transcript["referee"], RULES) == ""


def test_a_wrong_claim_loses_its_bond(toys, traces):
    right, wrong = traces
    held = contest(TASK, toys["small"], right, wrong, 128)
    assert held.dispute.verdict.winner == "asserter"
    bond = RULES.bond_prices * PRICE
    assert (held.settled["bond"], held.settled["reward"], held.settled["fund"]) == (bond, -bond, 0)
    assert held.settled["burnt"] == bond // 2
    assert not held.settled["removed"] and held.settled["task"] == "stays with its device"
    assert replay(held.transcript, toys["small"], held.transcript["referee"], RULES) == ""


def test_each_contest_has_a_referee_of_its_own(toys, traces):
    right, wrong = traces
    one, two = (contest(TASK, toys["small"], wrong, right, 128).transcript for _ in range(2))
    assert one["referee"] != two["referee"] and one["market"] != two["market"]
    assert replay(one | {"entries": two["entries"]}, toys["small"], one["referee"], RULES)
