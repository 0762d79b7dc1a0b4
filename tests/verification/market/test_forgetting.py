"""Prompts and answers are forgotten at their user's wish, evidence is not, and the ledger holds without them."""

import sqlite3
from hashlib import sha256
from json import loads

import pytest

from verification.commands.ledger import ledger
from verification.encoding.canonical import canonical
from verification.encoding.signature import sign
from verification.ledger.inspect import inspect
from verification.market.operations import OPERATIONS

PROMPT = b"\x07\x00\x00\x00" * 40
INPUT = sha256(PROMPT).hexdigest()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "market.ledger"


@pytest.fixture
def market(make_market, path):
    return make_market(path, window=60)


@pytest.fixture
def order(market):
    """An order that is served, whose prompt was kept; prompt and answer."""
    part = {"model": "ab" * 32, "input": INPUT, "limit": 16, "temperature": 0, "seed": "7"}
    content = {"requests": [part], "bid": "2000", "patience": 100, "unaudited": False, "nonce": market.nonce()}
    return market.ask(market.user, "order", content, {INPUT: PROMPT})


def forget(market, order, blobs, **changed):
    """The coordinator does as the user signs."""
    content = {"order": order, "blobs": blobs}
    consent = sign(market.keys[market.user], "forget", market.ledger.market, content)
    market.order_of("forget", content | {"user": market.user, "consent": consent} | changed)


def test_a_prompt_and_its_answer_are_forgotten_and_the_ledger_holds(market, order, path, refused, capsys):
    output = market.answer(1)[1]
    answer = sha256(output).hexdigest()
    lease = market.shown(market.devices[0], order=order)
    assert refused(forget, market, order, [INPUT]) == "still-open"
    market.end(lease)
    assert refused(forget, market, order, [INPUT], consent="ab" * 64) == "no-consent"
    assert refused(forget, market, order, [INPUT], user=market.owners[0]) == "no-consent"
    assert refused(forget, market, order, [INPUT, "0" * 64]) == "no-such-blob"
    assert market.ledger.blob(INPUT) == PROMPT
    forget(market, order, [INPUT, answer, answer])
    assert market.ledger.blob(INPUT) is None and market.ledger.blob(answer) is None
    found = inspect(path, OPERATIONS)
    assert (found.wrong, found.state) == ("", market.ledger.state)
    assert {event.request.kind for event in found.lost.values()} == {"order", "result"}
    ledger(path, None, False)
    assert f"forgotten, no longer to be shown: {INPUT} of event" in capsys.readouterr().out
    assert ledger(path, None, True) and set(loads(capsys.readouterr().out)["forgotten"]) == {INPUT, answer}
    market.served(market.devices[1])  # the same answer again: it is kept again
    assert market.ledger.blob(answer) == output
    assert inspect(path, OPERATIONS).wrong == ""


def test_what_an_open_result_or_order_has_too_stays(market, order, refused):
    market.end(market.shown(market.devices[0], order=order))
    answer = sha256(market.answer(1)[1]).hexdigest()
    other = market.served(market.devices[1])
    assert refused(forget, market, order, [answer]) == "still-open"
    waiting = market.order(input=INPUT)
    assert refused(forget, market, order, [INPUT]) == "still-open"
    market.ask(market.user, "cancel", {"order": waiting})
    forget(market, order, [INPUT])
    assert market.lease(other)


def test_evidence_is_not_forgotten(market, order, path, refused):
    lease = market.served(market.devices[0], drawn=True, order=order)
    listed = canonical(market.could(lease))
    market.conclude(lease)
    claim = market.begin(market.claim(lease, market.owners[1], 2))
    raw = market.message(claim)
    market.play(claim, raw=raw)
    market.spend(claim)
    market.verdict(claim, "asserter")
    market.end(lease)
    for evidence in (raw, listed):
        assert refused(forget, market, order, [sha256(evidence).hexdigest()]) == "evidence"


def test_what_the_coordinator_deletes_on_its_own_is_noticed(market, order, path):
    market.end(market.shown(market.devices[0], order=order))
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM blobs WHERE digest = ?", (bytes.fromhex(INPUT),))
    connection.commit()
    connection.close()
    assert "(order) does not hold: its blob" in inspect(path, OPERATIONS).wrong


def test_only_the_coordinator_admits_it(market, order, refused):
    market.end(market.shown(market.devices[0], order=order))
    content = {"order": order, "blobs": [INPUT]}
    consent = sign(market.keys[market.user], "forget", market.ledger.market, content)
    asked = content | {"user": market.user, "consent": consent}
    assert refused(market.ask, market.user, "forget", asked) == "not-the-coordinator"
    stranger = market.key("stranger")
    assert refused(market.order_of, "forget", asked | {"user": stranger}) == "no-such-owner"


def test_an_input_is_not_of_any_size(market, refused):
    raw = bytes(4 * 2**20 + 1)
    part = {"model": "ab" * 32, "input": sha256(raw).hexdigest(), "limit": 16, "temperature": 0, "seed": "7"}
    content = {"requests": [part], "bid": "2000", "patience": 100, "unaudited": False, "nonce": market.nonce()}
    assert refused(market.ask, market.user, "order", content, {part["input"]: raw}) == "oversized"
