"""``ledger FILE``: what it says of a market's file, and its exit codes."""

import json
import shutil
import sqlite3

import pytest

from verification.encoding.request import request
from verification.encoding.signature import public
from verification.ledger.store import Ledger
from verification.market.operations import OPERATIONS
from verification.market.rules import Rules


@pytest.fixture
def path(tmp_path, key):
    """A market of three events, in a file whose head is returned too."""
    path = tmp_path / "market.ledger"
    content = {"coordinator": public(key(1)), "rules": Rules().plain(), "protocol": "0" * 64}
    with Ledger.create(path, key(1), content, OPERATIONS) as ledger:
        for since in (0, 6):
            assert ledger.perform(request(key(1), "advance", ledger.market, {"since": since, "ticks": 6}))
    return path


def test_a_ledger_that_holds(cli, path):
    with Ledger(path, OPERATIONS) as ledger:
        number, digest = ledger.head
        market = ledger.market
    code, out, err = cli("ledger", path)
    assert (code, err) == (0, "")
    assert "the ledger holds: each of its 3 events is signed" in out and "tick 12" in out and "0 blobs" in out
    assert f"{number}:{digest}" in out and market in out
    assert "50,000,000 micro-tokens: the fund has 50,000,000, 0 are burnt" in out
    assert "events 2 advance, 1 genesis" in out and "  advance: that so many ticks passed" in out
    assert "--head N:DIGEST" in out
    code, out, _ = cli("ledger", path, "--head", f"{number}:{digest}")
    assert code == 0 and "--head" not in out and f"Event {number} is the one that you know" in out
    code, out, _ = cli("ledger", path, "--json", "--head", f"0:{market}")
    told = json.loads(out)
    assert code == 0 and told["holds"] and told["wrong"] == ""
    assert (told["number"], told["head"], told["market"], told["tick"]) == (number, digest, market, 12)
    assert told["events"] == {"advance": 2, "genesis": 1}
    assert told["amounts"] == {"all": "50000000", "fund": "50000000", "burnt": "0"}


def test_a_ledger_that_does_not_hold(cli, path, tmp_path):
    code, out, err = cli("ledger", path, "--head", f"3:{'0' * 64}")
    assert (code, out, err) == (1, "the ledger does not hold: event 3 is not there: the ledger ends with event 2\n", "")
    changed = shutil.copy(path, tmp_path / "changed.ledger")
    connection = sqlite3.connect(changed)
    connection.execute("DELETE FROM events WHERE number = 1")
    connection.commit()
    connection.close()
    code, out, _ = cli("ledger", changed)
    assert (code, out) == (1, "the ledger does not hold: event 2 does not follow event 0: the file was changed\n")
    code, out, _ = cli("ledger", changed, "--json")
    told = json.loads(out)
    assert code == 1 and not told["holds"] and told["wrong"].startswith("event 2")


@pytest.mark.parametrize("head", ["2", "2:abc", f"-1:{'0' * 64}", f"02:{'0' * 64}", f"2:{'A' * 64}", f"٢:{'0' * 64}"])
def test_a_head_of_another_spelling_is_bad_input(cli, path, head):
    code, out, err = cli("ledger", path, "--head", head)
    assert (code, out) == (2, "") and err.startswith("error: --head") and err.count("\n") == 1


def test_what_is_no_ledger_is_bad_input(cli, tmp_path):
    text = tmp_path / "text\n"
    text.write_text("no database, though it is as long as a header " * 9)
    empty = tmp_path / "empty"
    empty.touch()
    for path, said in (
        (text, "it is no ledger"),
        (empty, "it is no ledger"),
        (tmp_path, "not a regular file; a market's ledger"),
        (tmp_path / "none", "No such file or directory; a market's ledger, as `dispute --ledger` writes one, is"),
        ("/dev/null", "not a regular file"),
        ("", "not a regular file"),
    ):
        code, out, err = cli("ledger", path)
        assert (code, out) == (2, "") and err.startswith("error: ") and err.count("\n") == 1, path
        assert said in err
