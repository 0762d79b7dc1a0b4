"""What the ledger knows of parties, orders, leases, results and audits: facts, each of the kind of its class's name::

    order    waiting ──assign──▶ leased ──final──▶ leaves (served)
             waiting ──cancel, expire──▶ leaves (withdrawn, expired), when no lease of it is open
    lease    offered ──accept──▶ held ──result──▶ received ──publish──▶ published ──final──▶ leaves
             offered ──decline──▶ leaves       held ──return, miss──▶ leaves      its requests wait again
             received ──lot──▶ audited ──reveal──▶ published     published ──challenge──▶ audited
             received, audited ──annul──▶ leaves      the coordinator did not bring its audit to its end
             published, audited ──claim──▶ disputed ──verdict──▶ published, audited; or fallen: leaves
    verifier offered ──accept──▶ held ──result──▶ confirmed, or differs (a claim, without a bond)
    deputy   confirmed, differs and right ──▶ due ──final──▶ leaves       differs and wrong ──▶ fallen: leaves
             differs ──verdict, it was silent──▶ absent ──▶ due, or fallen: leaves

What leaves is counted by the ledger, with a running digest.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from verification.errors import Refusal
from verification.ledger.state import Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """An exportable key: it deposits, orders, withdraws, and answers for its devices."""

    since: int
    """Tick of its registration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A key that computes and signs results; its money is its owner's."""

    owner: str
    busy: int = 0
    """Slots taken: leases offered or held."""
    disputed: int = 0
    """Results of it that are disputed: while there is one it is barred, it is leased no order; what it has goes on, and
    it verifies and stands in."""
    removed: bool = False
    """For good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a device would run; also listed under ``model:MODEL``, by device, with its owner."""

    models: dict[str, int]
    """s: requests of each model, by digest, that one slot completes in a round."""
    slots: int
    cost: int
    """c of a slot."""
    expires: int
    """The last tick at which it is live."""
    declines: int = 0
    """In a row; the third lapses it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A user's requests, of which each is with one lease or waits."""

    user: str
    requests: list[dict[str, Any]]
    """As it was signed: of each model, input, limit, temperature and seed."""
    bid: int
    """For all of them, fees included."""
    until: int
    """The last tick at which it waits."""
    unaudited: bool
    """Whether the user signed that it may be leased where nobody could audit it."""
    waiting: list[int]
    """The requests that wait."""
    rank: int = 0
    """How often requests came back, at some cost to who had them."""
    leases: int = 0
    """Open ones."""
    failed: list[str] = field(default_factory=list)
    """Devices that did not serve it: they are not leased it again."""
    ended: str = ""
    """withdrawn or expired: what comes back does not wait again."""

    def models(self, part: Sequence[int]) -> list[str]:
        """Of some of its requests."""
        return [self.requests[index]["model"] for index in part]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Requests of an order, with a device; or the same ones again, with a verifier or deputy."""

    order: str
    part: list[int]
    """Requests of the order, by index; their runs, one after another, are one computation."""
    device: str
    owner: str
    price: int
    """Of an audit: its pay."""
    audit_price: int
    """What an audit of it is paid, at least its price and its device's cost; stakes, fees and bonds are multiples."""
    stake: int
    graph: str
    """Digest of the graph that is run; with the requests it says what both parties of a dispute run."""
    layouts: str
    """Digest of what the device is sent besides: programs and packed weights, see ``manifest.layouts``."""
    limit: int
    """Ticks for the work."""
    nodes: int
    """Of the schedule; the last is the output."""
    rows: int
    words: int
    """Of the output: words of a row."""
    number: int
    """Of leases and bought audits, from 0 on: the coordinator derives the draw secret from it. The lease's name is that
    secret's SHA-256, its seal."""
    due: int
    """The last tick for what is expected next: accept, then result, then, of what was received, the secret."""
    state: str = "offered"
    handback: int = 0
    """The last tick at which a held lease is handed back freely."""
    audits: str = ""
    """The lease whose result it verifies or defends; "" where it is an order's own."""
    payer: str = ""
    """Of an audit: the fund, or the owner who bought it; "" of a deputy: whoever loses pays it."""

    @property
    def deputy(self) -> bool:
        """Whether it stands in for an absent party of a dispute."""
        return bool(self.audits) and not self.payer


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of a lease, under the lease's name."""

    root: str
    header: str
    """Digest of the header."""
    signed: str
    """SHA-256 of the envelope as it was signed: what draws hash."""
    output: str
    """SHA-256 of the output's words, little-endian, whose bytes lie beside the event."""
    tick: int
    window: int = 0
    """The last tick at which it can be claimed against; 0 while it is not shown."""
    confirmed: list[str] = field(default_factory=list)
    """Verifiers' and deputies' leases with the same root: if it falls, they fall."""
    claims: list[str] = field(default_factory=list)
    """Open ones."""
    claimants: list[str] = field(default_factory=list)
    """Owners who have claimed, each at most once."""
    voids: int = 0
    """Disputes in which the referee failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """An audit that is not over, under the name of the lease that it is of."""

    seal: str = ""
    """SHA-256 of the secret that draws its lots; "": of a bought one, before the coordinator has sealed one."""
    listed: str = ""
    """SHA-256 of the canonical list [[owner, weight], ...], by owner, from which lots are drawn."""
    many: int = 0
    """Owners on the list."""
    since: int = 0
    """Tick of what happened last in it: challenge, seal, a lot, its verifier's outcome, leaving or fall."""
    lots: list[str] = field(default_factory=list)
    """Owners drawn, one after another, none twice; last the coordinator, at most twice, where it is left to it."""
    over: bool = False
    """Whether the last lot is: its device declined, was late or handed back, or its result was refuted."""
    verifier: str = ""
    """The lease that verifies."""
    buyer: str = ""
    """Who bought it by a challenge; "": it was drawn."""
    bond: str = ""
    """The challenge whose bond pays it."""
    outcome: str = ""
    """stands or differs; "" while there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """That a result is wrong."""

    lease: str
    root: str
    challenger: str
    """The key that plays."""
    owner: str
    """Whose bond it is, and who gains."""
    bond: int
    tick: int
    audit: str = ""
    """The verifier's or deputy's lease where the claim is its header's: no bond, first in the queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A claim that is played, under the claim's name."""

    asserter: str
    """The key that asserts now: a deputy's, where one took the asserter's place."""
    challenger: str
    clocks: dict[str, Any]
    """See ``verification.dispute.clocks``."""
    last: str
    """Name of the last message; at first of the ``begin``."""
    index: int = 1
    """Of the message that is due."""
    kind: str = "begin"
    """Of the last message."""
    played: list[str] = field(default_factory=list)
    """Leases of those that took the asserter's place."""
    silent: bool = False
    """Whether the budget of one who asserted was spent: deputies by lot are drawn for it. For wrong steps none is."""
    published: int = 0
    """Deputies by lot that gave a result while the asserter was awaited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deputies:
    """Lots for absent parties, under the name of the lease whose result is disputed."""

    lots: list[str] = field(default_factory=list)
    """Owners drawn, one after another, none twice; last the coordinator where it is left to it."""
    since: int = 0
    """Tick of the last lot."""
    over: bool = True
    """Whether the last lot is: it gave a result, or its device declined, was late or handed back."""
    lease: str = ""
    """Of the last lot, while its result is due."""
    absent: list[str] = field(default_factory=list)
    """Verifiers' and deputies' leases that differ and did not play: their claims are left to deputies."""
    published: int = 0
    """Deputies by lot that gave a result since the last of them was found absent."""


Record = TypeVar("Record", Owner, Device, Offer, Order, Lease, Result, Audit, Claim, Dispute, Deputies)


def find(draft: Draft, record: type[Record], name: str) -> Record:
    """A record.

    Raises:
        Refusal: no-such-KIND: there never was one, or it has left.
    """
    plain = draft.fact(record.__name__.lower(), name)
    if plain is None:
        kind = record.__name__.lower()
        raise Refusal(f"no-such-{kind}", f"{name} is no {kind}, or one that is over")
    return record(**plain)


def known(draft: Draft, record: type[Record], name: str) -> bool:
    """Whether there is one."""
    return draft.fact(record.__name__.lower(), name) is not None


def store(draft: Draft, name: str, record: Record) -> Record:
    """State it, in place of the one before."""
    plain: dict[str, Any] = {part: getattr(record, part) for part in record.__slots__}
    draft.put(type(record).__name__.lower(), name, plain)
    return record


def drop(draft: Draft, record: type[Record], name: str) -> None:
    """It leaves the state."""
    draft.put(record.__name__.lower(), name, None)


def in_state(lease: Lease, name: str, *states: str) -> Lease:
    """A lease that is in one of the states.

    Raises:
        Refusal: wrong-state.
    """
    if lease.state not in states:
        raise Refusal("wrong-state", f"{name}: is {lease.state}, not {' or '.join(states)}")
    return lease
