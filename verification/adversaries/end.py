"""How an adversary's game ends: why, who loses, and what each gains."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from verification.adversaries.cast import USER
from verification.adversaries.scene import Scene

FUND, BURNT = "the fund", "burnt"


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """What is left when nothing is open any more."""

    reason: str
    """Of the refusal or verdict that ends it, or what it is lost by; "" where nothing ends it."""
    loser: str
    """Who loses money by it, payments for what was served apart; "" nobody."""
    gains: Mapping[str, int]
    """Micro-tokens, free and locked, beyond what was deposited, of each party that gained or lost; what work costs is
    not in them."""
    adversaries: tuple[str, ...]
    """Who of them does not keep to the protocol."""
    prevented: bool = True
    """Whether the protocol ends it; else it is something that the protocol is known not to resist."""
    measured: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def gained(self) -> int:
        """What the adversaries gain together."""
        return sum(self.gains.get(name, 0) for name in self.adversaries)


def ended(
    scene: Scene,
    adversaries: Sequence[str],
    reason: str = "",
    *,
    prevented: bool = True,
    paid: Sequence[str] = (USER,),
    together: Mapping[str, Sequence[str]] | None = None,
    measured: Mapping[str, float | str] | None = None,
) -> End:
    """The end of a game, in which money is conserved.

    Args:
        reason: of what ends it; "": of the last verdict.
        paid: who pays for what was served, and is no loser for it.
        together: parties that are told of as one.

    Raises:
        Refusal: not-conserved.
    """
    scene.state.check()
    if not reason and scene.verdicts:
        reason = scene.verdicts[-1][1].reason
    groups = dict(together or {})
    alone = set(scene.parties).difference(*groups.values())
    groups |= {name: [name] for name in scene.parties if name in alone}
    gains = {name: scene.gain(*group) for name, group in groups.items()} | {FUND: scene.fund, BURNT: scene.burnt}
    losers = [name for name, gain in gains.items() if gain < 0 and name not in (*paid, FUND)]
    found = {name: gain for name, gain in gains.items() if gain}
    return End(
        reason=reason,
        loser=", ".join(losers),
        gains=found,
        adversaries=tuple(adversaries),
        prevented=prevented,
        measured=measured or {},
    )
