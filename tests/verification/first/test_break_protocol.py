"""Every adversary of the protocol loses, for the reason it is listed with."""

import pytest

from verification.first.adversaries.break_protocol import ADVERSARIES
from verification.first.adversaries.corrupt_trace import flip
from verification.first.bisection import Dispute, DisputeRules
from verification.first.commitment import header, public
from verification.first.party import honest, play
from verification.trace import record

ROLES = {
    "silent-at-challenge": ["challenger"],
    "silent-at-open": ["asserter"],
    "silent-at-guard": ["asserter"],
    "silent-at-deliver": ["asserter"],
    "replaying": ["asserter"],  # the challenger's first message ends its part where the tokens alone differ
}
"""Who can do it, where not both can."""
CASES = [(name, role) for name in ADVERSARIES for role in ROLES.get(name, ["asserter", "challenger"])]


@pytest.fixture(scope="module")
def traces(toys, nulls):
    """The right trace and a wrong one whose dispute comes to where an adversary acts."""

    def traces(name):
        toy = toys["small" if name in ("silent-at-deliver", "silent-at-guard") else "tall"]
        right, wrong = record(toy), record(toy)
        if name == "silent-at-deliver":
            wrong.tokens = [0]
        elif name == "silent-at-guard":
            nulls(wrong, range(10, 15))
        else:
            flip(wrong, 2, 50)
        return right, wrong

    return traces


@pytest.mark.parametrize("truth", ["right", "wrong"])
@pytest.mark.parametrize(("name", "role"), CASES)
def test_it_loses_for_its_reason_whether_its_trace_is_right_or_wrong(key, traces, name, role, truth):
    right, wrong = traces(name)
    asserter, challenger = (right, wrong) if (truth == "right") == (role == "asserter") else (wrong, right)
    wrap, reason = ADVERSARIES[name]
    parties = {"asserter": honest("asserter", key(1), asserter), "challenger": honest("challenger", key(2), challenger)}
    parties[role] = wrap(role, key({"asserter": 1, "challenger": 2}[role]), parties[role])
    claimed = header("task", asserter, public(key(1)))
    dispute = Dispute(right.computation, claimed, public(key(2)), DisputeRules(delay=5))
    events = play(dispute, parties["asserter"], parties["challenger"])
    assert (dispute.verdict.loser, dispute.verdict.reason) == (role, reason)
    assert [event["refused"] for event in events if "refused" in event] == ([] if reason == "silent" else [reason])
