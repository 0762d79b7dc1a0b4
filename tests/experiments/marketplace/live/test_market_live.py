"""A market on loopback: a worker computes what a user and OpenAI's client ask, and a crash loses nothing."""

import asyncio
from types import SimpleNamespace
from unittest import mock

import openai
import pytest
from news import News

from experiments.marketplace.check import check
from experiments.marketplace.live import commands, secrets
from experiments.marketplace.live.ask import Prompt, ask
from experiments.marketplace.live.gateway import Gateway
from experiments.marketplace.live.party import Line, socket_of
from experiments.marketplace.live.watch import Watcher
from inference.generate import generate
from inference.models.llama import model
from inference.models.tiny import tiny
from inference.reference import Reference
from inference.tokens.text import Text
from verification.errors import Refusal

KEY = "sesame"


@pytest.fixture(scope="module")
def reference():
    """What numpy gives after a prompt."""
    built = model("tiny", tiny(), "exact")

    def run(prompt, limit):
        return generate(Reference(built), list(prompt.encode()), limit=limit).tokens

    return run


def prompt(text="Hello", limit=6, **options):
    terms = {"bid": 20_000, "seed": 0, "temperature": 0.0, "patience": 10**6, "unaudited": True, "dry_run": False}
    return Prompt(**{"model": "tiny", "text": text, "limit": limit} | terms | options)


async def asked(url, given, key, shown=None, fund=True):
    lines = []
    told = await ask(url, given, key, fund=fund, say=lines.append, show=(shown if shown is not None else []).append)
    return told, lines


def test_a_user_is_served_by_a_worker_what_numpy_gives_and_the_ledger_holds(market, worker, user, bounded, reference):
    shown = []

    async def work():
        async with market() as served, worker(served.url) as working:
            await working.until(lambda: working.device.s)
            watcher = Watcher()
            line = Line(served.url, watcher, lambda effect: None)
            seen = News(line)
            watching = asyncio.create_task(line.run())
            told, lines = await asked(served.url, prompt(), user, shown)
            await working.until(lambda: working.device.history.final)
            await seen.until(lambda: watcher.parts.get("totals", {}).get("served"))
            watching.cancel()
            return told, lines, working.device.history, working.did(), watcher, served.ledger

    told, lines, history, did, watcher, ledger = bounded(work)
    assert told.tokens == reference("Hello", 6) and told.final and told.state == "served"
    assert "".join(shown) == told.text == Text({}, 256).decode(told.tokens)
    kinds = [line.partition(":")[0] for line in lines]
    assert kinds[0] == "estimate" and kinds[-1] == "final" and kinds.count("final") == 1
    [shown_line] = [line for line in lines if "not final" in line]
    assert shown_line == "computed, not final: anybody may prove it wrong for another 1 second"  # 20 ticks of 50 ms
    assert history.results == 1 and 0 < history.earned < int(told.paid) <= 20_000
    assert did == f"leases: 1 taken, 1 final, 0 not over; {history.earned / 1e6:g} tokens earned"
    found = check(ledger, None)
    assert found.reasons == [] and found.ledger.kinds["final"] == 1
    assert watcher.market[:16] in str(watcher.shown().renderables[0])


def test_what_was_asked_before_a_crash_is_served_after_it_and_paid_once(market, worker, user, bounded, reference):
    async def work():
        async with market() as first:
            port = first.port
            async with worker(first.url) as working:
                await working.until(lambda: working.device.s)
                asking = asyncio.create_task(asked(first.url, prompt(), user))
                await working.until(lambda: working.device.leases)
                return await crashed(first, port, working, asking)

    async def crashed(first, port, working, asking):
        """The market ends while a lease is open, and another process's would go on with its ledger."""
        await first.stop()
        async with market(port) as second:
            told, lines = await asking
            await working.until(lambda: working.device.history.final)
            return told, lines, working, second.ledger

    told, lines, working, ledger = bounded(work)
    history, connections = working.device.history, working.line.connections
    for said in (lines, working.said):
        assert any("does not answer; trying again" in line for line in said)
    assert told.tokens == reference("Hello", 6) and told.final
    assert connections == 2 and history.final == 1 and history.fallen == history.missed == 0
    found = check(ledger, None)
    assert found.reasons == [] and found.ledger.kinds["final"] == 1 and found.ledger.kinds["order"] == 1


def test_openai_s_client_talks_to_the_market(market, worker, bounded, reference):
    text = Text({}, 256).decode(reference("Hi", 5))

    async def work():
        async with market(api_key=KEY, bid=20_000) as served, worker(served.url) as working:
            await working.until(lambda: working.device.s)
            async with openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key=KEY, max_retries=0) as client:
                options = {"model": "tiny", "prompt": "Hi", "max_tokens": 5, "temperature": 0}
                pieces = [piece async for piece in await client.completions.create(**options, stream=True)]
                assert "".join(piece.choices[0].text for piece in pieces) == text
                assert len(pieces[-1].mark["order"]) == 64 and pieces[-1].choices[0].finish_reason == "length"
                whole = await client.completions.create(**options, extra_headers={"X-Bid": "0.02"})
                assert whole.choices[0].text == text and whole.mark["order"] != pieces[-1].mark["order"]
                for wrong, refusal in (
                    ({"model": "gpt"}, openai.NotFoundError),
                    ({"prompt": "a" * 600}, openai.BadRequestError),
                    ({"extra_headers": {"X-Bid": "much"}}, openai.BadRequestError),
                    ({"extra_headers": {"X-Bid": "1000000"}}, openai.InternalServerError),
                    ({"extra_headers": {"Authorization": "Bearer open"}}, openai.AuthenticationError),
                ):
                    for stream in (False, True):
                        with pytest.raises(refusal):
                            await client.completions.create(**options | wrong, stream=stream)

    bounded(work)


def test_an_estimate_that_is_refused_is_told_why(market, user, bounded):
    async def work():
        async with market() as served:
            with pytest.raises(Refusal, match="exceed the context of tiny: 512"):
                await asked(served.url, prompt(text="x" * 600, dry_run=True), user)

    bounded(work)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"bid": 0}, "--bid is nothing; at least 0.000001 tokens are needed"),
        ({"text": ""}, "--prompt is empty"),
        ({"temperature": -1.0}, "--temperature -1 is not allowed; 0 to 100"),
        ({"temperature": float("nan")}, "--temperature nan is not allowed"),
        ({"limit": 0}, "--max-tokens 0 is not allowed"),
        ({"seed": -1}, "--seed -1 is not allowed"),
        ({"patience": 0}, "--patience 0 is not allowed"),
        ({"model": "gpt"}, "unknown model 'gpt'; there are tiny, smollm2"),
    ],
)
def test_what_no_market_takes_is_said_before_one_is_asked(wrong, said):
    with pytest.raises(ValueError, match=said):
        commands.ask("ws://127.0.0.1:9", prompt(**wrong), None, True, False)


def test_whoever_asks_for_a_model_that_is_not_traded_or_without_money_is_told_in_words(market, worker, user, bounded):
    async def work():
        async with market() as served, worker(served.url) as working:
            with pytest.raises(ValueError, match="smollm2 is not traded here; --model takes tiny"):
                await asked(served.url, prompt(model="smollm2"), user)
            await working.until(lambda: working.device.s)
            return await asked(served.url, prompt(), secrets.fresh(commands.USER)["owner"], fund=False)

    told, lines = bounded(work)
    assert told.state == "refused" and told.reason == "beyond-free"
    assert "1 device can run it" in lines[0] and "--fund asks the market's faucet" in lines[-1]


def test_a_worker_that_leaves_goes_on_with_what_it_was_leased(market, worker, user, bounded, reference):
    async def work():
        async with market() as served, worker(served.url) as working:
            await working.until(lambda: working.device.s)
            asking = asyncio.create_task(asked(served.url, prompt(), user))
            await working.until(lambda: working.device.leases)
            working.leave()
            await working.ended
            told, _ = await asking
            return told, working.said, working.did()

    told, said, did = bounded(work)
    assert told.final and told.tokens == reference("Hello", 6)
    assert any("takes no new leases" in line for line in said) and did.startswith(
        "leases: 1 taken, 1 final, 0 not over"
    )


def test_a_worker_that_is_told_twice_or_holds_nothing_leaves_at_once(market, worker, user, bounded):
    async def work():
        async with market() as served, worker(served.url) as idle:
            await idle.until(lambda: idle.device.s)
            idle.leave()
            await idle.ended
            async with worker(served.url) as working:
                await working.until(lambda: working.device.s)
                asking = asyncio.create_task(asked(served.url, prompt(), user))
                await working.until(lambda: working.device.leases)
                working.leave()
                await working.until(lambda: working.device.stopping)
                working.leave()
                await working.ended
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
                return working.device.leases

    assert len(bounded(work)) == 1


def test_whose_connection_the_market_ends_connects_again(user, bounded):
    """The user in whose name completions are ordered, over a driver that ends its first connection."""
    connected = asyncio.Queue()
    driver = SimpleNamespace(ready=asyncio.Event(), connect=connected.put)
    gateway = Gateway(driver, user, bid=1, patience=1, fund=False)

    async def work():
        driver.ready.set()
        running = asyncio.create_task(gateway.run())
        (await connected.get()).close()
        assert await connected.get() is gateway
        running.cancel()

    with mock.patch("experiments.marketplace.live.gateway.PAUSE", 0):
        bounded(work)


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://x", "ws://", "ws://host/path"])
def test_an_address_is_a_market_s(url):
    with pytest.raises(ValueError, match="a market's address is expected"):
        socket_of(url)


def test_where_no_market_answers_is_said(user, bounded):
    with pytest.raises(ValueError, match="no market answers"):
        bounded(lambda: asked("ws://127.0.0.1:9", prompt(), user))
