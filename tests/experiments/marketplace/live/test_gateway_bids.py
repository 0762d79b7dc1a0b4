import asyncio
from types import SimpleNamespace

import pytest

from experiments.marketplace.live import gateway
from experiments.marketplace.live.gateway import Gateway, bid_of
from inference.completions.asked import Refused


@pytest.mark.parametrize(("text", "bid"), [(None, 7), ("1", 10**6), ("0.000001", 1), ("1e2", 10**8)])
def test_a_bid_is_an_amount_of_tokens(text, bid):
    assert bid_of(text, 7) == bid


@pytest.mark.parametrize(
    "text", ["", "x", "nan", "snan", "inf", "-1", "0", "1e-400", "1e400", "1e999990", "1e999999999", "0.0000001"]
)
def test_what_is_none_is_refused_at_once(text):
    with pytest.raises(Refused, match="an amount of tokens above 0"):
        bid_of(text, 7)


def test_a_connection_that_ends_is_made_anew_and_its_session_begins_afresh(monkeypatch):
    monkeypatch.setattr(gateway, "PAUSE", 0)

    async def twice():
        begun, third = [], asyncio.Event()

        async def connect(connection):
            session = asked._asking.customer.session
            begun.append((session.joined, session.welcome))
            session.welcome = "of the connection that ends"  # a coordinator's, which it takes with it
            connection.close()
            if len(begun) == 3:
                third.set()
            return len(begun)

        driver = SimpleNamespace(ready=asyncio.Event(), connect=connect)
        driver.ready.set()
        asked = Gateway(driver, bytes(32), bid=1, patience=9, fund=False)
        running = asyncio.create_task(asked.run())
        await third.wait()
        running.cancel()
        return begun

    assert asyncio.run(twice()) == [(False, None)] * 3
