"""A whole market under a clock: the coordinator, its devices and users, until no order is open."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import simpy

from auction.market import MICRO, Market
from auction.welfare import welfare
from experiments.marketplace.auctioneer import Answer
from experiments.marketplace.coordinator import Coordinator
from experiments.marketplace.effects import Compute, Solve
from experiments.marketplace.settings import Settings
from experiments.marketplace.simulation.actors import Provider, User, key_of
from experiments.marketplace.simulation.churn import Churn
from experiments.marketplace.simulation.fleet import LARGEST, ROUND, Asked, drawn_fleet, drawn_orders
from experiments.marketplace.simulation.measures import Measures
from experiments.marketplace.simulation.network import Network, later
from experiments.marketplace.simulation.recorded import Recorded
from verification.encoding.canonical import digest
from verification.encoding.request import request
from verification.encoding.signature import public
from verification.ledger.state import BURNT, FUND, State
from verification.ledger.store import Ledger
from verification.market.auditors import listing
from verification.market.operations import OPERATIONS
from verification.market.rules import Rules
from verification.protocol import protocol
from verification.trace import Trace

RULES = Rules(window=120, heart=20, largest_price=2 * LARGEST)
"""The defaults, but for a shorter window, fewer signs of life, and tokens of a second of the reference card."""
USERS = 200
PURSE = 10**6 * MICRO
"""What each owner deposits."""
LONGEST = 6 * 3600
"""Seconds after the last order by which all is over, or the simulation is stuck."""
COMING_AND_GOING = Churn()
AUDITING = 5.0
"""Seconds that the coordinator takes for an audit of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """A round as it was solved."""

    number: int
    tick: int
    market: Market
    matched: int
    """Orders."""
    welfare: int
    """Micro-tokens."""
    paid: int
    """By those matched, fees apart."""


@dataclass(frozen=True, slots=True)
class Money:
    """Micro-tokens, from deposits to the end: what some owners have lost is what others have gained, the fund, or
    nobody."""

    paid: int
    received: int
    burnt: int
    fund: int
    by: dict[str, int]
    """Gains by strategy."""


class World:
    """A market that runs.

    Args:
        path: of its ledger.
        observe: is told of the progress after every round.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        orders: int,
        devices: int,
        dishonest: float,
        seed: int,
        settings: Settings,
        churn: Churn = COMING_AND_GOING,
        observe: Callable[["World"], None] = lambda world: None,
    ) -> None:
        self.seed, self.observe, self.settings, self.churn = seed, observe, settings, churn
        streams = iter(np.random.default_rng(seed).spawn(devices + USERS + 4))
        self.recorded = Recorded(next(streams))
        plans = drawn_fleet(self.recorded, devices, dishonest, next(streams))
        self.asked = drawn_orders(self.recorded, plans, orders, USERS, float(RULES.fee), next(streams))
        self.shared: dict[tuple[int, str, str, str], tuple[str, Trace]] = {}
        self.rounds: list[Round] = []
        self.clock = simpy.Environment()
        self.over = self.clock.event()
        self.ending = False
        key = key_of(seed, "coordinator")
        genesis = {"coordinator": public(key), "rules": RULES.plain(), "protocol": protocol(128, 2, 96_000)}
        self.ledger = Ledger.create(path, key, genesis, OPERATIONS, durable=False)
        self.coordinator = Coordinator(self.ledger, key, f"simulated {seed}".encode(), self.recorded.models, settings)
        self.measures = Measures(self.recorded, lambda lease: listing(self.coordinator.desk.draft, lease))
        self.coordinator.desk.folds.append(self.measures.fold)
        self.network = Network(self.clock, self.coordinator, self._audits, self._solved)
        self.providers = [Provider(self, number, plan, next(streams)) for number, plan in enumerate(plans)]
        self.users = [User(self, key_of(seed, "user", number), next(streams)) for number in range(USERS)]
        self.liars = list[User]()
        self._begin(next(streams))

    def _begin(self, generator: np.random.Generator) -> None:
        """Owners register and deposit; the coordinator offers to audit; all connect within the first round."""
        desk = self.coordinator.desk
        models = [{"model": model.digest, "s": 1} for model in self.recorded.models]
        terms = {"models": models, "slots": 2**16, "cost": "1", "expiry": 2**32, "nonce": digest("own")}
        desk.order_of("offer", terms)
        owners = {provider.plan.owner: provider for provider in self.providers}
        for provider in self.providers:
            self.measures.fleets.setdefault(public(provider.owner), []).append(provider.plan)
        for key in [
            *(provider.owner for provider in owners.values()),
            *(user.customer.session.owner for user in self.users),
        ]:
            self.ledger.perform(request(key, "register", self.ledger.market, {}))
            name = public(key)
            desk.order_of("deposit", {"owner": name, "amount": str(PURSE), "nonce": digest(["purse", name])})
        for provider in owners.values():
            if provider.plan.strategy.claims:
                self.liars.append(User(self, provider.owner, provider.generator))
        starts = [provider.start for provider in self.providers] + [user.start for user in [*self.users, *self.liars]]
        for start in starts:
            later(self.clock, float(generator.uniform(0, ROUND - 1)), start)
        later(self.clock, 0.0, self._tick)
        later(self.clock, ROUND + self.asked[0].at, self._order, 0)
        if self.churn.outage is not None:
            later(self.clock, self.churn.outage[0], self._outage, self.churn.outage[1])

    def run(self) -> None:
        """Until no order is open.

        Raises:
            RuntimeError: it does not end.
        """
        while not self.over.triggered:
            with self.ledger.together():  # a round's events: a simulation that is killed begins anew
                self.clock.run(until=self.over | self.clock.timeout(ROUND))
        self.state.check()

    @property
    def state(self) -> State:
        """Of the ledger."""
        return self.ledger.state

    def _tick(self) -> None:
        step = max(1, RULES.delta // 10)
        self.network.tick()
        facts = self.state.facts
        if self.ending and not facts.get("order") and not facts.get("lease"):
            self.over.succeed()
        elif self.clock.now > ROUND + self.asked[-1].at + LONGEST:
            raise RuntimeError(f"still open: {len(facts['order'])} orders, {len(facts['lease'])} leases")
        else:
            later(self.clock, float(step), self._tick)

    def _outage(self, seconds: float) -> None:
        for provider in self.providers:
            provider.fail(seconds)

    def _order(self, number: int) -> None:
        asked: Asked = self.asked[number]
        self.users[asked.user].order(asked)
        if number + 1 < len(self.asked):
            later(self.clock, ROUND + self.asked[number + 1].at - self.clock.now, self._order, number + 1)
        else:
            later(self.clock, 1.0, self._end)

    def _end(self) -> None:
        """All orders are on their way; who is there stays."""
        self.ending = True

    def _audits(self, effect: Compute) -> None:
        trace = self.recorded.of_computation(effect.computation()).right
        later(self.clock, AUDITING, self._audited, effect.lease, trace)

    def _audited(self, lease: str, trace: Trace) -> None:
        self.network.take(self.coordinator.computed(lease, trace, self.clock.now))

    def _solved(self, solve: Solve, answer: Answer) -> None:
        market = solve.market
        matched = int(np.unique(answer.allocation.task).size)
        found = welfare(market, answer.allocation)
        self.rounds.append(Round(solve.round, self.state.tick, market, matched, found, int(answer.payment.sum())))
        self.observe(self)

    def money(self) -> Money:
        """What became of all deposits.

        Raises:
            RuntimeError: not a micro-token is lost, or something is wrong.
        """
        state = self.state
        gains = {owner: total - PURSE for owner, total in state.totals.items()}
        by = dict[str, int]()
        for owner, gain in gains.items():
            kind = self.measures.strategy_of(owner)
            by[kind] = by.get(kind, 0) + gain
        paid = -sum(gain for gain in gains.values() if gain < 0)
        received = sum(gain for gain in gains.values() if gain > 0)
        fund = state.balances.get(FUND, 0) - RULES.fund_prices * RULES.largest_price
        burnt = state.balances.get(BURNT, 0)
        if paid != received + burnt + fund:
            raise RuntimeError(f"{paid} paid, but {received} received, {burnt} burnt, {fund} to the fund")
        return Money(paid, received, burnt, fund, by)
