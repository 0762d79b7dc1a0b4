"""The lists from which the lots of audits are drawn, made again from the ledger: a coordinator that was killed has lost
them, and each is what ``auditors.listing`` gave before the event that noted its digest."""

from collections.abc import Iterable, Mapping

from verification.encoding.canonical import digest
from verification.ledger.chain import take
from verification.ledger.event import Event
from verification.ledger.state import Draft, State
from verification.market import auditors
from verification.market.records import Audit, find, known


class Listed:
    """A fold of the events: where the list of each open audit was noted, and of which number its secret is."""

    def __init__(self, lists: dict[str, list[list[str]]], sealed: dict[str, int]) -> None:
        self._lists, self._sealed = lists, sealed
        self.events: dict[str, int] = {}
        """Number of the event, by lease."""

    def fold(self, event: Event) -> None:
        for kind, subject, value in event.facts:
            if kind == "audit" and value is None:
                for known_of in (self.events, self._lists, self._sealed):
                    known_of.pop(subject, None)
            elif kind == "audit" and value["listed"]:
                self.events.setdefault(subject, event.number)
        if event.request.kind == "seal":
            self._sealed[event.request.content["lease"]] = event.request.content["number"]


def lists_again(events: Iterable[Event], noted: Mapping[str, int]) -> dict[str, list[list[str]]]:
    """The lists of open audits, by lease.

    Args:
        events: of the ledger, from the first on.
        noted: by lease, the number of the event that noted its list.
    """
    wanted = {number: name for name, number in noted.items()}
    found, state = dict[str, list[list[str]]](), State()
    for event in events:
        if len(found) == len(wanted):
            break
        if event.number in wanted:
            found[wanted[event.number]] = _list_of(Draft(state), wanted[event.number], event)
        take(state, event)
    return found


def _list_of(draft: Draft, name: str, event: Event) -> list[list[str]]:
    buyer = find(draft, Audit, name).buyer if known(draft, Audit, name) else ""
    listed = auditors.listing(draft, name, buyer)
    assert any(fact[:2] == ("audit", name) and fact[2]["listed"] == digest(listed) for fact in event.facts)
    return listed
