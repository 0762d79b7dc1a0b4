"""What the ledger's tests share: toy_market's ledgers, and requests of its parties."""

import shutil
from pathlib import Path

import pytest
from toy_market import COORDINATOR, GENESIS, KEYS, OPERATIONS, next_request

from verification.encoding.request import request
from verification.ledger.store import Ledger


@pytest.fixture
def create():
    """A market's ledger, in memory or in a file."""
    return lambda path=":memory:", content=GENESIS: Ledger.create(path, COORDINATOR, content, OPERATIONS)


@pytest.fixture
def reopen():
    """A file's ledger."""
    return lambda path: Ledger(path, OPERATIONS)


@pytest.fixture
def ask():
    """A request by a party of a number; None: by the coordinator."""

    def ask(ledger, party, kind, **content):
        return request(COORDINATOR if party is None else KEYS[party], kind, ledger.market, content)

    return ask


@pytest.fixture(scope="session")
def market_file(tmp_path_factory):
    """A file of 30 events, closed."""
    path = tmp_path_factory.mktemp("market") / "market.db"
    with Ledger.create(path, COORDINATOR, GENESIS, OPERATIONS) as ledger:
        while ledger.head[0] < 29:
            ledger.perform(*next_request(ledger))
    return path


@pytest.fixture
def filled(market_file, tmp_path):
    """A copy of it."""
    return Path(shutil.copy(market_file, tmp_path / "filled.db"))
