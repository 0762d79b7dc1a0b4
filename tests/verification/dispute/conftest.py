"""What the tests of disputes share: how one is begun and played."""

import json
from dataclasses import dataclass

import pytest

from verification.adversaries import corrupt_trace
from verification.dispute.clocks import budgets
from verification.dispute.dispute import Dispute, identity
from verification.dispute.party import honest, play
from verification.dispute.record import Proceedings
from verification.dispute.transcript import transcript
from verification.encoding.canonical import digest
from verification.encoding.request import request
from verification.encoding.signature import public
from verification.trace import record

MARKET = "ab" * 32
REFEREE = 9


@dataclass(frozen=True)
class Rules:
    delta: int = 3
    levels: int = 2
    message_limit: int = 96_000


def unchanged(key, party):
    return party


@pytest.fixture(scope="session")
def rules():
    """What a market says of disputes."""
    return Rules


@pytest.fixture(scope="session")
def begun(key):
    """A dispute that a referee (key 9) begins between an asserter's root (key 1) and a challenger's (key 2), and the
    requests by which they claimed them."""

    def begun(toy, roots, rules=Rules(), work=5, tick=0, market=MARKET, begin=None):
        asserter, challenger, referee = key(1), key(2), key(9)
        header = {"market": market, "lease": "11" * 32, "root": roots[0].hex(), "provider": public(asserter)}
        result = request(asserter, "result", market, {"header": header, "output": "22" * 32, "path": ""})
        against = {"lease": "11" * 32, "header": digest(header), "root": roots[1].hex(), "bond": "400"}
        claim = request(key(8), "claim", market, against | {"challenger": public(challenger)})
        content = {
            "claim": claim.name,
            "header": digest(header),
            "computation": identity(toy),
            "asserter": public(asserter),
            "challenger": public(challenger),
            "roots": {"asserter": roots[0].hex(), "challenger": roots[1].hex()},
            "rules": {"delta": rules.delta, "levels": rules.levels, "message_limit": rules.message_limit},
            "budgets": budgets(rules.delta, work),
            "tick": tick,
            "head": {"number": 7, "digest": "cd" * 32},
        } | (begin or {})
        return Dispute(toy, request(referee, "begin", market, content)), result, claim

    return begun


@pytest.fixture(scope="session")
def disputed(key, begun):
    """The proceedings of a dispute between two traces, played to its end."""

    def disputed(asserter, challenger, wrap_asserter=unchanged, wrap_challenger=unchanged, **options):
        dispute, *_ = begun(challenger.computation, (asserter.tree.root, challenger.tree.root), **options)
        proceedings = Proceedings(dispute, key(9))
        first, second = honest(key(1), asserter), honest(key(2), challenger)
        play(proceedings, {"asserter": wrap_asserter(key(1), first), "challenger": wrap_challenger(key(2), second)})
        return proceedings

    return disputed


@pytest.fixture(scope="module")
def conducted(begun, key):
    """A dispute that was conducted to its end, as its transcript: JSON that was written and read."""

    def conducted(mine, theirs, wrap=lambda key, party: party, **options):
        dispute, result, claim = begun(mine.computation, (mine.tree.root, theirs.tree.root), **options)
        proceedings = Proceedings(dispute, key(REFEREE))
        asserter, challenger = wrap(key(1), honest(key(1), mine)), honest(key(2), theirs)
        play(proceedings, {"asserter": asserter, "challenger": challenger})
        content = transcript({"name": "toy"}, None, dispute, result, claim, proceedings.entries)
        return json.loads(json.dumps(content))

    return conducted


@pytest.fixture(scope="module")
def referee(key):
    return public(key(REFEREE))


@pytest.fixture(scope="module")
def told(toys, conducted):
    """The transcript of a dispute that a message decides, and of one in which nobody is left to play for the asserter,
    whose step is wrong."""
    right = record(toys["small"])
    wrong = corrupt_trace.with_wrong_step(right.copy(), 6, 0, 1)
    return conducted(right, wrong), conducted(wrong, right, tick=40)
