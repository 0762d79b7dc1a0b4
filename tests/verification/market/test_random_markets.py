"""Whatever all parties ask in whatever order: money is conserved, none stays locked with nothing open, and a device
that is right and in time is paid in the end.

Devices 0 and 1 are honest: they find 1, which is right, and hand nothing back late. The others find what they like.
"""

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from verification.errors import Refusal

HONEST = 2
RIGHT = 1


@pytest.fixture(scope="module")
def machine(make_market, records):
    """The machine, over markets of this directory's ``conftest``."""
    Audit, Claim, Device, Lease, Order, Result = (
        records[kind] for kind in ("audit", "claim", "device", "lease", "order", "result")
    )

    class Parties(RuleBasedStateMachine):
        @initialize(owners=st.sampled_from([3, 6]), slots=st.integers(1, 3))
        def begin(self, owners, slots):
            self.market = make_market(owners=owners, deposit=60_000, window=60, delta=30)
            for device in self.market.devices:
                self.market.offer(device, slots=slots, cost=900 + 50 * self.market.devices.index(device))

        def honest(self, key):
            return key in self.market.devices[:HONEST] or key not in self.market.devices

        def pick(self, kind, which, *states):
            names = self.market.names(kind)
            if states:
                names = [name for name in names if self.market.lease(name).state in states]
            return names[which % len(names)] if names else None

        @rule(requests=st.integers(1, 2), bid=st.integers(1_000, 5_000), patience=st.integers(1, 300))
        def order(self, requests, bid, patience):
            self.attempt(self.market.order, requests=requests, bid=bid, patience=patience)

        @rule(which=st.integers(0, 9), device=st.integers(0, 5), price=st.integers(800, 1_300), both=st.booleans())
        def assign(self, which, device, price, both):
            order = self.pick("order", which)
            if order and (waiting := self.market.find(Order, order).waiting):
                device = self.market.devices[device % len(self.market.devices)]
                part = waiting if both else waiting[:1]
                self.attempt(self.market.assign, order, device, price=price, part=part)

        @rule(which=st.integers(0, 9), how=st.sampled_from(["accept"] * 5 + ["decline"]))
        def answer(self, which, how):
            if lease := self.pick("lease", which, "offered"):
                self.attempt(self.market.ask, self.market.lease(lease).device, how, {"lease": lease})

        @rule(which=st.integers(0, 9), value=st.sampled_from([RIGHT, RIGHT, 2]))
        def result(self, which, value):
            if lease := self.pick("lease", which, "held"):
                device = self.market.lease(lease).device
                self.attempt(self.market.result, lease, RIGHT if self.honest(device) else value)

        @rule(which=st.integers(0, 9), party=st.integers(0, 3))
        def hand_back(self, which, party):
            lease = self.pick("lease", which, "held")
            if lease and not self.honest(self.market.lease(lease).device):
                self.attempt(self.market.ask, self.market.lease(lease).device, "return", {"lease": lease})

        @rule(which=st.integers(0, 9), step=st.sampled_from(["show", "lot", "verifier", "reveal", "final", "miss"]))
        def coordinate(self, which, step):
            """The coordinator is honest, and in no hurry."""
            if lease := self.pick("lease", which):
                if step == "miss":
                    kind = "decline" if self.market.lease(lease).state == "offered" else "miss"
                    why = {"why": "late"} if kind == "miss" else {}
                    self.attempt(self.market.order_of, kind, {"lease": lease} | why)
                else:
                    steps = {"show": "publish", "lot": "draw_lot"}
                    if step in ("lot", "verifier", "reveal") and not self.market.find(Lease, lease).audits:
                        if step != "lot" and lease not in self.market.names("audit"):
                            return
                        if step == "lot" and not self.to_draw(lease):
                            return
                    elif step in ("lot", "verifier", "reveal"):
                        return
                    self.attempt(getattr(self.market, steps.get(step, step)), lease)

        def to_draw(self, lease):
            market = self.market
            state = market.lease(lease).state
            if state == "received":
                return market.drawn(lease) or market.tick > market.lease(lease).due
            if lease not in market.names("audit"):
                return False
            audit = market.find(Audit, lease)
            return audit.seal and not audit.verifier and not audit.outcome

        @rule(which=st.integers(0, 9), owner=st.integers(0, 5), value=st.sampled_from([RIGHT, 2]))
        def claim(self, which, owner, value):
            lease = self.pick("lease", which, "published", "audited", "disputed")
            if lease and self.market.find(Result, lease).window:
                owner = self.market.owners[owner % len(self.market.owners)]
                self.attempt(self.market.claim, lease, owner, value)

        @rule(which=st.integers(0, 9), owner=st.integers(0, 6))
        def challenge(self, which, owner):
            if lease := self.pick("lease", which, "published", "disputed"):
                owners = [*self.market.owners, self.market.user]
                self.attempt(self.market.challenge, lease, owners[owner % len(owners)])

        @rule(which=st.integers(0, 9))
        def judge(self, which):
            """The dispute finds the truth."""
            if claim := self.pick("claim", which):
                found = self.market.find(Result, self.market.find(Claim, claim).lease)
                self.market.judge(claim, found.root != self.market.answer(RIGHT)[0])

        @rule(which=st.integers(0, 9), how=st.sampled_from(["cancel", "expire"]))
        def end_order(self, which, how):
            if order := self.pick("order", which):
                party = self.market.user if how == "cancel" else None
                ask = self.market.order_of if party is None else lambda *content: self.market.ask(party, *content)
                self.attempt(ask, how, {"order": order})

        @rule(device=st.integers(0, 5), what=st.sampled_from(["offer", "none", "remove", "withdraw"]))
        def change(self, device, what):
            market = self.market
            number = device % len(market.devices)
            key, owner = market.devices[number], market.owners[number]
            if what == "withdraw":
                self.attempt(market.ask, owner, "withdraw", {"amount": "1000", "nonce": market.nonce()})
            elif what == "remove":
                self.attempt(market.ask, owner, "remove", {"device": key})
            else:
                self.attempt(market.offer, key, **({"models": []} if what == "none" else {}))

        @rule(ticks=st.sampled_from([1, 3, 30, 61, 101]))
        def advance(self, ticks):
            """Honest devices with something held give their result before it is late."""
            for lease in self.market.names("lease"):
                found = self.market.lease(lease)
                if self.honest(found.device) and found.state == "held":
                    self.market.result(lease, RIGHT)
            self.market.advance(ticks)

        def attempt(self, call, *arguments, **keywords):
            head = self.market.ledger.head
            try:
                call(*arguments, **keywords)
            except Refusal:
                if call not in (self.market.challenge, self.market.draw_lot):
                    assert self.market.ledger.head == head

        @invariant()
        def money_has_its_reasons(self):
            market, draft = self.market, self.market.draft
            market.ledger.state.check()
            leases = {name: market.lease(name) for name in market.names("lease")}
            orders = {name: market.find(Order, name) for name in market.names("order")}
            claims = {name: market.find(Claim, name) for name in market.names("claim")}
            audits = {name: market.find(Audit, name) for name in market.names("audit")}
            want = Counter()
            for name, lease in leases.items():
                if lease.state != "offered" and lease.stake:
                    want[f"stake:{lease.owner}:{name}"] = lease.stake
                if not lease.audits:
                    user = orders[lease.order].user
                    want[f"escrow:{user}:{name}"] = lease.price
                    want[f"fee:{user}:{name}"] = -(-lease.price * 11 // 50)
                elif lease.payer != "fund" and lease.state in ("confirmed", "due"):
                    want[f"pay:{lease.owner}:{name}"] = lease.price
            for name, order in orders.items():
                held = sum(
                    want[f"escrow:{order.user}:{lease}"] + want[f"fee:{order.user}:{lease}"]
                    for lease, found in leases.items()
                    if found.order == name and not found.audits
                )
                paid = draft.balance(f"escrow:{order.user}:{name}")
                assert paid + held <= order.bid
                want[f"escrow:{order.user}:{name}"] = paid
                own = [found for found in leases.values() if found.order == name and not found.audits]
                assert order.leases == len(own) and (order.leases or order.waiting)
                parts = sorted([*order.waiting, *(index for found in own for index in found.part)])
                assert len(parts) == len(set(parts)) <= len(order.models)
            for name, claim in claims.items():
                want[f"bond:{claim.owner}:{name}"] = claim.bond
                assert name in market.find(Result, claim.lease).claims
                assert leases[claim.lease].state == "disputed"
            for name, audit in audits.items():
                if audit.bond and audit.outcome != "stands":
                    want[f"bond:{audit.buyer}:{audit.bond}"] = 2 * leases[name].price
                assert leases[name].state in ("audited", "disputed")
                assert not audit.verifier or audit.outcome == "stands" or leases[audit.verifier].audits == name
            balances = market.ledger.state.balances
            locked = {account: held for account, held in balances.items() if account.count(":") == 2}
            assert locked == {account: held for account, held in want.items() if held}
            owed = sum(lease.price for lease in leases.values() if lease.payer == "fund")
            assert owed == (draft.fact("fund", "owed") or 0)
            for key in market.names("device"):
                device, own = market.find(Device, key), [name for name in leases if leases[name].device == key]
                assert list(draft.subjects(f"open:{key}")) == own or set(draft.subjects(f"open:{key}")) == set(own)
                assert device.busy == sum(leases[name].state in ("offered", "held") for name in own)
                assert device.disputed == sum(leases[name].state == "disputed" for name in own)
                assert not (device.removed and own)
            assert set(market.names("result")) == {
                name for name, lease in leases.items() if lease.state not in ("offered", "held")
            }
            for lease in leases.values():
                if lease.audits and lease.state != "due":
                    assert lease.audits in leases

        @invariant()
        def an_honest_device_loses_nothing(self):
            market = self.market
            for owner in market.owners[:HONEST]:
                assert not [
                    source
                    for source, _, _ in self.moves()
                    if source.startswith(f"stake:{owner}") and not self.goes_back(owner, source)
                ]

        def moves(self):
            """Of the last event."""
            number, _ = self.market.ledger.head
            (event,) = self.market.ledger.events(number)
            return event.moves

        def goes_back(self, owner, source):
            return all(target == f"free:{owner}" for other, target, _ in self.moves() if other == source)

        def teardown(self):
            if not hasattr(self, "market"):
                return
            market = self.market
            rest = {
                name: market.lease(name)
                for name in market.names("lease")
                if market.lease(name).device in market.devices[:HONEST] and not market.lease(name).audits
            }
            before = {name: market.lease(name).state for name in rest}
            paid = Counter()
            market.drain(RIGHT, lambda event: paid.update({source: amount for source, _, amount in event.moves}))
            assert not market.names("lease") + market.names("claim") + market.names("audit") + market.names("result")
            for name, lease in rest.items():
                if before[name] not in ("offered", "held"):
                    assert paid[f"escrow:{market.user}:{name}"] == lease.price
            assert not [account for account in market.ledger.state.balances if account.count(":") == 2]
            self.money_has_its_reasons()

    return Parties


def run(machine, examples, steps):
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],
        ),
    )


def test_random_requests_of_all_parties(machine):
    run(machine, 12, 40)


@pytest.mark.slow
def test_many_random_requests_of_all_parties(machine):
    run(machine, 250, 80)
