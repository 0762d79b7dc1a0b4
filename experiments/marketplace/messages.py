"""The wire: one JSON object a text frame, of one schema a type, versioned, no larger than it may be.

Money and seeds are decimal texts, digests, keys and signatures hexadecimal, bytes base64. What is signed is the
ledger's own envelope {content, kind, party, signature} in its canonical encoding: whoever writes a whole frame
canonically has it so.
"""

from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Raw, Struct

from verification.encoding.request import Request
from verification.errors import Refusal

VERSION = 1
MOST_BYTES = 6 * 2**20
"""Of a frame: a result's output may have 4 MiB, in base64."""
HELLO = "hello"
"""Of what kind a connection's signature is: over {nonce, origin, role}, by the key that the connection is of."""
Role = Literal["device", "user", "watch"]


class Message(Struct, frozen=True, tag_field="type", tag=str.lower, forbid_unknown_fields=True, omit_defaults=True):
    """Of a type, its name in lower case."""


# from peers


class Hello(Message, frozen=True):
    """Whose connection it is. Who watches signs nothing."""

    version: int
    role: Role
    owner: str = ""
    device: str = ""
    origin: str = ""
    """Of the page, as the browser says; elsewhere ""."""
    signature: str = ""


class Ask(Message, frozen=True):
    """A request to the ledger, answered by ``done`` or ``refused``."""

    id: int
    request: Raw
    blobs: dict[str, bytes] = {}
    """What it names, by SHA-256 in hex."""


class Fund(Message, frozen=True):
    """A new owner's purse, where the market is a demonstration that has a faucet; answered as an ``ask``."""

    id: int
    owner: str


class Preflight(Message, frozen=True):
    """What a device can hold; answered by ``suitable``."""

    adapter: str
    memory: int
    """Bytes for one model."""
    limits: dict[str, int] = {}
    features: list[str] = []


class Benchmark(Message, frozen=True):
    """What a device measured on a model's own kernels; answered by ``suitable``."""

    model: str
    macs_per_second: float
    tokens_per_second: float = 0.0


class Heart(Message, frozen=True):
    """A sign of life, with what share of each lease is done."""

    leases: dict[str, float] = {}


class Tokens(Message, frozen=True):
    """Tokens of a request of a lease that its device has computed, not final."""

    lease: str
    tokens: list[int]
    request: int = 0
    """Of the lease's requests, by place."""
    text: str = ""


class Play(Message, frozen=True):
    """A message of a dispute, signed by whose turn it is; answered by ``refused`` with the claim as id, or not."""

    claim: str
    raw: bytes


class Transcript(Message, frozen=True):
    """All of a dispute from its beginning; answered by ``turn``."""

    claim: str


class Estimate(Message, frozen=True):
    """What an order would come to; answered by ``quote``."""

    id: int
    requests: list[dict[str, Any]]
    bid: str
    inputs: dict[str, bytes] = {}


FromPeer = Hello | Ask | Fund | Preflight | Benchmark | Heart | Tokens | Play | Transcript | Estimate

# to peers


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
    reasons: dict[str, str] = {}
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
    | Final
    | Token
    | Strike
    | Account
    | Waits
    | Quote
    | Board
)

_encoder = msgspec.json.Encoder()
_from_peer = msgspec.json.Decoder(FromPeer)
_to_peer = msgspec.json.Decoder(ToPeer)
_Read = TypeVar("_Read")


def encode(message: Message) -> bytes:
    """A frame."""
    return _encoder.encode(message)


def from_peer(raw: bytes) -> FromPeer:
    """What a peer sent.

    Raises:
        Refusal: oversized, malformed.
    """
    return _decoded(_from_peer, raw)


def to_peer(raw: bytes) -> ToPeer:
    """What the coordinator sent.

    Raises:
        Refusal: oversized, malformed.
    """
    return _decoded(_to_peer, raw)


def ask(number: int, request: Request, blobs: dict[str, bytes] | None = None) -> bytes:
    """The frame that asks for a request."""
    return encode(Ask(number, Raw(request.raw), blobs or {}))


def _decoded(decoder: "msgspec.json.Decoder[_Read]", raw: bytes) -> _Read:
    if len(raw) > MOST_BYTES:
        raise Refusal("oversized", f"{len(raw)} bytes; at most {MOST_BYTES} are allowed")
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refusal("malformed", " ".join(str(error).split())[:200]) from None
