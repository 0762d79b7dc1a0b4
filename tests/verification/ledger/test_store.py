"""A request is performed once, wholly or not at all; every process that has the file open sees one ledger."""

import os
import sqlite3
import subprocess
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest
import toy_market
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_market import COORDINATOR, GENESIS, KEYS, OPERATIONS, PARTIES

from verification.encoding.request import request
from verification.errors import Refusal
from verification.ledger import database
from verification.ledger.state import BURNT, INT64
from verification.ledger.store import Ledger

OUTPUT = b"an output"
NAME = sha256(OUTPUT).hexdigest()
FREE = f"free:{PARTIES[0]}"


def test_a_request_is_performed_once_and_read_again(create, reopen, ask, tmp_path):
    path = tmp_path / "ledger.db"
    with create(path) as ledger:
        asked = ask(ledger, 0, "deposit", amount="100", nonce=0)
        assert ledger.perform(asked)
        assert not ledger.perform(asked.raw)
        leased = ask(ledger, 0, "lease", stake="30", output=NAME)
        assert ledger.perform(leased, {NAME: OUTPUT})
        assert ledger.perform(ask(ledger, None, "advance", since=0, ticks=6))
        assert ledger.state.totals == {PARTIES[0]: 100}
        assert ledger.state.balances == {FREE: 70, f"stake:{PARTIES[0]}:{leased.name}": 30}
        with reopen(path) as again:
            assert again.state == ledger.state
            assert again.blob(NAME) == OUTPUT and again.blob("0" * 64) is None
            assert [event.request.kind for event in again.events()] == ["genesis", "deposit", "lease", "advance"]
            assert [event.tick for event in again.events(2)] == [0, 6]
            assert again.perform(ask(ledger, None, "final", lease=leased.name, burnt="10"))
            assert not ledger.perform(asked)
            assert again.state == ledger.state
            assert ledger.state.facts["lease"] == {} and ledger.state.retired["lease"][0] == 1
            assert ledger.state.balances == {FREE: 90, BURNT: 10}


def test_a_market_begun_twice_is_one_and_another_is_refused(create, tmp_path, refused):
    path = tmp_path / "ledger.db"
    with create(path) as ledger, create(path) as again:
        assert again.head == ledger.head and again.market == ledger.market == ledger.head[1]
    assert refused(create, path, GENESIS | {"protocol": "1" * 64}) == "other-market"


@pytest.mark.parametrize(
    "reason, party, kind, content",
    [
        ("unknown-kind", 0, "genesis", GENESIS),
        ("unknown-kind", 0, "lend", {}),
        ("not-the-coordinator", 0, "advance", {"since": 0, "ticks": 1}),
        ("out-of-turn", None, "advance", {"since": 1, "ticks": 1}),
        ("too-far", None, "advance", {"since": 0, "ticks": 0}),
        ("too-far", None, "advance", {"since": 0, "ticks": 7}),
        ("too-far", None, "advance", {"since": 0, "ticks": 2**53 - 1}),
        ("malformed", None, "advance", {"ticks": 1}),
        ("malformed", None, "advance", {"since": False, "ticks": 1}),
        ("malformed", None, "advance", [0, 1]),
        ("negative-amount", 0, "deposit", {"amount": "-1"}),
        ("zero-amount", 0, "deposit", {"amount": "0"}),
        ("beyond-int64", 0, "deposit", {"amount": str(2**63)}),
        ("beyond-int64", 1, "deposit", {"amount": str(INT64 - 999)}),  # with the 1,000 that are there
        ("beyond-free", 0, "withdraw", {"amount": "1001"}),
        ("no-output", 0, "lease", {"stake": "1", "output": NAME}),
    ],
)
def test_a_refusal_has_a_reason_and_changes_nothing(
    create, reopen, ask, refused, tmp_path, reason, party, kind, content
):
    path = tmp_path / "ledger.db"
    with create(path) as ledger:
        ledger.perform(ask(ledger, 0, "deposit", amount="1000", nonce=0))
        before = ledger.state.copy()
        key = COORDINATOR if party is None else KEYS[party]
        assert refused(ledger.perform, request(key, kind, ledger.market, content)) == reason
        assert ledger.state == before
        with reopen(path) as again:
            assert again.state == before


@pytest.mark.parametrize(
    "reason, content",
    [
        ("malformed", {}),
        ("malformed", GENESIS | {"more": 1}),
        ("malformed", GENESIS | {"rules": {"delta": "60"}}),
        ("malformed", GENESIS | {"rules": {"delta": 60.0}}),
        ("not-the-coordinator", GENESIS | {"coordinator": PARTIES[0]}),
    ],
)
def test_a_genesis_that_is_refused_leaves_no_file(create, refused, tmp_path, reason, content):
    assert refused(create, tmp_path / "ledger.db", content) == reason
    assert list(tmp_path.iterdir()) == []


def test_other_signatures_and_other_markets_are_refused(create, ask, refused):
    with create() as ledger, create(content=GENESIS | {"protocol": "1" * 64}) as other:
        asked = ask(other, 0, "deposit", amount="1", nonce=0)
        assert refused(ledger.perform, asked) == refused(ledger.perform, asked.raw) == "wrong-signature"
        changed = asked.raw.replace(b'"amount":"1"', b'"amount":"2"')
        assert refused(other.perform, changed) == "wrong-signature"
        assert refused(other.perform, b"{}") == refused(other.perform, b"") == "malformed"
        assert refused(other.perform, b" " * 96_001) == "oversized"
        assert ledger.head[0] == other.head[0] == 0


def test_bytes_come_under_their_digest_and_only_where_they_are_asked_for(create, ask, refused):
    with create() as ledger:
        ledger.perform(ask(ledger, 0, "deposit", amount="9", nonce=0))
        asked = ask(ledger, 0, "lease", stake="9", output=NAME)
        assert refused(ledger.perform, asked, {NAME: b"another"}) == "wrong-blob"
        assert refused(ledger.perform, asked, {NAME: OUTPUT, sha256(b"x").hexdigest(): b"x"}) == "unasked-blob"
        assert ledger.blob(NAME) is None
        assert ledger.perform(asked, {NAME: OUTPUT})
        assert ledger.blob(NAME) == OUTPUT


def test_what_was_written_once_serves_later_requests(create, ask):
    with create() as ledger:
        ledger.perform(ask(ledger, 0, "deposit", amount="9", nonce=0))
        ledger.perform(ask(ledger, 0, "lease", stake="1", output=NAME), {NAME: OUTPUT})
        assert ledger.perform(ask(ledger, 0, "lease", stake="2", output=NAME))
        assert ledger.perform(ask(ledger, 0, "lease", stake="3", output=NAME), {NAME: OUTPUT})
        assert [event.blobs for event in ledger.events()] == [(), (), (NAME,), (), (NAME,)]


def test_an_operation_that_raises_something_else_changes_nothing(create, ask):
    with create() as ledger:
        before = ledger.state.copy()
        with pytest.raises(KeyError):
            ledger.perform(ask(ledger, 0, "deposit", nonce=0))
        assert ledger.state == before
        assert ledger.perform(ask(ledger, 0, "deposit", amount="9", nonce=0))


def test_a_closed_ledger_is_a_fault_of_its_user(create, ask):
    with create() as ledger:
        asked = ask(ledger, 0, "deposit", amount="1", nonce=0)
    with pytest.raises(sqlite3.ProgrammingError):
        ledger.perform(asked)


def test_deposits_and_withdrawals_never_use_up_what_can_be_deposited(create, ask):
    """It is what the accounts hold that stays below 2^63, not what was ever deposited."""
    with create() as ledger:
        for nonce in range(3):
            ledger.perform(ask(ledger, 0, "deposit", amount=str(INT64), nonce=nonce))
            ledger.perform(ask(ledger, 0, "withdraw", amount=str(INT64), nonce=nonce))
        assert ledger.state.outside == 0 and ledger.state.balances == ledger.state.totals == {}


def test_a_file_that_another_process_writes_to_is_refused_in_one_line(
    create, reopen, ask, refused, tmp_path, monkeypatch
):
    monkeypatch.setattr(database, "TIMEOUT", 0.0)
    path = tmp_path / "ledger.db"
    with create(path) as ledger:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        asked = ask(ledger, 0, "deposit", amount="1", nonce=0)
        assert refused(ledger.perform, asked) == refused(reopen, path) == "locked"
        other.execute("ROLLBACK")
        other.close()
        assert ledger.perform(asked)


def _truncated(path, filled):
    path.write_bytes(filled.read_bytes()[:5000])


def _version(path, filled):
    path.write_bytes(filled.read_bytes())
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()


def _layout(path, filled):
    path.write_bytes(filled.read_bytes())
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE VIEW more AS SELECT 1")
    connection.close()


def _no_text(path, filled):
    path.write_bytes(filled.read_bytes().replace(b"blobs (digest", b"blobs \xffdigest"))


def _index(path, filled):
    """The index by name leads to the one of the blobs: no request is known to have been performed."""
    path.write_bytes(filled.read_bytes())
    names = ("sqlite_autoindex_blobs_1", "sqlite_autoindex_events_1")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        root = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        connection.execute(f"UPDATE sqlite_master SET rootpage = ({root}) WHERE name = ?", names)
    connection.close()


def _database(path, filled):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE events (number INTEGER PRIMARY KEY)")
    connection.close()


NO_LEDGERS = {
    "missing": ("unavailable", lambda path, filled: None),
    "folder": ("unavailable", lambda path, filled: path.mkdir()),
    "empty": ("not-a-ledger", lambda path, filled: path.touch()),
    "text": (
        "not-a-ledger",
        lambda path, filled: path.write_text("no database, though it is as long as a header " * 9),
    ),
    "truncated": ("damaged", _truncated),
    "no text": ("damaged", _no_text),
    "other version": ("other-version", _version),
    "other layout": ("not-a-ledger", _layout),
    "other index": ("damaged", _index),
    "other database": ("not-a-ledger", _database),
}


@pytest.mark.parametrize("reason, make", NO_LEDGERS.values(), ids=NO_LEDGERS)
def test_what_is_no_ledger_is_refused_and_left_as_it_is(reopen, refused, filled, tmp_path, reason, make):
    path = tmp_path / "no ledger?#%.db"
    make(path, filled)
    before = path.read_bytes() if path.is_file() else None
    assert refused(reopen, path) == reason
    assert (path.read_bytes() if path.is_file() else None) == before
    assert before is not None or not path.is_file()


def test_another_database_is_not_turned_into_a_ledger(create, refused, filled, tmp_path):
    path = tmp_path / "other.db"
    _database(path, filled)
    before = path.read_bytes()
    assert refused(create, path) == "not-a-ledger"
    assert path.read_bytes() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes to every file")
def test_a_file_that_cannot_be_written_is_refused(reopen, refused, filled):
    filled.chmod(0o444)
    assert refused(reopen, filled) == "read-only"


@pytest.mark.parametrize("name, tries", [("SQLITE_BUSY", 3), ("SQLITE_FULL", 1)])
def test_a_log_that_another_process_turns_to_as_well_is_asked_for_again(name, tries):
    """As SQLite answers two that begin one file at once: busy, without waiting."""
    asked = []

    class Connection:
        def execute(self, statement):
            asked.append(statement)
            if len(asked) < 3:
                error = sqlite3.OperationalError("refused")
                error.sqlite_errorname = name
                raise error

    with suppress(sqlite3.OperationalError):
        database.log_ahead(Connection())
    assert asked == ["PRAGMA journal_mode = WAL"] * tries


def test_two_processes_at_once_drive_one_market_as_one_does(tmp_path, reopen):
    """What either asks for next is a function of the ledger: they ask for the same, and it is performed once."""
    command = [sys.executable, toy_market.__file__, str(tmp_path / "ledger.db"), "40"]
    root = Path(__file__).parents[3]
    running = [subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait() for process in running] == [0, 0]
    with reopen(tmp_path / "ledger.db") as ledger, Ledger.create(":memory:", COORDINATOR, GENESIS, OPERATIONS) as alone:
        while alone.head[0] < ledger.head[0]:
            alone.perform(*toy_market.next_request(alone))
        assert ledger.head == alone.head and ledger.head[0] >= 39


@settings(max_examples=20)
@given(turns=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 11)), max_size=30))
def test_interleaved_ledgers_of_one_file_are_one(tmp_path_factory, turns):
    """Of three that have it open, each makes some requests, some of them again: one ledger gives the same head, and
    each was told of every event, once, in order, when its state had it."""
    path = tmp_path_factory.mktemp("interleaved") / "ledger.db"
    ledgers = [Ledger.create(path, COORDINATOR, GENESIS, OPERATIONS) for _ in range(3)]
    alone = Ledger.create(":memory:", COORDINATOR, GENESIS, OPERATIONS)
    seen = [[] for _ in ledgers]
    for ledger, told in zip(ledgers, seen, strict=True):
        ledger.watch = lambda event, ledger=ledger, told=told: told.append((event.number, ledger.head))
    asked = [
        request(KEYS[number % 3], kind, alone.market, {"amount": str(number + 1), "nonce": number})
        for kind in ("deposit", "withdraw")
        for number in range(6)
    ]

    def outcome(ledger, wanted):
        try:
            return ledger.perform(wanted)
        except Refusal as refusal:
            return refusal.reason

    for who, what in turns:
        assert outcome(ledgers[who], asked[what]) == outcome(alone, asked[what])
    with Ledger(path, OPERATIONS) as again:
        assert again.state == alone.state
        heads = [(event.number, (event.number, event.digest)) for event in again.events(1)]
    for ledger, told in zip(ledgers, seen, strict=True):
        with suppress(Refusal):
            ledger.perform(asked[0])
        assert told[: len(heads)] == heads
    for ledger in (*ledgers, alone):
        ledger.__exit__()
