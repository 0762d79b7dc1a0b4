"""Messages of peers to the coordinator."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Raw, field

from experiments.marketplace.message import Message

Role = Literal["device", "user", "watch"]
Name = Annotated[str, Meta(max_length=256)]
Rate = Annotated[float, Meta(ge=0, le=2**80)]
"""A second."""


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
    blobs: dict[str, bytes] = field(default_factory=dict)
    """What it names, by SHA-256 in hex."""


class Fund(Message, frozen=True):
    """A new owner's purse, where the market is a demonstration that has a faucet; answered as an ``ask``."""

    id: int
    owner: str


class Preflight(Message, frozen=True):
    """What a device can hold; answered by ``suitable``."""

    adapter: Name
    memory: int
    """Bytes for one model."""
    limits: Annotated[dict[Name, int], Meta(max_length=256)] = field(default_factory=dict)
    features: Annotated[list[Name], Meta(max_length=256)] = field(default_factory=list)
    requests: Annotated[int, Meta(ge=1)] = 256
    """Of a lease, that it computes at a time."""


class Benchmark(Message, frozen=True):
    """What a device measured on a model's own kernels; answered by ``suitable``."""

    model: str
    macs_per_second: Rate
    tokens_per_second: Rate = 0.0


class Heart(Message, frozen=True):
    """A sign of life, with what share of each lease is done."""

    leases: dict[str, float] = field(default_factory=dict)


class Tokens(Message, frozen=True):
    """Tokens of a request of a lease that its device has computed, not final."""

    lease: str
    tokens: list[int]
    request: int = 0
    """Of the lease's requests, by place."""
    text: str = ""
    """Of these tokens; what came before it stays."""


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
    inputs: dict[str, bytes] = field(default_factory=dict)


FromPeer = Hello | Ask | Fund | Preflight | Benchmark | Heart | Tokens | Play | Transcript | Estimate
