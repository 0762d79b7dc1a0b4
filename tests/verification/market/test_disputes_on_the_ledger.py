"""Disputes that are really played, over traces, and the ledger beside them: what the referee does the ledger takes, and
clocks, turns and keys are the same on both sides."""

from hashlib import sha256

import numpy as np
import pytest

from verification.dispute.dispute import Dispute, identity
from verification.dispute.party import honest
from verification.dispute.record import Proceedings
from verification.encoding.request import request
from verification.encoding.schema import proof_text
from verification.trace import record


class Court:
    """A coordinator with a model, and parties that play from traces; a party without one is silent."""

    def __init__(self, market, toy):
        self.market, self.toy, self.traces = market, toy, {}

    def result(self, lease, trace):
        """Give a lease the result of a trace; its device plays from it."""
        market, device = self.market, self.market.lease(lease).device
        last = len(self.toy.nodes) - 1
        output = trace.output(last) if (last, 0) not in trace.changed else trace.leaf(last, 0)[None]
        raw = np.asarray(output, "<i4").tobytes()
        header = {"market": market.ledger.market, "lease": lease, "root": trace.tree.root.hex(), "provider": device}
        name, path = sha256(raw).hexdigest(), proof_text(trace.tree.path(last))
        market.ask(device, "result", {"header": header, "output": name, "path": path}, {name: raw})
        self.traces[device] = trace

    def lent(self, device, trace):
        """A shown result."""
        market, toy, node = self.market, self.toy, self.toy.nodes[-1]
        order = market.order(input=toy.digests["input"], limit=toy.passes, seed=str(toy.seed))
        shape = {"nodes": len(toy.nodes), "rows": node.rows, "words": node.words}
        lease = market.lend(device, order=order, graph=toy.digests["graph"], **shape)
        self.result(lease, trace)
        market.publish(lease)
        return lease

    def claim(self, lease, owner, trace):
        header = self.market.draft.fact("result", lease)["header"]
        content = {"lease": lease, "header": header, "root": trace.tree.root.hex(), "challenger": owner}
        self.traces[owner] = trace
        return self.market.ask(owner, "claim", content | {"bond": "4000"})

    def deputy(self, lease, trace):
        self.market.summon(lease)
        deputy = self.market.deputize(lease)
        if self.market.lease(deputy).state == "offered":
            self.market.accept(deputy)
        self.result(deputy, trace)
        return deputy

    def play(self, claim, deputies=()):
        """Play a dispute to its verdict; ``deputies`` are traces of those drawn in turn."""
        market, found = self.market, self.market.draft.fact("claim", claim)
        content = market.beginning(claim) | {"computation": identity(self.toy)}
        begin = request(market.coordinator, "begin", market.ledger.market, content)
        market.ledger.perform(begin)
        self.proceedings = Proceedings(Dispute(self.toy, begin), market.coordinator)
        dispute, deputies = self.proceedings.dispute, list(deputies)
        while dispute.verdict is None:
            self.agree(claim, dispute)
            if dispute.absent:
                self.replace(claim, found["lease"], deputies)
                continue
            key, trace = dispute.key(dispute.turn), self.traces.get(dispute.key(dispute.turn))
            market.advance(1)
            if trace is None:
                market.advance(dispute.clocks.due + 1 - market.tick)
                self.proceedings.tick(market.tick)
                if dispute.absent:
                    market.timeout(claim)
                continue
            raw = honest(market.keys[key], trace)(dispute)
            self.proceedings.receive(raw, market.tick)
            name = sha256(raw).hexdigest()
            plain = dispute.clocks.plain()
            market.order_of("play", {"claim": claim, "message": name, "clocks": plain}, {name: raw})
        last = self.proceedings.entries[-1].record
        verdict = {part: last.content["verdict"][part] for part in ("winner", "reason")}
        market.order_of("verdict", {"claim": claim, "record": last.name} | verdict)
        return verdict

    def agree(self, claim, dispute):
        known = self.market.dispute(claim)
        assert known.clocks == dispute.clocks.plain()
        assert (known.index, known.last) == (dispute.state.index, dispute.state.previous)
        assert (known.asserter, known.challenger) == (dispute.key("asserter"), dispute.key("challenger"))

    def replace(self, claim, lease, deputies):
        market = self.market
        result, played = market.draft.fact("result", lease), market.dispute(claim).played
        left = [name for name in result["confirmed"] if name not in played]
        if not left and not deputies:
            self.proceedings.forfeit(market.tick)
        elif not left:
            self.deputy(lease, deputies.pop(0))
        else:
            self.proceedings.replace_asserter(market.lease(left[0]).device, market.tick)
            market.take_up(claim, left[0])


def wrong(trace, node=3):
    """Another trace, with a bit flipped in one node."""
    other = trace.copy()
    words = other.leaf(node, 0).copy()
    words[0] ^= 1
    other.change(node, 0, words)
    return other


@pytest.fixture(scope="module")
def toy(make_toy):
    class Offered(make_toy):
        digests = make_toy.digests | {"model": "ab" * 32}  # which the market's devices offer

    return Offered(width=40, passes=2, rows=3)


@pytest.fixture(scope="module")
def right(toy):
    return record(toy)


@pytest.fixture
def court(market, toy):
    return Court(market, toy)


@pytest.mark.parametrize("cheats", [True, False])
def test_the_cheat_loses_whoever_claims(market, court, right, cheats):
    lease = court.lent(market.devices[0], wrong(right) if cheats else right)
    verdict = court.play(court.claim(lease, market.owners[1], right if cheats else wrong(right, 1)))
    assert verdict["winner"] == ("challenger" if cheats else "asserter")
    assert market.free(market.owners[1]) == (1_001_000 if cheats else 1_000_000 - 4_000)
    assert (lease in market.names("lease")) != cheats


def test_a_cheat_that_is_silent_loses_where_no_deputy_has_its_root(market, court, right):
    lease = court.lent(market.devices[0], wrong(right))
    del court.traces[market.devices[0]]
    assert court.play(court.claim(lease, market.owners[1], right), [right] * 3)["winner"] == "challenger"
    assert market.free(market.owners[1]) == 1_001_000


def test_an_honest_device_that_is_offline_keeps_all_by_its_deputy(market, court, right):
    lease = court.lent(market.devices[0], right)
    del court.traces[market.devices[0]]
    verdict = court.play(court.claim(lease, market.owners[1], wrong(right, 1)), [wrong(right, 4), right])
    assert verdict == {"winner": "asserter", "reason": "step-right"}
    (second,) = market.names("claim")  # the deputy that differed
    assert court.play(second)["winner"] == "asserter"
    market.end(lease)
    assert market.free(market.owners[0]) == 1_000_000 + 1_000 + 2_000 + 1_000
    assert not market.names("lease")


def test_a_deputys_wrong_steps_convict_nobody(market, court, right):
    """A deputy has the right root and derives the disputed leaf by steps of its own."""
    lease = court.lent(market.devices[0], right)
    del court.traces[market.devices[0]]
    verdict = court.play(court.claim(lease, market.owners[1], wrong(right, 1)), [misderived(right, 1), right])
    assert verdict["winner"] == "asserter"
    events = [entry.record.content["event"] for entry in court.proceedings.entries]
    assert events.count("deputy") == 2


def misderived(right, node):
    """The right trace, with wrong steps of a leaf."""
    false = right.copy()
    steps = [words.copy() for words in right.derivation(node, 0)]
    steps[0][0] ^= 1
    false.derived = {(node, 0): steps}
    return false


@pytest.mark.parametrize("verified", [True, False])
def test_wrong_steps_of_an_asserter_convict_it_where_nobody_confirmed_its_root(market, court, right, verified):
    """And nobody who did: who confirmed the right root plays with steps of its own, and the result stands."""
    device = market.devices[0]
    lease = court.lent(device, right)
    if verified:
        market.challenge(lease, market.owners[1])
        verifier = market.audit(lease)
        market.accept(verifier)
        court.result(verifier, right)
        market.reveal(lease)
    court.traces[device] = misderived(right, 1)
    other = next(owner for owner in market.owners[2:] if not verified or owner != market.lease(verifier).owner)
    verdict = court.play(court.claim(lease, other, wrong(right, 1)))
    assert verdict["reason"] == ("step-right" if verified else "step-wrong")
    assert (lease in market.names("lease")) == verified
    assert market.free(other) == (1_000_000 - 4_000 if verified else 1_001_000)
