"""Whatever parties do in disputes, in whatever order: who is right and answers in time loses nothing, nor does who is
right and silent while the coordinator can compute; in the end nothing is locked and nothing is stuck.

Devices 0 and 1 are honest: they find 1, which is right, and answer. Device 2 finds 1 and answers in no dispute. The
others find what they like, play as they like, and are silent as they like; so do their owners, who claim.
"""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from verification.errors import Refusal

HONEST, SILENT, RIGHT, DEPOSIT = 2, 2, 1, 60_000
WHICH = st.integers(0, 11)
VALUE = st.integers(1, 3)
SERVED = st.lists(st.tuples(st.integers(0, 5), VALUE, st.booleans()), min_size=2, max_size=5)
CLAIMED = st.lists(st.tuples(WHICH, st.integers(0, 5), VALUE), min_size=2, max_size=5)


@pytest.fixture(scope="module")
def machine(make_market, records):
    """The machine, over markets of this directory's ``conftest``."""
    Audit, Claim, Deputies, Device, Result = (
        records[kind] for kind in ("audit", "claim", "deputies", "device", "result")
    )

    class Parties(RuleBasedStateMachine):
        @initialize(owners=st.sampled_from([4, 6]), served=SERVED, claimed=CLAIMED)
        def begin(self, owners, served, claimed):
            self.market = market = make_market(owners=owners, deposit=DEPOSIT, window=60, delta=30)
            market.deposit(market.user, 10**9)
            for device in market.devices:
                market.offer(device, slots=6)
            self.right = market.answer(RIGHT)[0]
            for device, value, drawn in served:
                self.serve(device, value, drawn)
            for which, owner, value in claimed:
                self.claim(which, owner, value, 4_000)

        # who is who

        def number(self, key):
            """Of a device or its owner; the coordinator is honest."""
            market = self.market
            keys = market.devices if key in market.devices else market.owners
            return keys.index(key) if key in keys else 0

        def honest(self, key):
            return self.number(key) < HONEST

        def value(self, key, value):
            return RIGHT if self.number(key) <= SILENT else value

        def pick(self, kind, which):
            if kind == "dispute":
                for claim in self.market.names("claim"):
                    self.attempt(self.market.begin, claim)
            names = self.market.names(kind)
            return names[which % len(names)] if names else None

        def attempt(self, call, *arguments, **keywords):
            head = self.market.ledger.head
            try:
                call(*arguments, **keywords)
            except Refusal:
                assert call == self.market.shown or self.market.ledger.head == head

        def turn(self, claim):
            clocks = self.market.clocks(claim)
            return clocks["turn"] and getattr(self.market.dispute(claim), clocks["turn"])

        def spent(self, claim):
            clocks = self.market.clocks(claim)
            return clocks["turn"] and self.market.tick > clocks["since"] + clocks[clocks["turn"]]

        # parties

        @rule(device=st.integers(0, 5), value=VALUE, drawn=st.booleans())
        def serve(self, device, value, drawn):
            market = self.market
            device = market.devices[device % len(market.devices)]
            found = market.find(Device, device)
            if not (found.removed or found.disputed) and found.busy < 6 and market.free(found.owner) >= 8_000:
                lease = market.served(device, self.value(device, value), drawn=drawn)
                if not drawn:
                    market.publish(lease)

        @rule(which=WHICH, owner=st.integers(0, 5), value=VALUE, bond=st.integers(4_000, 6_000))
        def claim(self, which, owner, value, bond):
            market = self.market
            owner = market.owners[owner % len(market.owners)]
            shown = [name for name in market.names("result") if market.tick <= self.window(name)]
            if self.number(owner) == SILENT or not shown:
                return
            lease = shown[which % len(shown)]
            if not (self.honest(owner) and market.find(Result, lease).root == self.right):
                self.attempt(market.claim, lease, owner, self.value(owner, value), bond)

        @rule(which=WHICH)
        def challenge(self, which):
            if lease := self.pick("lease", which):
                found = self.market.lease(lease)
                if found.state in ("published", "disputed") and lease not in self.market.names("audit"):
                    self.attempt(self.market.challenge, lease, self.market.user)

        @rule(which=WHICH, value=VALUE, how=st.sampled_from(["accept", "result", "result", "return", "decline"]))
        def work(self, which, value, how):
            if not (lease := self.pick("lease", which)):
                return
            device = self.market.lease(lease).device
            if how == "result" and self.market.lease(lease).state == "held":
                self.attempt(self.market.result, lease, self.value(device, value))
            elif how in ("accept", "decline") or (how == "return" and self.number(device) > SILENT):
                self.attempt(self.market.ask, device, how, {"lease": lease})

        @rule(which=WHICH)
        def play(self, which):
            if (claim := self.pick("dispute", which)) and not self.spent(claim):
                key = self.turn(claim)
                if key and self.number(key) != SILENT:
                    self.market.play(claim)

        @rule(which=WHICH, steps=st.booleans())
        def decide(self, which, steps):
            """Who asserts opens a step; ``steps``: whoever may be wrong on purpose gives right ones."""
            claim = self.pick("dispute", which)
            if not claim or self.market.clocks(claim)["turn"] != "asserter" or self.spent(claim):
                return
            if self.number(self.turn(claim)) != SILENT:
                self.open(claim, steps)

        def open(self, claim, steps):
            market, found = self.market, self.market.find(Claim, claim)
            dispute = market.dispute(claim)
            asserted, claimed = (market.find(Result, found.lease).root == self.right, found.root == self.right)
            thrown = claimed and not (steps or self.honest(dispute.challenger))
            if self.number(dispute.challenger) == SILENT:
                market.play(claim)  # no step is opened where only one party plays
            elif steps or self.honest(dispute.asserter) if asserted else thrown:
                market.decide(claim, "asserter")
            elif asserted or steps:
                market.play(claim, "open", turn=None, asserter=0)
            else:
                market.decide(claim, "challenger")  # over a leaf of one step

        # the coordinator, that is honest and in no hurry

        @rule(which=WHICH)
        def spend(self, which):
            """The party whose turn it is lets its budget pass, unless it answers in time."""
            if claim := self.pick("dispute", which):
                key = self.turn(claim)
                if key and not self.honest(key):
                    self.advance(400)
            for claim in self.market.names("dispute"):
                if claim in self.market.names("dispute") and self.spent(claim):
                    self.expired(claim)

        def expired(self, claim):
            if self.market.clocks(claim)["turn"] == "asserter":
                self.market.timeout(claim)
            else:
                self.market.verdict(claim, "asserter")

        @rule(which=WHICH)
        def stand_in(self, which):
            if lease := self.pick("result", which):
                self.stood_in(lease)

        def stood_in(self, lease):
            """Whatever moves on who is absent in disputes over a result; whether anything did."""
            market = self.market
            if market.lease(lease).audits:
                return False
            claims = [claim for claim in market.find(Result, lease).claims if claim in market.names("dispute")]
            deputies = market.find(Deputies, lease) if lease in market.names("deputies") else Deputies()
            steps = [(market.take_up, claim, verifier) for claim in claims for verifier in self.confirmed(lease)]
            steps += [(market.deputize, lease)] if deputies.lots else []
            steps += [(market.summon, lease)]
            steps += [(market.verdict, claim, "challenger") for claim in claims]
            steps += [(market.order_of, "dismiss", {"lease": verifier}) for verifier in deputies.absent]
            for call, *arguments in steps:
                head = market.ledger.head
                self.attempt(call, *arguments)
                if market.ledger.head != head:
                    return True
            return False

        def confirmed(self, lease):
            return self.market.find(Result, lease).confirmed

        @rule(which=WHICH)
        def conclude(self, which):
            if lease := self.pick("lease", which):
                self.concluded(lease)

        def concluded(self, lease):
            """Whatever moves on a lease that is not disputed."""
            market, found = self.market, self.market.lease(lease)
            if found.state == "offered" and market.tick > found.due:
                market.order_of("decline", {"lease": lease})
            elif found.state == "held" and market.tick > found.due:
                market.order_of("miss", {"lease": lease, "why": "late"})
            elif found.state == "received":
                market.audit_if_free(lease)
            elif found.state in ("audited", "disputed") and lease in market.names("audit"):
                audit = market.find(Audit, lease)
                if audit.outcome == "stands" and found.state == "audited":
                    market.reveal(lease)
                elif not audit.lots and not market.nobody(lease):
                    market.draw_lot(lease)
                elif not audit.verifier and not audit.outcome:
                    market.audit_if_free(lease) if audit.lots else market.reveal(lease)
            elif found.state == "due" or (found.state == "published" and market.tick > self.window(lease)):
                market.final(lease)

        def window(self, lease):
            return self.market.find(Result, lease).window

        @rule(which=WHICH)
        def void(self, which):
            if claim := self.pick("dispute", which):
                self.market.order_of("void", {"claim": claim, "record": f"{self.market.tick:064x}"})

        @rule(which=WHICH)
        def annul(self, which):
            if lease := self.pick("lease", which):
                self.attempt(self.market.annul, lease)

        @rule(ticks=st.sampled_from([1, 10, 30, 101]))
        def advance(self, ticks):
            """Who answers in time has answered before."""
            market = self.market
            for lease in market.names("lease"):
                found = market.lease(lease)
                if self.number(found.device) <= SILENT and found.state == "offered" and found.audits:
                    self.attempt(market.accept, lease)
                if self.number(found.device) <= SILENT and market.lease(lease).state == "held":
                    self.attempt(market.result, lease, RIGHT)
            for claim in market.names("dispute"):
                if (key := self.turn(claim)) and self.honest(key) and not self.spent(claim):
                    market.play(claim)
            market.advance(ticks)

        # what holds

        @invariant()
        def who_is_right_loses_nothing(self):
            for owner in self.market.owners[: SILENT + 1]:
                assert self.market.draft.total(owner) >= DEPOSIT

        @invariant()
        def money_has_its_reasons(self):
            market = self.market
            market.ledger.state.check()
            bonds = {market.find(Audit, name).bond for name in market.names("audit")}
            reasons = {
                "stake": set(market.names("lease")),
                "pay": set(market.names("lease")),
                "fee": set(market.names("lease")),
                "escrow": set(market.names("lease") + market.names("order")),
                "bond": set(market.names("claim")) | bonds,
            }
            for account in market.ledger.state.balances:
                if account.count(":") == 2:
                    kind, _, subject = account.split(":")
                    assert subject in reasons[kind]
            leases = {name: market.lease(name) for name in market.names("lease")}
            owed = sum(lease.price for lease in leases.values() if lease.payer == "fund")
            shown = [name for name in market.names("result") if not leases[name].audits]
            fees = sum(market.balance(f"fee:{market.user}:{name}") for name in shown)
            assert owed - fees == (market.draft.fact("fund", "owed") or 0)

        @invariant()
        def one_dispute_at_a_time_plays_against_an_asserter(self):
            market = self.market
            asserters = [market.lease(market.find(Claim, claim).lease).device for claim in market.names("dispute")]
            assert len(asserters) == len(set(asserters))
            for claim in market.names("dispute"):
                clocks = market.clocks(claim)
                assert min(clocks["asserter"], clocks["challenger"]) >= 0

        def teardown(self):
            """Nothing new begins, and the coordinator moves on all that there is."""
            if not hasattr(self, "market"):
                return
            market = self.market
            for _ in range(60):
                for order in market.names("order"):
                    self.attempt(market.ask, market.user, "cancel", {"order": order})
                for claim in market.names("claim"):
                    self.attempt(market.begin, claim)
                for claim in market.names("dispute"):
                    if self.spent(claim):
                        self.expired(claim)
                    elif (key := self.turn(claim)) and self.honest(key):
                        market.play(claim)
                for lease in market.names("result"):
                    while lease in market.names("result") and self.stood_in(lease):
                        for deputy in market.names("lease"):
                            if market.lease(deputy).audits and market.lease(deputy).state in ("offered", "held"):
                                self.attempt(market.verify, deputy, RIGHT)
                for lease in market.names("lease"):
                    if lease in market.names("lease"):
                        self.concluded(lease)
                self.who_is_right_loses_nothing()
                if not market.names("lease") + market.names("order"):
                    break
                self.advance(321)
            for kind in ("lease", "order", "result", "audit", "claim", "dispute", "deputies"):
                assert not market.names(kind), kind
            assert not [account for account in market.ledger.state.balances if account.count(":") == 2]
            for device in market.devices:
                assert not market.names(f"claims:{device}") + market.names(f"open:{device}")
                assert (market.find(Device, device).busy, market.find(Device, device).disputed) == (0, 0)
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


def test_random_disputes_of_all_parties(machine):
    run(machine, 12, 40)


@pytest.mark.slow
def test_many_random_disputes_of_all_parties(machine):
    run(machine, 300, 80)
