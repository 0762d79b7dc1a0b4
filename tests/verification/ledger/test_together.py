"""Requests that are performed together are durable together, or not at all."""

import dataclasses
import sqlite3
from contextlib import closing

import pytest
from toy_market import PARTIES

from verification.errors import Refusal

FREE = f"free:{PARTIES[0]}"


def test_what_is_performed_together_is_one_transaction(create, reopen, ask, tmp_path):
    path = tmp_path / "ledger.db"
    with create(path) as ledger:
        with ledger.together():
            for nonce in range(3):
                assert ledger.perform(ask(ledger, 0, "deposit", amount="10", nonce=nonce))
                assert not ledger.perform(ask(ledger, 0, "deposit", amount="10", nonce=nonce))
            with pytest.raises(Refusal):
                ledger.perform(ask(ledger, 0, "withdraw", amount="31", nonce=9))
            with closing(sqlite3.connect(path)) as other:  # which sees what was there before
                assert other.execute("SELECT number FROM head").fetchall() == [(0,)]
        assert ledger.state.balances == {FREE: 30}
        with reopen(path) as again:
            assert again.state == ledger.state


def test_what_fails_together_has_not_happened_and_the_ledger_is_opened_anew(create, reopen, ask, tmp_path):
    path = tmp_path / "ledger.db"
    ledger = create(path)

    def fail():
        with ledger.together():
            ledger.perform(ask(ledger, 0, "deposit", amount="10", nonce=0))
            raise KeyError("the process's own fault")

    with pytest.raises(KeyError):
        fail()
    with pytest.raises(sqlite3.ProgrammingError):
        ledger.perform(ask(ledger, 0, "deposit", amount="10", nonce=1))
    with reopen(path) as again:
        assert again.head[0] == 0 and again.state.balances == {}


def test_who_watches_is_told_of_each_event_once_the_state_has_it(create, ask):
    with create() as ledger:
        told = []
        ledger.watch = lambda event: told.append((event.number, ledger.head == (event.number, event.digest)))
        asked = ask(ledger, 0, "deposit", amount="10", nonce=0)
        ledger.perform(asked)
        ledger.perform(asked)
        assert told == [(1, True)]


def test_a_request_that_was_signed_here_is_believed_and_one_that_was_changed_since_is_not(create, ask):
    with create() as ledger:
        asked = ask(ledger, 0, "deposit", amount="10", nonce=0)
        assert asked.sound
        for changed in ({"content": asked.content | {"amount": "11"}}, {"party": PARTIES[1]}):
            other = dataclasses.replace(asked, **changed)
            assert not other.sound
            with pytest.raises(Refusal) as refused:
                ledger.perform(other)
            assert refused.value.reason == "wrong-signature"
        assert ledger.head[0] == 0
