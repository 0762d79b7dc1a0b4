"""Offers as the auction sees them: whose devices would run what, and how they did since (Psi)."""

from collections import deque
from collections.abc import Iterable
from typing import Any

from verification.ledger.event import Event

REMEMBERED = 50
"""Leases of a device by which its reliability is told."""
FAILURES = {"miss", "return", "verdict"}
"""Events by which a lease of an order ends that its device was to serve; to decline is no failure."""


class Offers:
    """A fold of the events."""

    def __init__(self, coordinator: str) -> None:
        self._coordinator = coordinator
        self.live: dict[str, dict[str, Any]] = {}
        """The ledger's facts of offers, by device, in the order in which they came; the coordinator's own apart."""
        self._owners: dict[str, str] = {}
        self._of: dict[str, dict[str, None]] = {}
        self._leases: dict[str, str] = {}
        self._outcomes: dict[str, deque[bool]] = {}

    def fold(self, event: Event) -> None:
        for kind, subject, value in event.facts:
            if kind == "offer" and subject != self._coordinator:
                self._fold_offer(subject, value)
            elif kind == "device" and value is not None:
                self._owners[subject] = value["owner"]
            elif kind == "lease":
                self._fold_lease(event, subject, value)

    def _fold_offer(self, device: str, value: dict[str, Any] | None) -> None:
        mine = self._of.setdefault(self._owners[device], {})
        if value is None:
            self.live.pop(device, None)
            mine.pop(device, None)
        else:
            self.live[device] = value
            mine[device] = None

    def _fold_lease(self, event: Event, name: str, value: dict[str, Any] | None) -> None:
        if value is not None:
            if not value["audits"]:
                self._leases.setdefault(name, value["device"])
            return
        device = self._leases.pop(name, "")
        if device and (event.request.kind == "final" or event.request.kind in FAILURES):
            self._outcomes.setdefault(device, deque(maxlen=REMEMBERED)).append(event.request.kind == "final")

    def of(self, owner: str) -> Iterable[str]:
        """An owner's devices that have an offer."""
        return tuple(self._of.get(owner, ()))

    def owner(self, device: str) -> str:
        """Whose a device is."""
        return self._owners[device]

    def psi(self, device: str) -> float:
        """(served + 1) / (leased + 1) over the last leases of orders that are over."""
        outcomes = self._outcomes.get(device, ())
        return (sum(outcomes) + 1) / (len(outcomes) + 1)
