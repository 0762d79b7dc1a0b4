"""The pages in Chromium, told by a market that follows a script."""

import json
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from scripted import MARKET, NONCE, answering, module, scripted

from inference.browser import headless
from inference.browser.devtools import driven
from verification.encoding.canonical import canonical
from verification.encoding.request import opened
from verification.encoding.signature import public, signed

SECONDS = 30  # for a page to show something: a time-out, not a measure
MILLION = 1_000_000
MODEL = sha256(b"tiny").hexdigest()
WORKER = "/js/experiments/marketplace/pages/provider_worker.js"
TOKENS = answering("/models/tiny/tokens", {"tokens": [72, 105]})
TEXT = answering("/models/tiny/text", {"text": " there"})
FITTING = "document.documentElement.scrollWidth <= innerWidth"
LABELLED = "[...document.querySelectorAll('input, select, textarea')].every(({ labels }) => labels.length === 1)"
NAMED = "[...document.querySelectorAll('button, a, [role=region]')].every((each) => each.ariaLabel || each.innerText)"


def name(of):
    return sha256(of.encode()).hexdigest()


def welcome(registered=True):
    model = {"name": "tiny", "digest": MODEL, "bytes": 200_000, "macs": 100_000}
    terms = {"tick": 100, "seconds_per_tick": 1.0, "round_ticks": 5, "number": 7, "head": name("head")}
    return {"type": "welcome", "models": [model], "registered": registered, **terms}


@pytest.fixture(scope="module")
def browser():
    if "chromium" not in headless.installed():
        pytest.skip("chromium is not installed")
    with driven() as found:
        yield found


@pytest.fixture
def visit(browser):
    """Opens pages, which are closed after the test."""
    browser.problems.clear()
    pages = []

    def visited(url):
        pages.append(browser.page(url))
        return pages[-1]

    yield visited
    for page in pages:
        page.close()


def usable(page):
    """Readable on a telephone and on a desk, every field and control named."""
    for width in (390, 1280):
        page.look(width=width)
        assert page.evaluate(FITTING)
    assert page.evaluate(LABELLED) and page.evaluate(NAMED)
    assert page.evaluate("document.querySelectorAll('h1').length") == 1
    assert not page.browser.problems


class User:
    """Answers as a market would, and keeps what was asked."""

    def __init__(self):
        self.hellos, self.requests, self.tell = [], [], None

    def __call__(self, message, tell):
        self.tell = tell
        match message["type"]:
            case "hello":
                self.hellos.append(message)
                tell(welcome(registered=bool(self.requests)))
                tell({"type": "account", "free": "12500000", "held": "0"})
            case "ask":
                self.requests.append((opened(canonical(message["request"]), MARKET), message["blobs"]))
                tell({"type": "done", "id": message["id"], "name": self.requests[-1][0].name, "number": 8})
            case "fund":
                tell({"type": "refused", "id": message["id"], "reason": "no-faucet", "sentence": "there is none"})
            case "estimate":
                enough = int(message["bid"]) >= 2 * MILLION
                quote = (
                    {"price": "1500000"} if enough else {"price": None, "reason": "others offer more", "bid": "2000000"}
                )
                tell({"type": "quote", "id": message["id"], "wait": 3, "devices": 2, **quote})

    def last(self, kind):
        [*_, found] = [each for each in self.requests if each[0].kind == kind]
        return found


def test_a_user_sees_the_price_before_posting_and_that_nothing_is_final_before_it_is(visit):
    user = User()
    with scripted(user, [TOKENS, TEXT]) as url:
        page = visit(f"{url}/ask")
        page.wait("document.querySelector('#estimate')?.textContent.startsWith('It would wait')", SECONDS)
        page.evaluate("document.querySelector('[name=bid]').value = '5'")
        page.evaluate("document.querySelector('form').dispatchEvent(new Event('input'))")
        page.wait("document.querySelector('#estimate')?.textContent.startsWith('About 1.5 tokens')", SECONDS)
        assert "2 devices can run it, the next round is in 3 seconds" in page.evaluate("document.body.textContent")
        page.evaluate("document.querySelector('[name=bid]').value = '1'")
        page.evaluate("document.querySelector('form').dispatchEvent(new Event('input'))")
        page.wait("document.querySelector('#estimate button')?.textContent === 'Bid 2, which would win'", SECONDS)
        page.evaluate("document.querySelector('#estimate button').click()")
        page.wait("document.querySelector('#estimate')?.textContent.startsWith('About 1.5 tokens')", SECONDS)
        page.evaluate("document.querySelector('form').requestSubmit()")
        state = "document.querySelector('#answers > li').dataset.state === "
        page.wait(f"{state} 'waiting'", SECONDS)

        [hello], (order, blobs) = user.hellos, user.last("order")
        content = {"nonce": NONCE, "origin": url, "role": "user"}
        assert signed(hello["owner"], "hello", MARKET, content, hello["signature"])
        assert [each.kind for each, _ in user.requests] == ["register", "order"] and order.party == hello["owner"]
        words = b"\x48\0\0\0\x69\0\0\0"
        assert blobs == {sha256(words).hexdigest(): "SAAAAGkAAAA="} and order.content["bid"] == "2000000"
        assert order.content["requests"][0] == {
            "model": MODEL, "input": sha256(words).hexdigest(), "limit": 16, "temperature": 0, "seed": "0"
        }  # fmt: skip

        def told(kind, **content):
            user.tell({"type": kind, "order": order.name, **content})

        told("waits", reason="every device is busy", bid="3000000")
        page.wait("/every device is busy. A bid of 3 would have won/.test(document.body.textContent)", SECONDS)
        page.command("Page.reload")  # it asks what became of it: what is posted twice is one order
        page.wait(f"document.querySelector('#answers > li') && {state} 'waiting'", SECONDS)
        page.wait("document.querySelector('.dot.live')", SECONDS)
        while [each.kind for each, _ in user.requests].count("order") < 2:
            page.evaluate("new Promise((resolve) => setTimeout(resolve, 20))")
        again, with_it = user.last("order")
        assert (again.name, with_it) == (order.name, blobs)
        told("token", lease=name("first"), part=0, tokens=[1], text=" wr")
        told("token", lease=name("first"), part=0, tokens=[2, 3], text="ong")
        page.wait("document.querySelector('.stream')?.textContent === 'wrong'", SECONDS)
        assert page.evaluate("document.querySelector('#answers .tag').textContent") == "Not final"
        shown = {"root": name("root"), "window": 900, "requests": [], "graph": name("graph"), "audit_price": "1500000"}
        user.tell({"type": "shown", "lease": name("first"), **shown})
        page.wait("document.querySelector('[data-act=challenge]')", SECONDS)
        page.evaluate("document.querySelector('[data-act=challenge]').click()")
        page.wait("/your challenge bought an audit/.test(document.body.textContent)", SECONDS)
        told("strike", lease=name("first"), part=[0], reason="fallen")
        page.wait("/Struck: its provider was found wrong\\./.test(document.body.textContent)", SECONDS)
        page.wait("document.querySelector('.struck s')?.textContent === 'wrong'", SECONDS)
        told("output", lease=name("second"), part=[0], output="AQAAAP////8=")
        user.tell({"type": "shown", "lease": name("second"), **shown})
        page.wait(f"{state} 'shown'", SECONDS)
        assert page.evaluate("document.querySelector('.stream:not(.struck)').textContent") == "there"
        assert "If nobody does, it is final in 13 minutes." in page.evaluate("document.body.textContent")
        usable(page)
        page.evaluate("document.querySelector('[data-act=challenge]').click()")
        audited = "your challenge bought an audit. It is final in 13 minutes at the earliest"
        page.wait(f"/{audited}/.test(document.body.textContent)", SECONDS)
        assert user.last("challenge")[0].content == {"lease": name("second")}
        told("audited", lease=name("second"), part=[0])
        page.wait("/an audit found the same/.test(document.body.textContent)", SECONDS)
        told("final", lease=name("second"), part=[0], outcome="final", paid="1500000")
        page.wait(f"{state} 'served'", SECONDS)
        assert page.evaluate("document.querySelector('#answers .tag').textContent") == "Final"

        page.command("Page.reload")  # the key stays, and what was asked
        page.wait(f"document.querySelector('#answers > li') && {state} 'served'", SECONDS)
        page.wait("document.querySelector('.dot.live')", SECONDS)
        assert [each["owner"] for each in user.hellos] == [hello["owner"]] * 3
        page.evaluate("URL.createObjectURL = (blob) => { globalThis.saved = blob; return 'blob:none'; }")
        page.evaluate("HTMLAnchorElement.prototype.click = function () { globalThis.file = this.download; }")
        page.evaluate("document.querySelector('#save').click()")
        page.wait("globalThis.file", SECONDS)
        secret = json.loads(page.evaluate("saved.text()"))
        assert public(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret["owner"]))) == hello["owner"]
        assert page.evaluate("file") == f"{hello['owner'][:8]}.keys"


def test_what_a_request_would_cost_is_said_anew_as_devices_come(visit):
    devices = [0]

    def script(message, tell):
        if message["type"] == "hello":
            tell(welcome())
        elif message["type"] == "estimate":
            price = {"price": "1500000"} if devices[0] else {"price": None, "reason": "no device offers it"}
            tell({"type": "quote", "id": message["id"], "wait": 3, "devices": devices[0], **price})

    soon = "const set = setInterval; globalThis.setInterval = (call, pause) => set(call, pause / 50);"
    with scripted(script, [TOKENS, TEXT]) as url:
        page = visit(f"{url}/watch")
        page.command("Page.addScriptToEvaluateOnNewDocument", source=soon)
        page.command("Page.navigate", url=f"{url}/ask")
        page.wait("document.querySelector('#estimate')?.textContent.startsWith('It would wait. No device')", SECONDS)
        assert page.evaluate("!document.querySelector('#noise').hidden")
        devices[0] = 1
        page.wait("document.querySelector('#estimate')?.textContent.startsWith('About 1.5 tokens')", SECONDS)


def test_a_market_is_watched_as_its_disputes_descend(visit):
    tell = []

    def script(message, told):
        assert message == {"type": "hello", "version": 1, "role": "watch", "origin": url}
        tell.append(told)
        told(welcome())

    def board(**parts):
        tell[0]({"type": "board", "tick": 120, "number": 31, "head": name("head"), "parts": parts})

    dispute = {
        "lease": name("lease"), "asserter": name("a"), "challenger": name("b"), "state": "asserter", "messages": [],
        "path": [{"level": "nodes", "size": 4352, "low": 1088, "high": 1360}], "clocks": [1, 2], "budgets": [300, 270],
    }  # fmt: skip
    device = {"models": ["tiny"], "slots": 1, "busy": 1, "cost": "500000", "served": 3, "leased": 4, "connected": True}
    order = {"state": "waiting", "bid": "1000000", "since": 3, "reason": "outbid", "needed": "2000000"}
    figures = {"welfare": "3000000", "bound": "4000000", "solver": "bid_density", "mechanism": "densities"}
    with scripted(script) as url:
        page = visit(url)
        page.wait("document.querySelector('.dot.live')", SECONDS)
        board(
            totals=dict.fromkeys(("paid", "received", "burnt", "fund"), "2500000")
            | {"served": 3, "waiting": 1, "leased": 1},
            devices={name("a"): device}, orders={name("o"): order}, disputes={name("c"): dispute},
            leases={name("lease"): {"device": name("a"), "state": "held", "progress": 0.5, "since": 9}},
            rounds={"1": {"orders": 2, "matched": 1, "prices": None, **figures}},
            events={"31": {"tick": 120, "kind": "play", "party": name("a"), "digest": name("head")}},
        )  # fmt: skip
        page.wait("/272 of 4,352 nodes in question/.test(document.body.textContent)", SECONDS)
        text = page.evaluate("document.body.textContent")
        assert "lost at most 25.0 %" in text and "outbid; 2 would have won" in text and f"31:{name('head')}" in text
        usable(page)
        path = [{"level": level, "size": 64, "low": 7, "high": 8} for level in ("nodes", "leaves", "steps")]
        step = {"node": 7, "leaf": 7, "step": 7, "kind": "product_q8"}
        over = {"state": "over", "winner": "challenger", "reason": "wrong-words", "path": path, "step": step}
        board(
            disputes={name("c"): dispute | over},
            devices={name("a"): device | {"removed": True}},
            orders={name("o"): None},
        )
        page.wait("document.querySelector('.descent .point')", SECONDS)
        assert "product_q8: computed wrongly" in page.evaluate("document.querySelector('.descent').textContent")
        assert "removed for good" in page.evaluate("document.querySelector('#devices').textContent")
        assert page.evaluate("document.querySelectorAll('#orders tr').length") == 0
        usable(page)


def test_who_gives_compute_sees_what_fits_what_it_earns_and_what_was_checked(visit):
    told = [
        {"type": "models", "models": [{"name": "tiny", "fits": True}]},
        {"type": "lease", "lease": name("job"), "model": "tiny", "price": "1500000", "stake": "12000000"},
        {"type": "accepted", "lease": name("job")},
        {"type": "result", "lease": name("job"), "nodes": 4352, "seconds": 1.5, "commit_seconds": 0.3},
        {"type": "final", "lease": name("job"), "outcome": "final", "paid": "1500000"},
        {"type": "dispute", "claim": name("claim"), "role": "asserter", "kind": "descend", "node": 7, "leaf": None},
        {"type": "verdict", "claim": name("claim"), "winner": "challenger", "reason": "step-wrong"},
        {"type": "state", "state": "working", "sentence": "Computing."},
    ]
    worker = f"onmessage = ({{ data }}) => {{ postMessage({{ type: 'error', sentence: JSON.stringify(data) }}); \
        if (data.type === 'start') for (const each of {json.dumps(told)}) postMessage(each); }}"

    def script(message, tell):
        large = {"name": "large", "digest": name("large"), "bytes": 2**50, "macs": 1}
        tell(welcome() | {"models": [*welcome()["models"], large]})

    with scripted(script, [module(WORKER, worker)]) as url:
        page = visit(f"{url}/give")
        page.wait("document.querySelector('#start')?.disabled === false", SECONDS)
        usable(page)
        fitting = page.evaluate("[...document.querySelectorAll('#models label')].map(({ textContent }) => textContent)")
        assert "fits" in fitting[0] and "a buffer of this device has" in fitting[1] and "does not fit" in fitting[1]
        page.evaluate("document.querySelector('#start').click()")
        page.wait("document.querySelector('#status').textContent === 'Computing.'", SECONDS)
        page.wait("document.querySelectorAll('#jobs tbody tr').length === 1", SECONDS)
        lines = page.evaluate("[...document.querySelectorAll('#log span')].map(({ textContent }) => textContent)")
        assert json.loads(lines[-1]) == {
            "type": "start", "url": f"{url.replace('http', 'ws')}/market", "models": ["tiny"], "cost": "1000",
            "slot": 0, "cheat": False, "fund": True,
        }  # fmt: skip
        assert page.evaluate("document.querySelector('#earnings b').textContent") == "1.5"
        assert "final and paid" in page.evaluate("document.querySelector('#jobs').textContent")
        assert "1.50 s, 20 % to commit" in page.evaluate("document.querySelector('#jobs').textContent")
        checked = page.evaluate("document.querySelector('#checked').textContent")
        assert "lost" in checked and "the disputed step, computed again, is wrong" in checked
        usable(page)
        page.evaluate("document.querySelector('#cheat').click()")
        page.wait('document.querySelector(\'#log span\').textContent === \'{"type":"cheat","on":true}\'', SECONDS)


def test_who_was_found_wrong_is_told_that_its_key_is_removed_and_may_begin_anew(visit):
    removed = {"type": "state", "state": "removed", "sentence": "Removed for good."}
    worker = f"onmessage = () => postMessage({json.dumps(removed)})"
    with scripted(lambda message, tell: tell(welcome()), [module(WORKER, worker)]) as url:
        page = visit(f"{url}/give")
        page.wait("document.querySelector('#start')?.disabled === false", SECONDS)
        assert page.evaluate("document.querySelector('#anew').hidden")
        page.evaluate("document.querySelector('#start').click()")
        page.wait("document.querySelector('#status.bad')?.textContent === 'Removed for good.'", SECONDS)
        usable(page)
        page.evaluate("document.querySelector('#log').replaceChildren()")
        page.evaluate("document.querySelector('#anew').click()")
        page.wait("document.querySelectorAll('#log li').length === 1", SECONDS)  # another worker has begun
        assert page.evaluate("!document.querySelector('#anew').hidden")


def test_a_market_that_stands_still_is_said_to(visit):
    with scripted(lambda message, tell: tell(welcome())) as url:
        page = visit(f"{url}/watch")
        page.wait("document.querySelector('.dot.live')", SECONDS)
    page.wait("/does not answer/.test(document.querySelector('#status').textContent)", SECONDS)
