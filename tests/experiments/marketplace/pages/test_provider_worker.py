"""A page's worker gives compute to a market that is served: it joins, serves, is audited, disputes, and goes."""

import asyncio
import json
import time
from contextlib import contextmanager, suppress
from fractions import Fraction
from hashlib import sha256
from threading import Event, Thread

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.sync.client import connect

from experiments.marketplace.customer import Check, Customer
from experiments.marketplace.live.server import Market, Serving, listening
from experiments.marketplace.models import Language, request_of
from experiments.marketplace.settings import Settings
from inference.browser import headless
from inference.browser.devtools import driven
from inference.generate import generate
from inference.reference import Reference
from verification.inference_models import exact
from verification.market.rules import Rules

SECONDS = 150  # for something to happen: a time-out, not a measure
WORKER = "/js/experiments/marketplace/pages/provider_worker.js"
TICK = 0.05
RULES = Rules(delta=200, window=20, heart=400, audit=Fraction(1, 2), fee=Fraction(11, 20))
SETTINGS = Settings(seconds_per_tick=TICK, round_ticks=10, work_limit=4000, faucet=10**9)
LIMIT = 4
START = """{
  window.told = [];
  window.worker = new Worker(%r, { type: "module" });
  worker.onmessage = ({ data }) => told.push(data);
  const terms = { models: ["tiny"], cost: "100", slot: 0, cheat: %s, fund: true };
  worker.postMessage({ type: "start", url: `ws://${location.host}/market`, ...terms });
}"""


class User:
    """A customer behind a socket."""

    def __init__(self, socket):
        self.socket = socket
        self.customer = Customer(Ed25519PrivateKey.generate(), fund=True)
        self.model = Language("tiny")
        self.until(lambda: self.customer.session.joined)

    def until(self, holds):
        ends = time.monotonic() + SECONDS
        while not holds():
            if time.monotonic() > ends:
                raise TimeoutError
            with suppress(TimeoutError):  # what a page is told makes no message to its user
                raw = self.socket.recv(timeout=0.5)
                self.send(self.customer.receive(raw.encode() if isinstance(raw, str) else raw, 0.0))

    def send(self, effects):
        for effect in effects:
            if not isinstance(effect, Check):
                self.socket.send(effect.decode())

    def order(self, prompt):
        raw = self.model.input(prompt)
        asked = request_of(self.model, sha256(raw).hexdigest(), limit=LIMIT)
        name, effects = self.customer.order([asked], {asked["input"]: raw}, bid=10_000, patience=100_000)
        self.send(effects)
        return self.customer.orders[name]


@contextmanager
def market(folder):
    """A market that is served, to the end of the block."""
    serving = Serving(
        ledger=folder / "market.ledger",
        keys=folder / "keys",
        models=[Language("tiny")],
        rules=RULES,
        settings=SETTINGS,
    )
    ready = Event()
    with listening(serving) as listener:
        made = Market(serving, listener)
        thread = Thread(target=lambda: asyncio.run(made.run(ready.set)), daemon=True)
        thread.start()
        assert ready.wait(SECONDS)
        yield made.url
        made.stop()
        thread.join(timeout=5)


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    if "chromium" not in headless.installed():
        pytest.skip("chromium is not installed")
    with market(tmp_path_factory.mktemp("market")) as found:
        yield found


@pytest.fixture(scope="module")
def user(url):
    with connect(url.replace("http", "ws") + "/market", max_size=None) as socket:
        yield User(socket)


@pytest.fixture(scope="module")
def chromium():
    with driven() as found:
        yield found


@pytest.fixture
def gives(chromium, url):
    """A page whose worker gives compute, and waits for jobs."""
    pages = []

    def gives(cheat=False):
        page = chromium.page(f"{url}/watch")
        pages.append(page)
        page.evaluate(START % (WORKER, json.dumps(cheat)))
        tells(page, "state", state="waiting")
        return page

    yield gives
    for page in pages:
        page.evaluate("worker.postMessage({ type: 'stop' })")
        tells(page, "state", state="stopped")
        page.close()


def tells(page, kind, **holding):
    """Waits until the worker has told something; what it told last of that."""
    fits = json.dumps({"type": kind, **holding})
    last = f"told.findLast((each) => Object.entries({fits}).every(([key, value]) => each[key] === value))"
    page.wait(f"{last} !== undefined", SECONDS)
    return page.evaluate(last)


def expected(prompt):
    return generate(Reference(exact("tiny")), list(prompt.encode()), limit=LIMIT).tokens


def test_a_page_serves_what_numpy_would_give_and_is_paid(gives, user):
    page = gives()
    orders = {prompt: user.order(prompt) for prompt in ("Hello", "The capital of France is")}
    user.until(lambda: all(order.over for order in orders.values()))
    for prompt, order in orders.items():
        assert order.state == "served" and order.final[0] == expected(prompt)
    told = page.evaluate("told")
    finals = [each for each in told if each["type"] == "final"]
    assert len(finals) == 2 and all(each["outcome"] == "final" and int(each["paid"]) > 0 for each in finals)
    results = [each for each in told if each["type"] == "result"]
    tokens = [each["token"] for each in told if each["type"] == "token" and each["lease"] == results[0]["lease"]]
    assert tokens in ([expected(prompt) for prompt in orders]) and results[0]["nodes"] > 80


def test_a_page_that_cheats_is_audited_disputed_and_falls_and_its_task_is_served(gives, user):
    cheat = gives(cheat=True)
    orders = []
    while not cheat.evaluate("told.some(({ type }) => type === 'verdict')"):
        orders.append(user.order(f"Task {len(orders)}"))
        tells(cheat, "result")
        user.until(lambda: orders[-1].over or bool(cheat.evaluate("told.some(({ type }) => type === 'verdict')")))
    verdict = tells(cheat, "verdict")
    assert verdict["winner"] == "challenger" and verdict["reason"] == "step-wrong"
    said = [each["kind"] for each in cheat.evaluate("told") if each["type"] == "dispute"]
    assert said[0] == "descend" and said[-1] == "open" and {"node", "steps"} <= set(said)
    tells(cheat, "final", outcome="fallen")
    gives()
    user.until(lambda: orders[-1].over)
    assert orders[-1].state == "served" and orders[-1].final[0] == expected(f"Task {len(orders) - 1}")


def test_a_page_that_falls_asleep_hands_its_lease_back_and_offers_again_when_it_wakes(gives, user):
    page = gives()
    page.evaluate("worker.postMessage({ type: 'pause' })")
    tells(page, "state", state="paused")
    order = user.order("Sleep")
    page.evaluate(
        """{
      const heard = worker.onmessage;
      worker.onmessage = (event) => {
        heard(event);
        if (event.data.type === "accepted") worker.postMessage({ type: "freeze" });
      };
      worker.postMessage({ type: "resume" });
    }"""
    )
    tells(page, "returned")
    tells(page, "state", state="frozen")
    page.evaluate("worker.onmessage = ({ data }) => told.push(data)")
    page.evaluate("worker.postMessage({ type: 'thaw' })")
    at = "told.findLastIndex(({ state }) => state === %r)"
    page.wait(f"{at % 'waiting'} > {at % 'frozen'}", SECONDS)
    assert not order.over  # it waits for another device than the one that handed it back
