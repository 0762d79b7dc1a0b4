"""How many leases an owner is offered at once: a few, and for each that it works on or has given a result of one more.

To let an offered lease lapse costs nothing, so whoever offered much and never answered, under key after key, would have
every order wait for it. The devices of an owner are one here: keys are for nothing, stakes are not.
"""

from collections import Counter

from verification.ledger.event import Event

AT_FIRST = 8
"""Leases that are offered to who has shown nothing; one less for each in a row that came to nothing."""
NOTHING = {"decline", "return", "miss"}
"""Events by which a lease ends before its result."""


class Trust:
    """A fold of the events."""

    def __init__(self) -> None:
        self._offered: dict[str, str] = {}
        """Owner of leases that wait for their device's answer."""
        self._taken: dict[str, str] = {}
        """Of those that were accepted."""
        self._asked, self._open, self._failed = Counter[str](), Counter[str](), Counter[str]()
        """By owner: how many of each; and how many came to nothing since its last result."""

    def fold(self, event: Event) -> None:
        kind = event.request.kind
        for fact, name, value in event.facts:
            if fact == "lease" and (value is None or not value["audits"]):
                self._fold(kind, name, value["owner"] if value else "", value["state"] if value else "")

    def _fold(self, kind: str, name: str, owner: str, state: str) -> None:
        was_offered, was_taken = self._offered.pop(name, ""), self._taken.pop(name, "")
        for known, before in ((self._asked, was_offered), (self._open, was_taken)):
            if before:
                known[before] -= 1
                if not known[before]:
                    del known[before]
        if state == "offered":
            self._offered[name] = owner
            self._asked[owner] += 1
        elif state:
            self._taken[name] = owner
            self._open[owner] += 1
        elif kind in NOTHING and (before := was_offered or was_taken):
            self._failed[before] += 1
        if kind == "result" and owner:
            self._failed.pop(owner, None)

    def room(self, owner: str) -> int:
        """Leases that may be offered to an owner now, besides those that wait for its answer."""
        return max(1, AT_FIRST - self._failed[owner]) + self._open[owner] - self._asked[owner]
