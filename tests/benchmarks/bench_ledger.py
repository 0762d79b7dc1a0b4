"""What a ledger costs: an operation of a market that knows 10^5 facts, signatures apart; opening and inspecting a file.

The requests are those of leases from order to final result, some of them drawn for an audit.
"""

import runpy
from pathlib import Path

import pytest

from verification.encoding.request import request
from verification.ledger import store
from verification.ledger.inspect import inspect
from verification.ledger.store import Ledger
from verification.market.operations import OPERATIONS

Market = runpy.run_path(str(Path(__file__).parents[1] / "verification/market/conftest.py"))["Market"]
FACTS, LEASES = 10**5, 50


def fill(draft, asked):
    """Orders and leases that nobody asked for, like one that is there, with their escrow and stakes."""
    facts = [(kind, draft.fact(kind, next(draft.subjects(kind)))) for kind in ("order", "lease")]
    for number in range(asked.content["first"], asked.content["first"] + 1_000):
        kind, value = facts[number % 2]
        draft.put(kind, f"{number:064x}", value)
        draft.move("outside", f"stake:{asked.party}:{number:064x}", 1_000)


class Recorded(Market):
    """A market of which every request is kept, from its first to the last of so many leases."""

    def __init__(self, path=":memory:", facts=0):
        self.made = []
        super().__init__(path, deposit=10**9)
        self.lend(self.devices[0])
        self.ledger._operations = {**OPERATIONS, "fill": fill}
        for first in range(0, facts, 1_000):
            self.order_of("fill", {"first": first})
        self.begun = len(self.made)
        for number in range(LEASES):
            lease = self.lend(self.devices[number % len(self.devices)])
            self.result(lease)
            self.conclude(lease) if self.drawn(lease) else self.publish(lease)
            self.end(lease)

    def ask(self, party, kind, content, blobs=None):
        asked = request(self.keys[party], kind, self.ledger.market, content)
        self.ledger.perform(asked, blobs)
        self.made.append((asked, blobs))
        return asked.name


def test_an_operation_at_many_facts(benchmark, monkeypatch):
    """Each round is another request than `advance`: those have no time of their own here."""
    recorded = Recorded(facts=FACTS)
    opened = {asked.raw: asked for asked, _ in recorded.made}
    monkeypatch.setattr(store, "opened", lambda raw, market: opened[raw])
    genesis = next(recorded.ledger.events()).request.content
    with Ledger.create(":memory:", recorded.coordinator, genesis, recorded.ledger._operations) as ledger:
        for made in recorded.made[: recorded.begun]:
            ledger.perform(*made)
        requests = iter(recorded.made[recorded.begun :])

        def following():
            for made in requests:
                if made[0].kind != "advance":
                    return made, {}
                ledger.perform(*made)
            raise AssertionError("more rounds than requests")

        rounds = sum(asked.kind != "advance" for asked, _ in recorded.made[recorded.begun :])
        benchmark.pedantic(ledger.perform, setup=following, rounds=rounds)
        benchmark.extra_info["facts"] = sum(map(len, ledger.state.facts.values()))
        assert ledger.state.number > recorded.begun


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    """A file of so many leases, and its events."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    recorded = Recorded(path)
    events = [event for event in recorded.ledger.events() if event.request.kind != "advance"]
    recorded.ledger.__exit__()
    return path, sum(len(event.raw) for event in events), len(recorded.made)


def test_opening_a_file(benchmark, closed):
    path, bytes_of_leases, requests = closed
    benchmark(lambda: Ledger(path, OPERATIONS).__exit__())
    benchmark.extra_info |= {"events": requests, "bytes a lease": bytes_of_leases // LEASES}


def test_inspecting_a_file(benchmark, closed):
    path, _, requests = closed
    found = benchmark.pedantic(inspect, (path, OPERATIONS), rounds=3)
    assert found.wrong == ""
    benchmark.extra_info["events"] = requests
