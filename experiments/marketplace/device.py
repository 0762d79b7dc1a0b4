"""A provider without input or output: a device joins, offers, takes leases, hands in results, and stands by them.

The same code runs in a simulation and behind a socket. ``receive`` and ``tick`` give frames to be sent, and leases to
be computed; whoever drives it computes them, says how far it is, and hands in the trace.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from experiments.marketplace.dispute_side import DisputeSide, Side
from experiments.marketplace.history import History
from experiments.marketplace.messages import (
    Benchmark,
    Done,
    Final,
    Heart,
    Lease,
    Preflight,
    Refused,
    Suitable,
    Turn,
    Welcome,
    encode,
)
from experiments.marketplace.session import Session
from experiments.marketplace.stream import Stream
from verification.dispute.party import honest
from verification.encoding.signature import sign
from verification.result import sign_result
from verification.trace import Trace

OPEN = ("offered", "held")
"""States of a lease whose result is due."""


@dataclass(frozen=True, slots=True)
class Compute:
    """A lease to be computed; its trace goes to ``Device.computed``."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class Measure:
    """A model to be run for a moment; how fast goes to ``Device.measured``."""

    model: str


Effect = bytes | Compute | Measure
"""A frame to be sent, or what is to be done."""


class Device:
    """One device of an owner's.

    Args:
        preflight: what it can hold.
        models: names of those that it would run; None: all that fit.
        cost: of a slot, micro-tokens; a lease that pays less is declined.
        expiry: ticks after which an offer that was not renewed ends.
        fund: whether it asks a demonstration's faucet for its owner's purse.
        side: how it plays its disputes; anything but ``honest`` is an adversary's.
    """

    def __init__(
        self,
        owner: Ed25519PrivateKey,
        key: Ed25519PrivateKey,
        preflight: Preflight,
        *,
        cost: int,
        models: Collection[str] | None = None,
        slots: int = 1,
        expiry: int = 2**32,
        fund: bool = False,
        side: Side = honest,
        origin: str = "",
        market: str = "",
    ) -> None:
        self.session = Session("device", owner, key, origin=origin, market=market)
        self.preflight, self.models = preflight, models
        self.cost, self.slots, self.expiry, self.fund = cost, slots, expiry, fund
        self.s: dict[str, int] = {}
        """Requests of each model, by digest, that one slot completes in a round, as the coordinator reckons."""
        self.unsuitable: dict[str, str] = {}
        """Why models, by name, are not for this device."""
        self.dispute = DisputeSide(key, side)
        self.history = History()
        self.leases: dict[str, Lease] = {}
        """As they were told last; what is over is not among them."""
        self.progress: dict[str, float] = {}
        """Share that is done of what is being computed."""
        self.traces: dict[str, Trace] = {}
        """What it stands by, by lease."""
        self.stopping = False
        self._measured = set[str]()
        self._speeds: dict[str, Benchmark] = {}
        self._told = set[str]()
        """Models whose speed this connection's coordinator knows."""
        self._beat = 0
        self._renewed = 0
        self._accepted = set[str]()
        self._declined = set[str]()
        """Of this connection: what was said on one that broke may not have come."""
        self._stream = Stream()

    @property
    def name(self) -> str:
        return self.session.device_name

    def reopened(self) -> None:
        """Its connection was made anew: what it has to say waits for the welcome."""
        self.session.reopened()
        self.dispute.reopened()
        for said in (self._told, self._accepted, self._declined):
            said.clear()
        self._beat = 0  # the coordinator's time may be less than what it was taken for

    def receive(self, raw: bytes, now: float) -> list[Effect]:
        """What a frame leads to.

        Raises:
            Refusal: malformed, other-version, other-market, or what is wrong with the referee's record of a dispute.
        """
        told, answers = self.session.taken(raw, now)
        found: list[Effect] = list(answers)
        match told:
            case Welcome():
                found += self._join(told, now)
            case Done() | Refused():
                found += self._answered(told)
            case Suitable():
                found += self._suitable(told, now)
            case Lease():
                found += self._lease(told)
            case Turn():
                session = self.session
                found += self.dispute.told(told, self.traces.values(), session.market, session.coordinator)
            case Final():
                self._over(told)
            case _:
                pass
        return found

    def _join(self, welcome: Welcome, now: float) -> list[Effect]:
        session = self.session
        assert session.device is not None
        for over in self.leases.keys() - set(welcome.leases):  # while nobody listened
            self._forget(over)
        begin: list[Effect] = self.offer(now) if self.s else [encode(self.preflight)]
        if welcome.registered:
            return begin
        consent = sign(session.device, "device", session.market, {"owner": session.owner_name})
        device = session.ask(session.owner, "device", {"device": self.name, "consent": consent})
        return [*session.enrolled(self.fund), device, *begin]

    def _suitable(self, told: Suitable, now: float) -> list[Effect]:
        """Measure the models that fit; offer those that were measured."""
        assert self.session.welcome is not None
        self.unsuitable = told.reasons
        fits = [model for model in told.fits if self.models is None or model in self.models]
        if new := [model for model in fits if model not in self._measured]:
            self._measured.update(new)
            return [Measure(model) for model in new]
        if unknown := [model for model in fits if model in self._speeds and model not in self._told]:
            self._told.update(unknown)
            return [encode(self._speeds[model]) for model in unknown]
        digests = {model["name"]: model["digest"] for model in self.session.welcome.models}
        s = {digests[model]: told.fits[model] for model in fits if told.fits[model] and model in self._speeds}
        if s == self.s:
            return []
        self.s = s
        return self.offer(now)

    def measured(self, model: str, macs_per_second: float, tokens_per_second: float = 0.0) -> list[Effect]:
        """How fast it ran a model."""
        told = Benchmark(model=model, macs_per_second=macs_per_second, tokens_per_second=tokens_per_second)
        self._speeds[model] = told
        if not self.session.joined:
            return []
        self._told.add(model)
        return [encode(told)]

    def offer(self, now: float) -> list[Effect]:
        """Say what it would run, in place of what it said before; of nothing where it is stopping."""
        session = self.session
        assert session.device is not None
        models = [] if self.stopping else [{"model": model, "s": s} for model, s in self.s.items()]
        terms = {"models": models, "slots": self.slots, "cost": str(self.cost), "expiry": self.expiry}
        self._renewed = session.tick(now)
        return [session.ask(session.device, "offer", terms | {"nonce": session.nonce()})]

    def stop(self, now: float) -> list[Effect]:
        """No new leases; those it holds it goes on with."""
        self.stopping = True
        return self.offer(now) if self.session.joined else []

    def hand_back(self) -> list[Effect]:
        """Return every lease whose result is due."""
        session = self.session
        assert session.device is not None
        due = [name for name, lease in self.leases.items() if lease.state in OPEN and name not in self.traces]
        return [session.ask(session.device, "return", {"lease": name}) for name in due]

    def _lease(self, told: Lease) -> list[Effect]:
        session, name = self.session, told.lease
        assert session.device is not None
        self.leases[name] = told
        if told.state == "offered":
            if name in self._accepted or name in self._declined:
                return []
            if self.stopping or not self._wants(told):
                return self._decline(name)
            self._accepted.add(name)
            return [session.ask(session.device, "accept", {"lease": name})]
        if told.state == "held" and name in self.traces:
            return self._result(name)
        return self._start(told)

    def _wants(self, told: Lease) -> bool:
        return int(told.price) >= self.cost and all(asked["model"] in self.s for asked in told.requests)

    def _decline(self, name: str) -> list[Effect]:
        assert self.session.device is not None
        self.history.declined += 1
        self._declined.add(name)
        return [self.session.ask(self.session.device, "decline", {"lease": name})]

    def _start(self, told: Lease) -> list[Effect]:
        """Compute it, where that is not under way or done; one that is in dispute too, if its trace was lost."""
        if told.lease in self.progress or told.lease in self.traces:
            return []
        self.progress[told.lease] = 0.0
        return [Compute(told)]

    def _answered(self, told: Done | Refused) -> list[Effect]:
        answer = self.session.answered(told)
        if answer is None:
            return []
        kind, lease = answer.request.kind, answer.request.content.get("lease", "")
        match kind:
            case "accept" if not answer.reason:
                self.history.accepted += 1
                return self._start(self.leases[lease]) if lease in self.leases else []
            case "accept" if answer.reason == "beyond-free":
                return self._decline(lease)
            case "result" if not answer.reason:
                self.history.results += 1
            case _:
                pass
        return []

    def computed(self, lease: str, trace: Trace) -> list[Effect]:
        """A lease's trace: its result goes out where it is due, and disputes that waited for it go on."""
        self.progress.pop(lease, None)
        self._stream.forget(lease)  # the result tells them
        if lease not in self.leases:
            return []
        self.traces[lease] = trace
        if not self.session.joined:
            return []
        due = self.leases[lease].state in OPEN
        return [*(self._result(lease) if due else []), *self.dispute.retold()]

    def failed(self, lease: str) -> list[Effect]:
        """A lease cannot be computed: it is handed back; while nobody listens, it is told of it again."""
        assert self.session.device is not None
        self.progress.pop(lease, None)
        if not self.session.joined:
            return []
        return [self.session.ask(self.session.device, "return", {"lease": lease})]

    def progressed(self, lease: str, share: float, tokens: Sequence[int] = (), *, request: int = 0) -> list[Effect]:
        """How far a lease is, and tokens that came since, of one of its requests."""
        if lease not in self.progress:
            return []
        self.progress[lease] = share
        self._stream.add(lease, request, tokens)
        return [] if self._stream.waits or not self.session.joined else [*self._stream.frames()]

    def _result(self, name: str) -> list[Effect]:
        session = self.session
        assert session.device is not None
        signed, output = sign_result(session.device, session.market, name, self.traces[name])
        return [session.ask_for(signed, {sha256(output).hexdigest(): output})]

    def _over(self, told: Final) -> None:
        if self._forget(told.lease):
            self.history.over(told)

    def _forget(self, lease: str) -> bool:
        """A lease is over; whether it was known."""
        known = self.leases.pop(lease, None)
        self.traces.pop(lease, None)
        self.progress.pop(lease, None)
        self._stream.forget(lease)
        self._accepted.discard(lease)
        self._declined.discard(lease)
        return known is not None

    def tick(self, now: float) -> list[Effect]:
        """Signs of life while it computes, its offer renewed before it ends, and what was not said yet."""
        session = self.session
        if session.welcome is None:
            return []
        self._stream.beat()
        tick, found = session.tick(now), list[Effect](self._stream.frames())
        if self.progress and abs(tick - self._beat) >= session.rules.heart:  # its clock may have been set back
            self._beat = tick
            found.append(encode(Heart(leases=dict(self.progress))))
        if not self.stopping and tick > self._renewed + self.expiry // 2:
            found += self.offer(now)
        return found
