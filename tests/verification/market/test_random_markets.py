"""Whatever all parties ask in whatever order: money is conserved, each locked amount has its reason, and a device that
is right and in time is paid in the end.

Devices 0 and 1 are honest: they find what is right, and hold nothing for too long. The others find and do what they
like. The coordinator is honest, in no order, and knows the truth where a dispute would find it.
"""

from collections import Counter
from contextlib import suppress
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from verification.errors import Refusal

HONEST = 2
RIGHT = 1
KINDS = Counter()
"""Requests that were made, by kind: that the test has tested something."""


class Parties:
    """A market and everything that can be asked in it."""

    def __init__(self, make_market, records, random):
        self.random, self.record = random, records
        owners = random.choice([2, 4, 7])
        self.market = make_market(owners=owners, deposit=60_000, window=60, delta=30, audit=random.random() < 0.8)
        for number, device in enumerate(self.market.devices):
            self.market.offer(device, slots=random.randint(1, 4), cost=900 + 50 * number)
        self.paid, self.annulled = Counter(), set()

    # what is asked

    def step(self):
        """One of them, which may be refused."""
        market, random = self.market, self.random
        acts = [self.order, self.order, self.advance, self.change]
        acts += [lambda name=name: self.with_order(name) for name in market.names("order")]
        acts += [lambda name=name: self.with_lease(name) for name in market.names("lease")] * 3
        act = random.choice(acts)
        number, _ = market.ledger.head
        with suppress(Refusal):
            act()
        for event in market.ledger.events(number + 1):
            self.see(event)

    def see(self, event):
        KINDS[event.request.kind] += 1
        if event.request.kind == "annul":
            self.annulled.add(event.request.content["lease"])
        for source, target, amount in event.moves:
            kind, _, rest = source.partition(":")
            owner, _, name = rest.partition(":")
            if kind == "escrow" and not target.startswith("escrow"):
                self.paid[name] += amount
            if kind == "stake" and owner in self.market.owners[:HONEST]:
                assert target == f"free:{owner}", "an honest device loses none of its stake"

    def honest(self, device):
        return device in self.market.devices[:HONEST] or device not in self.market.devices

    def order(self):
        random = self.random
        requests = random.randint(1, 2)
        bid, patience = random.randint(1_000, 4_000) * requests, random.randint(1, 300)
        self.market.order(requests=requests, bid=bid, patience=patience, unaudited=random.random() < 0.5)

    def with_order(self, name):
        market, random = self.market, self.random
        found = market.find(self.record["order"], name)
        if random.random() < 0.1:
            market.ask(found.user, "cancel", {"order": name})
        elif market.tick > found.until and random.random() < 0.3:
            market.order_of("expire", {"order": name})
        elif found.waiting:
            part = random.sample(found.waiting, random.randint(1, len(found.waiting)))
            auditors = random.sample(market.devices, min(3, len(market.devices)))
            price = random.randint(800, 1_500)
            market.assign(name, random.choice(market.devices), price=price, part=sorted(part), auditors=auditors)

    def with_lease(self, name):
        lease = self.market.lease(name)
        getattr(self, lease.state)(name, lease)

    def offered(self, name, lease):
        late = self.market.tick > lease.due
        if late and self.random.random() < 0.5:
            self.market.order_of("decline", {"lease": name})
        else:
            how = "accept" if self.random.random() < 0.8 else "decline"
            self.market.ask(lease.device, how, {"lease": name})

    def held(self, name, lease):
        value = RIGHT if self.honest(lease.device) or self.random.random() < 0.6 else self.random.choice([2, 3])
        chance = self.random.random()
        if not self.honest(lease.device) and chance < 0.1:
            self.market.ask(lease.device, "return", {"lease": name})
        elif not self.honest(lease.device) and chance < 0.2:
            self.market.order_of("miss", {"lease": name, "why": self.random.choice(["late", "vanished"])})
        else:
            self.market.result(name, value)

    def received(self, name, lease):
        market = self.market
        if self.random.random() < 0.1:
            self.annul(name)
        elif market.nobody(name) or not (market.drawn(name) or market.tick > lease.due):
            market.publish(name)
        elif self.random.random() < 0.1 and len(market.could(name)) > 1:
            market.misname(name)
        else:
            market.draw_lot(name)

    def annul(self, name):
        """Whoever asks, it is done only where the coordinator is late."""
        self.market.annul(name, self.random.choice(self.market.owners))

    def audited(self, name, lease):
        market = self.market
        audit = market.find(self.record["audit"], name)
        if not audit.seal:
            market.seal_lots(name)
        elif audit.outcome:
            market.reveal(name)
        else:
            steps = [market.verifier, market.verifier, market.draw_lot, market.reveal, self.annul]
            self.random.choice(steps)(name)

    def published(self, name, lease):
        market, random = self.market, self.random
        party, chance = random.choice([*market.owners, market.user]), random.random()
        if chance < 0.15:
            market.ask(party, "challenge", {"lease": name})
        elif chance < 0.4:
            market.claim(name, party, random.choice([RIGHT, 2, 3]), bond=random.choice([6_000, 7_001]))
        else:
            market.final(name)

    def disputed(self, name, lease):
        result, random = self.market.find(self.record["result"], name), self.random
        if random.random() < 0.3:
            self.published(name, lease)
        elif random.random() < 0.3:
            self.audited(name, lease)
        else:
            right = result.root != self.market.answer(RIGHT)[0]
            self.market.judge(random.choice(result.claims), right)

    def confirmed(self, name, lease):
        self.market.final(name)

    differs = due = confirmed

    def change(self):
        market, random = self.market, self.random
        number = random.randrange(len(market.devices))
        key, owner = market.devices[number], market.owners[number]
        what = random.choice(["offer", "offer", "offer", "none", "remove", "withdraw", "fund"])
        if what == "withdraw":
            market.ask(owner, "withdraw", {"amount": "1000", "nonce": market.nonce()})
        elif what == "remove" and random.random() < 0.3:
            market.ask(owner, "remove", {"device": key})
        elif what == "offer":
            market.offer(key, slots=random.randint(1, 4), cost=random.randint(800, 1_300))
        elif what == "none":
            market.offer(key, models=[])

    def advance(self):
        """Honest devices give what they hold before it is late."""
        for name in self.market.names("lease"):
            lease = self.market.lease(name)
            if self.honest(lease.device) and lease.state == "held":
                self.market.result(name, RIGHT)
        self.market.advance(self.random.choice([1, 3, 15, 31, 61]))

    # what always holds

    def check(self):
        self.check_money()
        self.check_states()

    def check_money(self):
        """Every locked amount is that of an open lease, order, claim or audit."""
        market, record = self.market, self.record
        market.ledger.state.check()
        leases = {name: market.lease(name) for name in market.names("lease")}
        want = Counter()
        for name in market.names("order"):
            order, own = market.find(record["order"], name), Counter()
            for lease, found in leases.items():
                if found.order == name and not found.audits:
                    own[f"escrow:{order.user}:{lease}"] = found.price
                    own[f"fee:{order.user}:{lease}"] = -(-found.audit_price * 11 // 50)
            want += own
            rest = market.balance(f"escrow:{order.user}:{name}")
            assert rest + own.total() == order.bid or self.served(name)
            want[f"escrow:{order.user}:{name}"] = rest
        for name, lease in leases.items():
            if lease.state != "offered":
                want[f"stake:{lease.owner}:{name}"] = lease.stake
            if lease.audits and lease.payer != "fund" and lease.state in ("confirmed", "due"):
                want[f"pay:{lease.owner}:{name}"] = lease.price
        for name in market.names("claim"):
            claim = market.find(record["claim"], name)
            want[f"bond:{claim.owner}:{name}"] = claim.bond
        for name in market.names("audit"):
            audit = market.find(record["audit"], name)
            if audit.bond and audit.outcome != "stands":
                want[f"bond:{audit.buyer}:{audit.bond}"] = 2 * leases[name].audit_price
        locked = {name: held for name, held in market.ledger.state.balances.items() if name.count(":") == 2}
        assert locked == +want
        owed = sum(lease.price for lease in leases.values() if lease.payer == "fund")
        shown = [name for name in market.names("result") if not leases[name].audits]
        fees = sum(market.balance(f"fee:{market.user}:{name}") for name in shown)
        assert owed - fees == (market.draft.fact("fund", "owed") or 0)

    def served(self, order):
        """Whether a part of it is final."""
        found = self.market.find(self.record["order"], order)
        leases = map(self.market.lease, self.market.names("lease"))
        open_ = sum(len(lease.part) for lease in leases if lease.order == order and not lease.audits)
        return found.ended or open_ + len(found.waiting) < len(found.requests)

    def check_states(self):
        """What is counted is what there is, and each record has those that it hangs on."""
        market, record = self.market, self.record
        leases = {name: market.lease(name) for name in market.names("lease")}
        for key in market.names("device"):
            device, own = market.find(record["device"], key), {n for n in leases if leases[n].device == key}
            assert set(market.draft.subjects(f"open:{key}")) == own
            assert device.busy == sum(leases[name].state in ("offered", "held") for name in own)
            assert device.disputed == sum(leases[name].state == "disputed" for name in own)
            assert not device.removed or (device.busy == 0 and key not in market.names("offer"))
        for name in market.names("order"):
            order = market.find(record["order"], name)
            own = [lease for lease in leases.values() if lease.order == name and not lease.audits]
            parts = order.waiting + [index for lease in own for index in lease.part]
            assert order.leases == len(own) and parts and len(set(parts)) == len(parts)
        shown = {name for name, lease in leases.items() if lease.state not in ("offered", "held")}
        assert set(market.names("result")) == shown
        claims = [claim for name in shown for claim in market.find(record["result"], name).claims]
        assert sorted(claims) == sorted(market.names("claim"))
        for name, lease in leases.items():
            if not lease.audits and name in shown:
                result = market.find(record["result"], name)
                assert bool(result.claims) == (lease.state == "disputed")
                assert all(leases[other].state == "confirmed" for other in result.confirmed)
            assert not lease.audits or lease.state == "due" or leases[lease.audits].order == lease.order
        for name in market.names("audit"):
            assert leases[name].state in ("audited", "disputed")

    def end(self):
        """All are honest from here on: everything ends, and honest devices are paid for what had counted."""
        market = self.market
        leases = {name: market.lease(name) for name in market.names("lease")}
        market.drain(RIGHT, self.see)
        for name, lease in leases.items():
            if lease.device in market.devices[:HONEST] and not lease.audits and lease.state not in ("offered", "held"):
                assert self.paid[name] == (0 if name in self.annulled else lease.price)
        assert not [name for name in market.ledger.state.balances if name.count(":") == 2]
        for kind in ("order", "lease", "result", "audit", "claim"):
            assert not market.names(kind)
        self.check()


def live(make_market, records, seed, steps):
    """One market's life."""
    parties = Parties(make_market, records, Random(seed))
    for _ in range(steps):
        parties.step()
        parties.check()
    parties.end()


FAST = {"deadline": None, "suppress_health_check": list(HealthCheck), "phases": [Phase.explicit, Phase.generate]}


@settings(max_examples=15, **FAST)
@given(seed=st.integers(0, 2**32))
def test_random_requests_of_all_parties(make_market, records, seed):
    live(make_market, records, seed, 80)


@pytest.mark.slow
@settings(max_examples=400, **FAST)
@given(seed=st.integers(0, 2**32))
def test_many_random_requests_of_all_parties(make_market, records, seed):
    live(make_market, records, seed, 150)


def test_they_have_asked_for_everything(make_market, records):
    KINDS.clear()
    for seed in range(12):
        live(make_market, records, seed, 100)
    asked = [
        "order",
        "cancel",
        "assign",
        "accept",
        "decline",
        "return",
        "result",
        "publish",
        "lot",
        "audit",
        "reveal",
        "annul",
        "challenge",
        "seal",
        "final",
        "claim",
        "offer",
        "remove",
        "withdraw",
        "advance",
    ]
    assert not set(asked) - KINDS.keys()
