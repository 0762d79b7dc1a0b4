"""Whatever is changed in a ledger's file is noticed, and the sentence names the event."""

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

import pytest
from toy_market import OPERATIONS, PARTIES

from verification.encoding.canonical import canonical, parsed
from verification.errors import Refusal
from verification.ledger.inspect import inspect
from verification.ledger.state import State
from verification.ledger.store import Ledger

LAST = 29


@pytest.fixture
def changed(filled, tmp_path):
    """A copy of the file, open to SQL."""

    @contextmanager
    def changed(name: str = "changed.db") -> Iterator[tuple]:
        path = tmp_path / name
        shutil.copy(filled, path)
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA synchronous = OFF")
        yield path, connection
        connection.commit()
        connection.close()

    return changed


def opens(path) -> bool:
    try:
        Ledger(path, OPERATIONS).__exit__()
    except Refusal:
        return False
    return True


def wrong(path, head=None) -> str:
    return inspect(path, OPERATIONS, head).wrong


def events_of(connection) -> list[bytes]:
    return [raw for (raw,) in connection.execute("SELECT event FROM events ORDER BY number")]


def test_an_honest_ledger_holds_and_is_left_as_it_is(filled, reopen):
    before, seen = filled.read_bytes(), []
    found = inspect(filled, OPERATIONS, observe=lambda done, events: seen.append((done, events)))
    assert found.wrong == ""
    assert seen == [(number + 1, LAST + 1) for number in range(LAST + 1)]
    assert filled.read_bytes() == before
    assert [path.name for path in filled.parent.iterdir()] == [filled.name]
    with reopen(filled) as ledger:
        assert found.state == ledger.state
        kinds = [event.request.kind for event in ledger.events()]
        assert found.kinds == {kind: kinds.count(kind) for kind in set(kinds)}
        assert set(kinds) == {"genesis", "advance", *OPERATIONS}
        assert found.blobs == {digest for event in ledger.events() for digest in event.blobs} != set()


def test_a_ledger_is_inspected_while_it_is_written(create, ask, tmp_path):
    with create(tmp_path / "ledger.db") as ledger:
        ledger.perform(ask(ledger, 0, "deposit", amount="1", nonce=0))
        found = inspect(tmp_path / "ledger.db", OPERATIONS)
        assert (found.wrong, found.state) == ("", ledger.state)


def change_a_byte(rng: random.Random, raw: bytes) -> bytes:
    at = rng.randrange(len(raw))
    return raw[:at] + bytes([raw[at] ^ rng.randrange(1, 256)]) + raw[at + 1 :]


@pytest.mark.parametrize("draws", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_every_changed_byte_is_noticed(changed, draws):
    """Of an event, of the signature in it, of its name, of a blob: the last not on opening, but when it is read."""
    rng = random.Random(draws)
    with changed() as (path, connection):
        blobs = connection.execute("SELECT digest, content FROM blobs").fetchall()
        events = connection.execute("SELECT number, name, event FROM events").fetchall()
        for draw in range(draws):
            number, name, raw = rng.choice(events)
            digest, content = rng.choice(blobs)
            signature = parsed(raw)["request"]["signature"].encode()
            wanted, sql, old, new = [
                ("event", "UPDATE events SET event = ? WHERE number = ?", (raw, number), change_a_byte(rng, raw)),
                (
                    *("event", "UPDATE events SET event = ? WHERE number = ?", (raw, number)),
                    raw.replace(signature, change_a_byte(rng, signature)),
                ),
                ("event", "UPDATE events SET name = ? WHERE number = ?", (name, number), change_a_byte(rng, name)),
                (
                    "blob",
                    "UPDATE blobs SET content = ? WHERE digest = ?",
                    (content, digest),
                    change_a_byte(rng, content),
                ),
            ][draw % 4]
            connection.execute(sql, (new, old[1]))
            connection.commit()
            assert wanted in wrong(path), draw
            assert opens(path) == (wanted == "blob"), draw
            connection.execute(sql, old)
            connection.commit()
        assert wrong(path) == ""


def test_a_changed_blob_is_not_read(changed, reopen, refused):
    with changed() as (path, connection):
        digest, content = connection.execute("SELECT digest, content FROM blobs").fetchone()
        connection.execute("UPDATE blobs SET content = ?", (content + b"x",))
    with reopen(path) as ledger:
        assert refused(ledger.blob, digest.hex()) == "wrong-blob"


SWAPPED = """
UPDATE events SET number = 100 WHERE number = {n};
UPDATE events SET number = {n} WHERE number = ({n} + 1) % 30;
UPDATE events SET number = ({n} + 1) % 30 WHERE number = 100;
"""


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM events WHERE number = {n}",
        "UPDATE events SET number = {n} + 100 WHERE number = {n}",
        "UPDATE events SET number = {n} - 100 WHERE number = {n}",
        "INSERT INTO events SELECT 30, x'00', event FROM events WHERE number = {n}",
        "INSERT INTO events SELECT -1, x'00', event FROM events WHERE number = {n}",
        SWAPPED,
        "UPDATE events SET event = (SELECT event FROM events WHERE number = ({n} + 1) % 30) WHERE number = {n}",
        "UPDATE events SET name = CASE number WHEN {n} THEN x'01' ELSE x'02' END WHERE number IN ({n}, ({n} + 1) % 30)",
    ],
)
def test_every_row_that_is_deleted_added_or_swapped_is_noticed(changed, sql):
    for number in range(LAST + 1):
        with changed(f"{number}.db") as (path, connection):
            connection.executescript(sql.format(n=number))
        assert "event" in wrong(path)
        assert not opens(path)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM blobs WHERE rowid = (SELECT max(rowid) FROM blobs)",
        "INSERT INTO blobs VALUES (x'00', x'00')",
        "UPDATE blobs SET digest = x'00' WHERE rowid = 1",
        "DELETE FROM head",
        "INSERT INTO head SELECT * FROM head",
        "INSERT INTO head VALUES (-1, x'')",
        "UPDATE head SET number = -1, digest = x''",
        "UPDATE head SET number = 28",
        "UPDATE head SET digest = x'00'",
        "DELETE FROM events",
        "DELETE FROM events; UPDATE head SET number = -1, digest = x''",
        "DELETE FROM events; DELETE FROM blobs; UPDATE head SET number = -1, digest = x''",
    ],
)
def test_blobs_that_lack_or_were_added_and_other_heads_are_noticed(changed, sql):
    with changed() as (path, connection):
        connection.executescript(sql)
    assert wrong(path)
    assert not opens(path)


@pytest.mark.parametrize("value", [5, 2**62, "text", 1.5])
@pytest.mark.parametrize("column", ["event", "name"])
def test_what_is_no_bytes_is_noticed(filled, column, value):
    """As SQLite itself would not write it: to a table that was not strict for a while."""
    for sql, arguments in (
        ("UPDATE sqlite_master SET sql = replace(sql, ' STRICT', '') WHERE name = 'events'", ()),
        (f"UPDATE events SET {column} = ? WHERE number = {LAST}", (value,)),
        ("UPDATE sqlite_master SET sql = sql || ' STRICT' WHERE name = 'events'", ()),
    ):
        connection = sqlite3.connect(filled, isolation_level=None)
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(sql, arguments)
        connection.close()
    assert f"event {LAST} is no bytes" in wrong(filled)
    assert not opens(filled)


def test_a_damaged_index_is_noticed(filled, reopen):
    """By it requests are found that were performed; each name stands in it and beside its event."""
    raw = filled.read_bytes()
    with reopen(filled) as ledger:
        names = [bytes.fromhex(event.request.name) for event in ledger.events()]
    for name in names[::5]:
        places = [at for at in range(len(raw)) if raw.startswith(name, at)]
        assert len(places) >= 2
        for at in places:
            filled.write_bytes(raw[: at + 31] + bytes([raw[at + 31] ^ 1]) + raw[at + 32 :])
            assert wrong(filled)


def test_sums_are_checked_beside_the_accounts(filled, monkeypatch):
    """A fault in the accounts themselves: what is moved to who is free to spend it arrives twice."""
    add = State._add

    def faulty(self, account, amount):
        add(self, account, 2 * amount if account.startswith("free:") and amount > 0 else amount)

    monkeypatch.setattr(State, "_add", faulty)
    assert "accounts hold" in wrong(filled)
    assert not opens(filled)


def test_time_that_goes_back_is_noticed(changed):
    def earlier(event):
        event["tick"] -= 1

    with changed() as (path, connection):
        rewrite(connection, earlier, number_of(connection, "final"))
    assert "after tick" in wrong(path)
    assert not opens(path)


def rewrite(connection, change, first) -> None:
    """Change an event and chain all that follow anew, as who holds the file can; signatures stay as they are."""
    previous = None
    for number, old in enumerate(events_of(connection)):
        content = parsed(old)
        if number == first:
            change(content)
        if previous is not None:
            content["previous"] = previous
        raw = canonical(content)
        connection.execute("UPDATE events SET event = ? WHERE number = ?", (raw, number))
        previous = sha256(raw).hexdigest()
    connection.execute("UPDATE head SET digest = ?", (bytes.fromhex(previous),))


def number_of(connection, kind: str) -> int:
    return next(number for number, raw in enumerate(events_of(connection)) if parsed(raw)["kind"] == kind)


def _receives(event):
    event["moves"].append(["outside", f"free:{PARTIES[2]}", "5"])


def _more(event):
    event["moves"][0][2] = str(int(event["moves"][0][2]) + 1)


def _other_spelling(event):
    event["moves"][0][2] = "0" + event["moves"][0][2]


def _other_fact(event):
    event["facts"][0][2]["party"] = PARTIES[2]


def _a_fact_of_another_type(event):
    event["facts"][0][2]["tick"] = bool(event["facts"][0][2]["tick"])


def _no_fact(event):
    event["facts"] = []


def _later(event):
    event["tick"] += 1


def _unsigned(event):
    event["request"]["signature"] = "0" * 128


@pytest.mark.parametrize(
    "kind, change, what",
    [
        ("deposit", _receives, "moves"),
        ("deposit", _more, "moves"),
        ("deposit", _other_spelling, "canonical"),
        ("lease", _other_fact, "facts"),
        ("lease", _no_fact, "facts"),
        ("lease", _a_fact_of_another_type, "facts"),
        ("lease", lambda event: event.update(more=1), "canonical"),
        ("advance", _later, "tick"),
        ("deposit", _unsigned, "signed"),
        ("lease", lambda event: event["blobs"].clear(), "output lacks"),
    ],
)
def test_a_chain_written_anew_is_noticed_by_performing_its_requests(changed, kind, change, what):
    with changed() as (path, connection):
        number = number_of(connection, kind)
        rewrite(connection, change, number)
    found = wrong(path)
    assert found.startswith(f"event {number} ") and what in found, found


def test_a_request_left_out_of_a_chain_written_anew_is_noticed_where_a_later_one_needs_it(changed):
    with changed() as (path, connection):
        gone = number_of(connection, "lease")
        [(name,)] = connection.execute("SELECT name FROM events WHERE number = ?", (gone,))
        rows = connection.execute("SELECT name, event FROM events WHERE number > ? ORDER BY number", (gone,)).fetchall()
        connection.execute("DELETE FROM events WHERE number >= ?", (gone,))
        for number, (other, raw) in enumerate(rows, gone):
            connection.execute(
                "INSERT INTO events VALUES (?, ?, ?)", (number, other, canonical(parsed(raw) | {"number": number}))
            )
        rewrite(connection, lambda event: event, 0)
        connection.execute("UPDATE head SET number = ?", (LAST - 1,))
        assert any(name.hex() in raw.decode() for _, raw in rows)
    assert "(final) does not hold" in wrong(path)


def test_an_end_that_was_cut_off_is_noticed_with_a_head_from_elsewhere_alone(changed, filled, reopen):
    with reopen(filled) as ledger:
        heads = [(event.number, event.digest) for event in ledger.events()]
        named = {digest for event in ledger.events() for digest in event.blobs if event.number <= 19}
    with changed() as (path, connection):
        connection.execute("DELETE FROM events WHERE number > 19")
        connection.execute("UPDATE head SET number = 19, digest = ?", (bytes.fromhex(heads[19][1]),))
        for (digest,) in connection.execute("SELECT digest FROM blobs").fetchall():
            if digest.hex() not in named:
                connection.execute("DELETE FROM blobs WHERE digest = ?", (digest,))
    assert opens(path) and wrong(path) == wrong(path, heads[3]) == wrong(path, heads[19]) == ""
    assert "event 20 is not there: the ledger ends with event 19" in wrong(path, heads[20])
    assert "event 3 is" in wrong(path, (3, heads[4][1]))


@pytest.mark.parametrize("flips", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_damaged_file_is_refused_or_holds(filled, tmp_path, flips):
    """Bytes of the file itself, its end cut off at times: what opens has the right state, or is found wrong."""
    rng, raw, path = random.Random(flips), filled.read_bytes(), tmp_path / "damaged.db"
    state, noticed = inspect(filled, OPERATIONS).state, 0
    for _ in range(flips):
        damaged = bytearray(raw)
        for _ in range(rng.randint(1, 8)):
            damaged[rng.randrange(len(raw))] = rng.randrange(256)
        path.write_bytes(damaged[: rng.randrange(len(raw))] if rng.random() < 0.2 else damaged)
        try:
            found = inspect(path, OPERATIONS)
        except Refusal:
            noticed += 1
        else:
            assert found.wrong or found.state == state
            noticed += found.wrong != ""
        opens(path)
        for beside in tmp_path.glob("damaged.db-*"):
            beside.unlink()
    assert noticed > flips // 2
