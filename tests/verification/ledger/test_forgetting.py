"""What is forgotten leaves the file, and the ledger holds without it; nothing else may lack."""

import sqlite3
from hashlib import sha256

import pytest
from toy_market import COORDINATOR, GENESIS, KEYS
from toy_market import OPERATIONS as TOYS

from verification.encoding.request import request
from verification.errors import Refusal
from verification.ledger.inspect import inspect
from verification.ledger.state import FORGOTTEN
from verification.ledger.store import Ledger

OUTPUT = b"what nobody should know any more" * 99
NAME = sha256(OUTPUT).hexdigest()


def lease(draft, asked):
    """The toy's, which goes on where its output was forgotten."""
    if draft.blob(asked.content["output"]) is None and not draft.lost(asked.content["output"]):
        raise Refusal("no-output", "the output lacks")
    draft.move(f"free:{asked.party}", f"stake:{asked.party}:{asked.name}", int(asked.content["stake"]))
    draft.put("lease", asked.name, {"output": asked.content["output"], "party": asked.party, "tick": draft.tick})


def forget(draft, asked):
    """{output}"""
    if draft.blob(asked.content["output"]) is None and not draft.lost(asked.content["output"]):
        raise Refusal("no-such-blob", "it is not kept")
    draft.forget(asked.content["output"])


OPERATIONS = TOYS | {"lease": lease, "forget": forget}


@pytest.fixture
def ledger(tmp_path):
    with Ledger.create(tmp_path / "ledger.db", COORDINATOR, GENESIS, OPERATIONS) as ledger:
        yield ledger


@pytest.fixture
def made(ledger):
    """Make a request by a party of a number; whether it was made now."""

    def made(party, kind, blobs=None, **content):
        key = COORDINATOR if party is None else KEYS[party]
        return ledger.perform(request(key, kind, ledger.market, content), blobs)

    made(0, "deposit", amount="100", nonce=0)
    made(0, "lease", {NAME: OUTPUT}, stake="50", output=NAME)
    return made


def holding(tmp_path):
    """Bytes of all files of the ledger."""
    return b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_what_is_forgotten_is_in_no_file_and_the_ledger_holds(ledger, made, tmp_path, refused):
    assert OUTPUT[:32] in holding(tmp_path)
    made(1, "forget", output=NAME)
    assert ledger.blob(NAME) is None and OUTPUT[:32] not in holding(tmp_path)
    assert refused(made, 2, "forget", output=NAME) == "no-such-blob"
    path = tmp_path / "ledger.db"
    found = inspect(path, OPERATIONS)
    assert (found.wrong, found.state) == ("", ledger.state)
    assert {digest: event.number for digest, event in found.lost.items()} == {NAME: 2}
    with Ledger(path, OPERATIONS) as again:
        assert again.state == ledger.state


def test_what_comes_again_is_kept_again_and_may_not_lack(ledger, made, tmp_path):
    made(1, "forget", output=NAME)
    made(0, "lease", {NAME: OUTPUT}, stake="49", output=NAME)
    assert ledger.blob(NAME) == OUTPUT and not ledger.state.facts[FORGOTTEN]
    path = tmp_path / "ledger.db"
    assert inspect(path, OPERATIONS).wrong == "" and not inspect(path, OPERATIONS).lost
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM blobs")
    connection.commit()
    connection.close()
    assert "event 2 (lease) does not hold: its blob" in inspect(path, OPERATIONS).wrong
    with pytest.raises(Refusal, match="is missing"):
        Ledger(path, OPERATIONS)


def test_a_request_needs_again_what_was_forgotten(made, refused):
    made(1, "forget", output=NAME)
    assert refused(made, 0, "lease", stake="49", output=NAME) == "no-output"


def test_what_lacks_without_having_been_forgotten_is_noticed(ledger, made, tmp_path):
    connection = sqlite3.connect(tmp_path / "ledger.db")
    connection.execute("DELETE FROM blobs")
    connection.commit()
    connection.close()
    found = inspect(tmp_path / "ledger.db", OPERATIONS)
    assert found.wrong.startswith(f"event 2 (lease) does not hold: its blob {NAME} is missing")


def test_an_event_whose_bytes_are_forgotten_is_derived_but_for_them(ledger, made, tmp_path):
    """Another stake than was asked for is noticed, as is everything that does not take the bytes."""
    made(1, "forget", output=NAME)
    generous = OPERATIONS | {"deposit": lambda draft, asked: draft.move("outside", f"free:{asked.party}", 1)}
    assert "not what its request makes" in inspect(tmp_path / "ledger.db", generous).wrong
    stakes = OPERATIONS | {"lease": lambda draft, asked: draft.blob(NAME)}
    assert "event 2 (lease) does not hold" in inspect(tmp_path / "ledger.db", stakes).wrong


def test_what_did_without_the_bytes_after_they_were_forgotten_does_not_hold(ledger, made, tmp_path):
    made(1, "forget", output=NAME)
    ledger._operations = OPERATIONS | {"lease": lambda draft, asked: draft.put("lease", asked.name, 1)}
    made(0, "lease", stake="49", output=NAME)
    assert "event 4 (lease) does not hold: the output lacks" in inspect(tmp_path / "ledger.db", OPERATIONS).wrong
