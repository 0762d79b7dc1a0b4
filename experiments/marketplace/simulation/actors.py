"""Devices and users in simulated time: what ``device`` and ``customer`` want done, done as their strategies have it."""

from hashlib import sha256
from typing import Protocol

import numpy as np
import simpy
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from experiments.marketplace.customer import Check, Customer
from experiments.marketplace.customer import Effect as CustomerEffect
from experiments.marketplace.device import Compute, Device, Effect
from experiments.marketplace.dispute_side import Side
from experiments.marketplace.messages import Lease, Preflight, Shown
from experiments.marketplace.simulation.churn import Churn
from experiments.marketplace.simulation.fleet import Asked, Plan, seconds
from experiments.marketplace.simulation.measures import Measures
from experiments.marketplace.simulation.network import Network, later
from experiments.marketplace.simulation.recorded import Recorded
from experiments.marketplace.simulation.strategies import breaking
from verification.adversaries.break_dispute import ADVERSARIES as BREAKERS
from verification.dispute.party import honest
from verification.trace import Trace

GRACEFUL = 0.5
"""Of those who leave, that hand their leases back."""
COMEBACK = 60.0
"""Seconds after which an owner whose key was removed has another one."""
CLAIMED = 0.004
"""Chance that a result that is shown is claimed against falsely, where anybody does that."""
DOUBTED = 0.002
"""Chance that a user buys an audit."""


def key_of(*name: object) -> Ed25519PrivateKey:
    """A key by name, so that a simulation is the same every time."""
    return Ed25519PrivateKey.from_private_bytes(sha256(repr(name).encode()).digest())


class World(Protocol):
    """Where they act."""

    seed: int
    clock: simpy.Environment
    network: Network
    recorded: Recorded
    measures: Measures
    shared: dict[tuple[int, str, str, str], tuple[str, Trace]]
    """Wrong traces of coalitions in league and the ways, by coalition, input, model and stake."""
    liars: list["User"]
    """Who claim against right results."""
    ending: bool
    churn: Churn


class Provider:
    """A device with its owner's plan."""

    def __init__(self, world: World, number: int, plan: Plan, generator: np.random.Generator) -> None:
        self.world, self.number, self.plan, self.generator = world, number, plan, generator
        self.latency, self.lives, self.line = plan.latency, 0, 0
        self.owner = key_of(world.seed, "owner", plan.owner)
        self.device = self._device()
        self._beating = False

    def _device(self) -> Device:
        plan = self.plan
        side: Side = honest
        if self.generator.random() < plan.strategy.breaks:
            side = breaking(str(self.generator.choice(sorted(BREAKERS))))
        key = key_of(self.world.seed, "device", self.number, self.lives)
        preflight = Preflight(adapter=plan.card, memory=2**30)
        made = Device(self.owner, key, preflight, cost=plan.cost, slots=plan.slots, side=side)
        made.s = {self.world.recorded.models[plan.model].digest: plan.s}
        self.lives += 1
        self.world.measures.plans[made.name] = plan
        return made

    def start(self) -> None:
        """Connect; and leave some day."""
        self.line = self.world.network.connect(self)
        if self.world.churn.outage is None:
            there = float(self.generator.exponential(self.world.churn.uptime))
            later(self.world.clock, there, self._leave, self.line)

    def hear(self, raw: bytes) -> None:
        self.do(self.device.receive(raw, self.world.clock.now))
        if self.device.history.fallen and self.plan.strategy.returns:
            self.device.history.fallen = 0
            later(self.world.clock, COMEBACK, self._come_back)

    def dropped(self) -> None:
        """It comes again at once."""
        self.device.reopened()
        self.start()

    def do(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, bytes):
                self.world.network.send(self.line, effect)
            elif isinstance(effect, Compute):
                self._work(effect.lease)

    def _work(self, lease: Lease) -> None:
        world, plan, random = self.world, self.plan, self.generator.random
        run = world.recorded.of(lease.requests)
        takes = seconds(plan, run, world.recorded)
        if random() < plan.strategy.slow:
            takes += lease.limit
        trace = self._trace(lease)
        if random() < plan.strategy.vanishes:
            later(world.clock, takes / 2, self._vanish, self.line)
        later(world.clock, takes, self._done, lease.lease, trace, self.line)
        if not self._beating:
            self._beating = True
            self._beat()

    def _trace(self, lease: Lease) -> Trace:
        """Right, wrong, or as a friend had it of the same lease."""
        strategy, random = self.plan.strategy, self.generator
        run = self.world.recorded.of(lease.requests)
        known = (self.plan.coalition, run.request["input"], run.request["model"], lease.stake)
        if strategy.league and known in self.world.shared:
            self.world.measures.ways[lease.lease], trace = self.world.shared[known]
            return trace
        if random.random() >= strategy.wrong:
            return run.right
        way = str(random.choice(strategy.ways))
        trace = run.wrong(way, int(random.integers(2**16)))
        self.world.measures.ways[lease.lease] = way
        if strategy.league:
            self.world.shared[known] = way, trace
        return trace

    def _done(self, lease: str, trace: Trace, line: int) -> None:
        if line == self.line:
            self.do(self.device.computed(lease, trace))

    def _beat(self) -> None:
        """Signs of life for as long as it works."""
        self.do(self.device.tick(self.world.clock.now))
        if self.device.progress:
            later(self.world.clock, float(self.device.session.rules.heart), self._beat)
        else:
            self._beating = False

    def _leave(self, line: int) -> None:
        if line != self.line or self.world.ending:
            return
        if self.generator.random() < GRACEFUL:
            self.do(self.device.hand_back())
            self.do(self.device.stop(self.world.clock.now))
            later(self.world.clock, 2.0, self._vanish, line)
        else:
            self._vanish(line)

    def fail(self, away: float) -> None:
        """Gone with all others."""
        self._vanish(self.line, away)

    def _vanish(self, line: int, away: float | None = None) -> None:
        """Gone, and what it was computing with it; what it has given it stands by when it is back."""
        if line != self.line or not line:
            return
        self.world.network.close(line)
        self.line = 0
        self.device.progress.clear()
        self.device.stopping = False
        self.device.reopened()
        if away is None:
            away = min(self.world.churn.longest, float(self.generator.exponential(self.world.churn.away)))
        later(self.world.clock, away, self.start)

    def _come_back(self) -> None:
        if self.line and not self.device.leases and not self.world.ending:
            self.world.network.close(self.line)
            self.device = self._device()
            self.start()
        elif not self.world.ending:
            later(self.world.clock, COMEBACK, self._come_back)


class User:
    """Somebody who orders, and doubts now and then; or who claims falsely against others' results."""

    def __init__(self, world: World, owner: Ed25519PrivateKey, generator: np.random.Generator) -> None:
        self.world, self.generator, self.latency = world, generator, 0.05
        self.customer = Customer(owner)
        self.line = 0

    def start(self) -> None:
        """Connect."""
        self.line = self.world.network.connect(self)

    def hear(self, raw: bytes) -> None:
        self.do(self.customer.receive(raw, self.world.clock.now))

    def dropped(self) -> None:
        """It comes again at once."""
        self.customer.reopened()
        self.start()

    def do(self, effects: list[CustomerEffect]) -> None:
        for effect in effects:
            if isinstance(effect, bytes):
                self.world.network.send(self.line, effect)
            elif isinstance(effect, Check):
                self._shown(effect.shown)

    def order(self, asked: Asked) -> None:
        """Post an order."""
        run = asked.run
        inputs = {run.request["input"]: run.raw}
        name, effects = self.customer.order([run.request], inputs, bid=asked.bid, patience=asked.patience)
        self.world.measures.ordered(name, self.world.clock.now)
        self.do(effects)

    def _shown(self, shown: Shown) -> None:
        if self.generator.random() < DOUBTED:
            self.do(self.customer.challenge(shown.lease))
        if self.world.liars and self.generator.random() < CLAIMED:
            liar = self.world.liars[int(self.generator.integers(len(self.world.liars)))]
            liar.claim(shown)

    def claim(self, shown: Shown) -> None:
        """Claim against a result, by a trace that is wrong and another one than it."""
        run = self.world.recorded.of(shown.requests)
        trace = run.wrong("flipped-bit", int(self.generator.integers(2**16)))
        if trace.tree.root.hex() != shown.root:
            self.do(self.customer.checked(shown, trace))
