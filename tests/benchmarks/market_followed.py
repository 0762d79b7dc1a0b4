"""What a market's ledger says of parties that were killed, and of those that were not."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from verification.ledger.event import Event

Away = list[tuple[int, int]]
"""From which event to which a process was not there, for each time that it was killed."""


class Followed:
    """What a ledger's events came to.

    Args:
        honest: by device, its owner and when it was not there.
        restarts: when the coordinator was not.
    """

    def __init__(self, honest: dict[str, tuple[str, Away]], restarts: Away) -> None:
        self._honest, self._restarts = honest, restarts
        self._leases = dict[str, tuple[int, dict[str, Any]]]()
        self._claims = dict[str, tuple[str, str]]()
        self._disputes = dict[str, int]()
        self.finals, self.ordered = Counter[tuple[str, int]](), set[str]()
        """Requests by how often they were paid; orders."""
        self.wronged, self.blamed, self.passed_over = list[str](), list[str](), 0
        """What honest devices lost by verdicts; what they were blamed for though they were there all the time; offers
        of leases to such that lapsed, which blames nobody."""
        self.over_restarts, self.over_deaths = 0, 0
        """How often the coordinator, and an honest party, was killed in the midst of a dispute."""

    def all_of(self, events: Iterable[Event]) -> "Followed":
        for event in events:
            self._request(event)
            self._moves(event)
            self._facts(event)
        return self

    def _request(self, event: Event) -> None:
        asked, content = event.request, event.request.content
        match asked.kind:
            case "order":
                self.ordered.add(asked.name)
            case "final":
                _, lease = self._leases[content["lease"]]
                self.finals.update((lease["order"], part) for part in lease["part"] if not lease["audits"])
            case "miss":
                since, lease = self._leases[content["lease"]]
                self._blame(event, lease["device"], since, f"{content['why']}: a lease that is missed")
            case "decline" if asked.party != self._leases[content["lease"]][1]["device"]:
                since, lease = self._leases[content["lease"]]
                self.passed_over += self._there(lease["device"], since, event.number)
            case "begin":
                self._disputes[content["claim"]] = event.number
                self._claims[content["claim"]] = content["asserter"], content["challenger"]
            case "take_up":
                _, lease = self._leases[content["lease"]]
                self._claims[content["claim"]] = lease["device"], self._claims[content["claim"]][1]
            case "timeout":
                claim = content["claim"]
                self._blame(event, self._claims[claim][0], self._disputes[claim], "a message that is late")
            case "verdict":
                self._verdict(event, content)
            case "void":
                self._over(content["claim"], event.number)

    def _verdict(self, event: Event, content: dict[str, Any]) -> None:
        asserter, challenger = self._claims[content["claim"]]
        loser = challenger if content["winner"] == "asserter" else asserter
        if loser in self._honest:
            self.wronged.append(f"{content['reason']} at event {event.number}")
        self._over(content["claim"], event.number)

    def _over(self, claim: str, number: int) -> None:
        begun = self._disputes.pop(claim)
        parties = [self._honest[key][1] for key in self._claims[claim] if key in self._honest]
        self.over_restarts += sum(begun <= at < number for at, _ in self._restarts)
        self.over_deaths += sum(begun <= at < number for away in parties for at, _ in away)

    def _moves(self, event: Event) -> None:
        """Whatever the reason is: what was locked for an honest owner goes to another, but for a lease missed by one
        that was killed."""
        owners = {owner for owner, _ in self._honest.values()}
        for source, target, amount in event.moves:
            kind, _, rest = source.partition(":")
            owner = rest.partition(":")[0]
            if (
                kind in ("stake", "bond")
                and owner in owners
                and target != f"free:{owner}"
                and event.request.kind != "miss"
            ):
                self.wronged.append(f"{amount} by a {event.request.kind} at event {event.number}")

    def _facts(self, event: Event) -> None:
        for kind, subject, value in event.facts:
            if kind == "lease" and value is not None:
                since = self._leases.get(subject, (event.number, None))[0]
                self._leases[subject] = since, value
            elif kind == "device" and value is not None and value["removed"] and subject in self._honest:
                self.wronged.append(f"removed at event {event.number}")

    def _there(self, device: str, since: int, until: int) -> bool:
        """Whether an honest device was there all the time from one event to another."""
        away = self._honest[device][1] if device in self._honest else [(0, 2**53)]
        return not any(gone <= until and since <= back for gone, back in away)

    def _blame(self, event: Event, device: str, since: int, what: str) -> None:
        if self._there(device, since, event.number):
            self.blamed.append(f"{what} at event {event.number}, tick {event.tick}")
