"""A small market of a few operations, in memory or in a file."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.encoding.request import request
from verification.encoding.signature import public
from verification.ledger.operations import coordinator_only
from verification.ledger.state import BURNT, OUTSIDE
from verification.ledger.store import Ledger


def deposit(draft, asked):
    """{amount, nonce}"""
    draft.move(OUTSIDE, f"free:{asked.party}", int(asked.content["amount"]))


def withdraw(draft, asked):
    """{amount, nonce}"""
    draft.move(f"free:{asked.party}", OUTSIDE, int(asked.content["amount"]))


def lease(draft, asked):
    """{stake, output}: a stake is locked behind an output that is kept."""
    if draft.blob(asked.content["output"]) is None:
        raise ValueError("an operation's own fault")
    draft.move(f"free:{asked.party}", f"stake:{asked.party}:{asked.name}", int(asked.content["stake"]))
    draft.put("lease", asked.name, {"party": asked.party, "output": asked.content["output"], "since": draft.tick})


def final(draft, asked):
    """{lease, burnt}: a stake comes back, less what is burnt."""
    coordinator_only(draft, asked)
    name = asked.content["lease"]
    known = draft.fact("lease", name)
    stake, burnt = f"stake:{known['party']}:{name}", int(asked.content["burnt"])
    if burnt:
        draft.move(stake, BURNT, burnt)
    if draft.balance(stake):
        draft.move(stake, f"free:{known['party']}", draft.balance(stake))
    draft.put("lease", name, None)


OPERATIONS = {operation.__name__: operation for operation in (deposit, withdraw, lease, final)}
COORDINATOR = Ed25519PrivateKey.from_private_bytes(b"c" * 32)
GENESIS = {"coordinator": public(COORDINATOR), "rules": {"delta": 60}, "protocol": "0" * 64}


@pytest.fixture
def operations():
    """By kind."""
    return OPERATIONS


@pytest.fixture
def coordinator():
    """Its key."""
    return COORDINATOR


@pytest.fixture
def create():
    """A market's ledger at a path."""
    return lambda path=":memory:", content=GENESIS: Ledger.create(path, COORDINATOR, content, OPERATIONS)


@pytest.fixture
def ask(key):
    """A request by the party of a number; None: the coordinator."""

    def ask(ledger, party, kind, **content):
        return request(COORDINATOR if party is None else key(party), kind, ledger.market, content)

    return ask
