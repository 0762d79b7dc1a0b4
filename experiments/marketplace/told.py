"""Messages of the coordinator to its peers."""

from typing import Any, Literal

from msgspec import Raw, field

from experiments.marketplace.message import Message


class Challenge(Message, frozen=True):
    """First, on connecting: what ``hello`` signs; the market's first event tells its rules and its key."""

    version: int
    market: str
    nonce: str
    genesis: Raw


class Welcome(Message, frozen=True):
    """After ``hello``: the time, the models, the ledger's head. What the peer holds follows."""

    tick: int
    seconds_per_tick: float
    round_ticks: int
    models: list[dict[str, Any]]
    """name, digest, bytes and macs (of one token) of each."""
    number: int
    head: str
    registered: bool
    """Whether the connection's key is known to the ledger."""
    leases: list[str] = field(default_factory=list)
    """That a device has open, each of which follows; what else it knows of is over."""


class Done(Message, frozen=True):
    """A request was performed; ``number`` is the event's, or where it had been performed before that of the last."""

    id: int
    name: str
    number: int


class Refused(Message, frozen=True):
    """It was not, and nothing has changed. ``id``: of the ask, a claim of a dispute's message, or null."""

    id: int | str | None
    reason: str
    sentence: str


class Suitable(Message, frozen=True):
    """Which models a device could offer: by name ``s``, requests that a slot completes in a round; or why not."""

    fits: dict[str, int]
    reasons: dict[str, str] = field(default_factory=dict)
    psi: float = 1.0


class Lease(Message, frozen=True):
    """A lease of the device's, offered (accept or decline it) or held (compute it)."""

    lease: str
    state: str
    requests: list[dict[str, Any]]
    inputs: dict[str, bytes]
    """By digest."""
    price: str
    stake: str
    graph: str
    layouts: str
    nodes: int
    rows: int
    words: int
    limit: int
    """Ticks for the work."""
    due: int
    """The last tick for what is expected next."""


class Turn(Message, frozen=True):
    """A dispute of the peer's: what happened since it was last told."""

    claim: str
    lease: str
    """Whose result is disputed."""
    role: Literal["asserter", "challenger"] | None
    """That the peer has to answer in now; None: it only is to know."""
    begin: Raw
    since: int
    """How many entries the peer was told of before; 0: these are all."""
    entries: list[dict[str, Any]]
    """record and message (base64, or null) of each, see ``verification.dispute.record``."""
    due: int | None
    """The last tick at which the answer is in time."""
    verdict: dict[str, Any] | None = None


class Receipt(Message, frozen=True):
    """That a result came in time: an envelope of kind ``receipt``, signed by the coordinator, over lease, tick, header
    (its digest), number and head."""

    receipt: Raw


class Output(Message, frozen=True):
    """To the user: what a lease gave, not final until ``final`` says so."""

    order: str
    lease: str
    part: list[int]
    output: bytes
    """Words of the output, little-endian."""


class Shown(Message, frozen=True):
    """To users and watchers: a result that is open to claims up to a tick."""

    lease: str
    root: str
    header: str
    """Its digest."""
    window: int
    requests: list[dict[str, Any]]
    graph: str
    audit_price: str


class Audited(Message, frozen=True):
    """To the user: a result was computed again, by lot or as somebody bought it, and it was the same."""

    order: str
    lease: str
    part: list[int]


class Final(Message, frozen=True):
    """A lease (or, where that is "", an order) is over."""

    order: str
    lease: str
    part: list[int]
    outcome: str
    """Of a lease: final, fallen, declined, returned, missed, annulled; of an order: served, withdrawn, expired."""
    paid: str
    """Micro-tokens: to a device what it got, from a user what it paid, fees included."""


class Token(Message, frozen=True):
    """To the user: tokens that are not final."""

    order: str
    lease: str
    part: int
    tokens: list[int]
    text: str = ""


class Strike(Message, frozen=True):
    """To the user: what came of a lease is void; its requests wait again."""

    order: str
    lease: str
    part: list[int]
    reason: str


class Account(Message, frozen=True):
    """To a user's page: its money, after whatever changed it."""

    free: str
    held: str
    """In escrow, stakes and bonds."""


class Waits(Message, frozen=True):
    """To a user: an order was not matched in a round, and why."""

    order: str
    reason: str
    bid: str | None
    """That would have won, where it is known."""


class Quote(Message, frozen=True):
    """What an order would come to in the next round, were it now."""

    id: int
    price: str | None
    """Micro-tokens, fees included; None: it would not win."""
    wait: int
    """Ticks to the next round."""
    devices: int
    """That could run it."""
    reason: str = ""
    """Why it would not win; or what else is in its way."""
    bid: str | None = None
    """That would win, where this one would not."""


class Board(Message, frozen=True):
    """To watchers: the parts that changed, by key; null: it left."""

    tick: int
    number: int
    head: str
    parts: dict[str, Any]


ToPeer = (
    Challenge
    | Welcome
    | Done
    | Refused
    | Suitable
    | Lease
    | Turn
    | Receipt
    | Output
    | Shown
    | Audited
    | Final
    | Token
    | Strike
    | Account
    | Waits
    | Quote
    | Board
)
