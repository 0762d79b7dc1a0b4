"""Who plays: parties, with a purse each, and the measures of their market."""

from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.adversaries.break_dispute import Wrapper
from verification.encoding.signature import public
from verification.market.rules import Rules
from verification.task import Task
from verification.trace import Trace

PRICE = 1_000
"""Of a lease, in micro-tokens."""
COST = 500
"""That devices offer a slot at."""
PURSE = 1_000_000
"""What an owner deposits."""
LIMIT = 100
"""A lease's work limit, in ticks."""
RULES = Rules(window=120)
"""The defaults, but for a window that is over sooner."""
TASK = Task("numbers", (4,), 3, 0, 5)
"""What ``Numbers`` computes."""
COORDINATOR, USER, PROVIDER = "coordinator", "user", "provider"
STRANGERS = ("stranger 1", "stranger 2", "stranger 3")


@dataclass(slots=True, eq=False)
class Party:
    """Somebody with a purse."""

    name: str
    owner: Ed25519PrivateKey
    device: Ed25519PrivateKey
    trace: Trace
    """What its device gives."""
    online: bool = True
    """Whether it answers anything."""
    wrap: Wrapper | None = None
    """How it breaks the protocol of disputes."""
    league: bool = False
    """Whether it confirms, as a verifier, whatever it is to verify."""
    pace: int = 0
    """Ticks that it takes for each message of a dispute."""
    deposited: int = 0

    @property
    def key(self) -> str:
        return public(self.owner)


def key_of(name: str) -> Ed25519PrivateKey:
    """A key by name: so a game is the same every time."""
    return Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())
