"""What is due of a lease, now and when next: see ``verification.market.duties`` for what an honest coordinator does."""

from contextlib import suppress

from experiments.marketplace.desk import Desk
from experiments.marketplace.disputes import Disputes
from verification.dispute.clocks import Clocks
from verification.errors import Refusal
from verification.ledger.state import Draft
from verification.market import duties
from verification.market.records import Audit, Deputies, Dispute, Lease, Result, find, known

BEATS = 3
"""Missed signs of life that are a device that vanished."""


def deadlines(draft: Draft, coordinator: str) -> list[tuple[int, str]]:
    """The last tick, and whose it is, of all that is awaited of others than the coordinator."""
    found = list[tuple[int, str]]()
    for name in draft.subjects("lease"):
        lease = find(draft, Lease, name)
        if lease.state in ("offered", "held"):
            found.append((lease.due, lease.device))
    for claim in draft.subjects("dispute"):
        dispute = find(draft, Dispute, claim)
        clocks = Clocks(**dispute.clocks)
        if clocks.due is not None:
            found.append((clocks.due, dispute.asserter if clocks.turn == "asserter" else dispute.challenger))
    return [(due, key) for due, key in found if key != coordinator]


class Leases:
    """All that are open.

    Args:
        grace: the tick up to which no device is missed: after a restart they have one delta to come back.
    """

    def __init__(self, desk: Desk, disputes: Disputes, grace: int) -> None:
        self._desk, self._disputes, self._grace = desk, disputes, grace
        self._seen: dict[str, int] = {}

    def seen(self, device: str) -> None:
        """A sign of life."""
        self._seen[device] = self._desk.tick

    def gone(self, device: str) -> None:
        """A device's connection has ended: its offer does, if it is not back within delta."""
        self._desk.agenda.add(self._desk.tick + self._desk.rules.delta + 1, "offer", device)

    def lapse(self, device: str) -> None:
        """End the offer of a device that is gone."""
        desk = self._desk
        if desk.connections.has(device):
            return
        self._seen.pop(device, None)
        if device in desk.offers.live:
            desk.order_of("lapse", {"device": device, "nonce": desk.keyed(f"lapse {device} {desk.ledger.head[0]}")})

    def silent_since(self, device: str) -> int:
        """The tick of a device's last sign of life."""
        return max(self._seen.get(device, 0), self._grace)

    def go_on(self, name: str) -> None:
        """Do what is due of a lease, if it is open, and note when to look again."""
        desk = self._desk
        draft = desk.draft
        if not known(draft, Lease, name):
            return
        lease = find(draft, Lease, name)
        match lease.state:
            case "offered":
                self._offered(name, lease)
            case "held":
                self._held(name, lease)
            case "received":
                duties.received(desk, name)
            case "audited":
                self._audited(draft, name, lease)
            case "disputed":
                self._disputes.go_on(lease.device)
            case "published":
                self._published(name, find(draft, Result, name).window)
            case "due":
                self._final(name)

    def _offered(self, name: str, lease: Lease) -> None:
        if self._desk.tick > lease.due:
            self._desk.order_of("decline", {"lease": name})
        else:
            self._look(lease.due + 1, name)

    def _held(self, name: str, lease: Lease) -> None:
        tick, accepted = self._desk.tick, lease.due - lease.limit
        vanished = max(accepted, self.silent_since(lease.device)) + BEATS * self._desk.rules.heart + 1
        if lease.device == self._desk.key:
            vanished = lease.due + 1
        if tick > lease.due:
            self._desk.order_of("miss", {"lease": name, "why": "late"})
        elif tick >= vanished:
            self._desk.order_of("miss", {"lease": name, "why": "vanished"})
        else:
            self._look(min(lease.due + 1, vanished), name)

    def _audited(self, draft: Draft, name: str, lease: Lease) -> None:
        if known(draft, Deputies, name) and find(draft, Deputies, name).absent:
            duties.absent(self._desk, name)
        else:
            audit = find(draft, Audit, name)
            if not self._waits(audit, lease, name):
                duties.audit(self._desk, name)
        self._look(self._desk.tick + 1, name)

    def _waits(self, audit: Audit, lease: Lease, name: str) -> bool:
        """Whether an audit's verifier is at work, or its last lot has time and no device to spare."""
        if audit.verifier and audit.outcome != "stands":
            return True
        waiting = bool(audit.lots) and not audit.over and not audit.outcome
        in_time = self._desk.tick <= audit.since + lease.limit
        return waiting and in_time and not self._desk.device_of(audit.lots[-1], name)

    def _published(self, name: str, window: int) -> None:
        if self._desk.tick > window:
            self._final(name)
        else:
            self._look(window + 1, name)

    def _final(self, name: str) -> None:
        with suppress(Refusal):  # the fund is short of a verifier's pay until fees come
            self._desk.order_of("final", {"lease": name})
            return
        self._look(self._desk.tick + 1, name)

    def _look(self, tick: int, name: str) -> None:
        self._desk.agenda.add(tick, "lease", name)
