"""Disputes as they are played: the coordinator is the referee, and recomputes one step.

What is said of a refused message stays with its sender: a referee that is killed would not know of it any more, and
would say of the same clock that nobody had spoken. So it counts as silence here, always.
"""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from experiments.marketplace.desk import Desk
from verification.dispute.dispute import Dispute
from verification.dispute.record import Proceedings
from verification.errors import Refusal
from verification.ledger.event import Event
from verification.market import claims, duties
from verification.market.records import Claim, Lease, find, known
from verification.market.records import Dispute as Played

Player = Callable[[Dispute], bytes | None]
COURSE = {"begin", "play", "timeout", "take_up"}
"""Events by which a dispute goes on."""


class Disputes:
    """All that are open; each is made again from the ledger's events where it is not at hand."""

    def __init__(self, desk: Desk, told: Callable[[str, str, Proceedings], None]) -> None:
        """
        Args:
            told: what is to be done when the dispute over a claim, against a lease's result, has gone on.
        """
        self._desk, self._told = desk, told
        self._held: dict[str, Proceedings] = {}
        self._course: dict[str, list[int]] = {}
        """Numbers of the events of each that is open."""
        self._leases: dict[str, str] = {}
        """By open claim, against whose result it is."""
        self.own: dict[str, tuple[str, Player]] = {}
        """By lease of the coordinator's own, while that is open: the root of its trace, and how it plays."""
        desk.folds.append(self.fold)

    def fold(self, event: Event) -> None:
        """Note where a dispute's course is written."""
        for fact, claim, value in event.facts:
            if fact == "lease" and value is None:
                self.own.pop(claim, None)
            elif fact == "claim" and value is not None:
                self._leases[claim] = value["lease"]
            elif fact == "claim":
                self._leases.pop(claim, None)
                self._course.pop(claim, None)
                self._held.pop(claim, None)
        kind, content = event.request.kind, event.request.content
        if kind == "begin":
            self._course[content["claim"]] = [event.number]
        elif kind in COURSE:
            self._course[content["claim"]].append(event.number)
        elif kind == "void":
            self._course.pop(content["claim"], None)
            self._held.pop(content["claim"], None)

    @property
    def open(self) -> list[str]:
        """Claims that are played."""
        return list(self._course)

    def lease_of(self, claim: str) -> str:
        """Against whose result a claim is that is open."""
        return self._leases[claim]

    def at_hand(self, claim: str) -> Proceedings | None:
        """A dispute, if it need not be made again."""
        return self._held.get(claim)

    def find(self, claim: str) -> Proceedings | None:
        """A dispute that is open."""
        if claim not in self._course:
            return None
        if claim not in self._held:
            self._held[claim] = self._again(claim)
        return self._held[claim]

    def _again(self, claim: str) -> Proceedings:
        first, *later = self._course[claim]
        draft = self._desk.draft
        lease = find(draft, Lease, find(draft, Claim, claim).lease)
        begun = self._event(first).request
        held = Proceedings(Dispute(self._desk.computation(lease), begun), self._desk.signing)
        for number in later:
            event = self._event(number)
            content = event.request.content
            if event.request.kind == "play":
                raw = self._desk.ledger.blob(content["message"])
                assert raw is not None, "a message lies beside the event that took it"
                held.receive(raw, event.tick)
            elif event.request.kind == "timeout":
                held.tick(event.tick)
            else:
                held.replace_asserter(find(draft, Lease, content["lease"]).device, event.tick)
        return held

    def _event(self, number: int) -> Event:
        return next(self._desk.ledger.events(number))

    def go_on(self, device: str) -> None:
        """What is due of the claims against a device's results: the running one goes on, or the first begins."""
        desk = self._desk
        draft = desk.draft
        running = next((each for each in draft.subjects(f"claims:{device}") if known(draft, Played, each)), "")
        if not running:
            claim = claims.first(draft, device)
            if claim:
                self._begin(claim)
            return
        held = self.find(running)
        assert held is not None
        if held.dispute.verdict is not None:  # the coordinator ended between the message that decides and the verdict
            duties.conclude(desk, running, held.dispute.verdict, held.entries[-1].record.name)
            return
        before = len(held.entries)
        held.tick(desk.tick)
        self._enter(running, held, before)
        if held.dispute.verdict is None and held.dispute.turn is None:
            lease = self._leases[running]
            duties.replace(desk, running, held)
            self._told(running, lease, held)
        self._own_turn(running, held)
        self._look(running, held)

    def _begin(self, claim: str) -> None:
        draft = self._desk.draft
        lease = find(draft, Lease, find(draft, Claim, claim).lease)
        computation = self._desk.computation(lease)
        held = Proceedings(Dispute(computation, duties.begin(self._desk, claim)), self._desk.signing)
        self._held[claim] = held
        self._told(claim, self._leases[claim], held)
        self._own_turn(claim, held)
        self._look(claim, held)

    def receive(self, claim: str, raw: bytes) -> None:
        """A message of a dispute.

        Raises:
            Refusal: no-such-dispute, or see ``Dispute.receive``.
        """
        held = self.find(claim)
        if held is None:
            raise Refusal("no-such-dispute", f"{claim} is no dispute that goes on")
        before = len(held.entries)
        try:
            held.receive(raw, self._desk.tick)
        except Refusal:
            held.forget_refused()
            self._enter(claim, held, before)
            raise
        self._enter(claim, held, before)
        self._own_turn(claim, held)
        self._look(claim, held)

    def _enter(self, claim: str, held: Proceedings, before: int) -> None:
        lease = self._leases[claim]
        for entry in held.entries[before:]:
            duties.follow(self._desk, claim, held, entry.record.content, entry.message)
        if len(held.entries) > before:
            self._told(claim, lease, held)

    def _own_turn(self, claim: str, held: Proceedings) -> None:
        """The coordinator's answers, where it verified itself."""
        dispute = held.dispute
        while dispute.turn is not None and dispute.key(dispute.turn) == self._desk.key:
            root = str(dispute.content["roots"][dispute.turn])
            player = next((player for known, player in self.own.values() if known == root), None)
            raw = None if player is None else player(dispute)
            if raw is None:
                return
            before = len(held.entries)
            held.receive(raw, self._desk.tick)
            self._enter(claim, held, before)

    def _look(self, claim: str, held: Proceedings) -> None:
        """When to look again: after the clock that runs, or soon where somebody is awaited."""
        if held.dispute.verdict is not None:
            return
        due = held.dispute.clocks.due
        self._desk.agenda.add(self._desk.tick + 1 if due is None else due + 1, "lease", self._leases[claim])


def of(disputes: Disputes, key: str) -> list[str]:
    """Claims of open disputes that a key plays in."""
    found = []
    for claim in disputes.open:
        held = disputes.find(claim)
        if held is not None and key in (held.dispute.key("asserter"), held.dispute.key("challenger")):
            found.append(claim)
    return found


def entries(held: Proceedings, since: int) -> list[dict[str, Any]]:
    """What happened since so many entries: see ``messages.Turn``."""
    return [
        {
            "record": {
                "content": entry.record.content,
                "kind": entry.record.kind,
                "party": entry.record.party,
                "signature": entry.record.signature,
            },
            "message": None if entry.message is None else b64encode(entry.message).decode(),
        }
        for entry in held.entries[since:]
    ]
