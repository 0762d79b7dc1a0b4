"""What devices do besides what the protocol asks of them; each dishonest one by a table's row."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from experiments.marketplace.dispute_side import Side
from experiments.marketplace.simulation.recorded import FEWER_LAYERS, OLDER_WEIGHTS
from verification.adversaries.break_dispute import ADVERSARIES as BREAKERS
from verification.adversaries.break_dispute import Wrapper
from verification.adversaries.corrupt_trace import ADVERSARIES as CORRUPTIONS
from verification.dispute.party import Party, honest
from verification.trace import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """Chances are of a lease."""

    name: str
    part: float
    """Of the dishonest devices."""
    wrong: float = 0.0
    """Chance of a wrong trace."""
    ways: tuple[str, ...] = ()
    """In which it is wrong, each as likely as any other."""
    slow: float = 0.0
    """Chance that it takes longer than it may."""
    vanishes: float = 0.0
    """Chance that it is gone amid the work, without a word, and comes back later."""
    breaks: float = 0.0
    """Chance that it breaks the protocol of a dispute, in one of the ways of ``break_dispute``."""
    league: bool = False
    """Whether it confirms what a friend gave."""
    claims: bool = False
    """Whether its owner claims against results that are right."""
    returns: bool = False
    """Whether its owner comes back with a new key when one has been removed."""


HONEST = Strategy(name="honest", part=0.0)
STRATEGIES = (
    Strategy(name="older weights", part=0.10, wrong=1.0, ways=(OLDER_WEIGHTS,)),
    Strategy(name="fewer layers", part=0.10, wrong=1.0, ways=(FEWER_LAYERS,)),
    Strategy(name="cheats at times", part=0.20, wrong=0.3, ways=tuple(CORRUPTIONS), breaks=0.3),
    Strategy(name="slow", part=0.10, slow=0.3),
    Strategy(name="vanishes", part=0.10, vanishes=0.2),
    Strategy(name="colludes", part=0.10, wrong=0.5, ways=("wrong-node", "flipped-bit"), league=True),
    Strategy(name="claims falsely", part=0.10, claims=True),
    Strategy(name="comes back", part=0.20, wrong=0.6, ways=("wrong-node", OLDER_WEIGHTS), returns=True),
)
"""Their parts sum to 1."""


def breaking(name: str) -> Side:
    """A side that breaks the protocol of disputes."""
    wrap: Wrapper = BREAKERS[name][0]

    def side(key: Ed25519PrivateKey, trace: Trace) -> Party:
        return wrap(key, honest(key, trace))

    return side
