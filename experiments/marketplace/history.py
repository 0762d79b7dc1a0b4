"""What a device did."""

from dataclasses import dataclass

from experiments.marketplace.messages import Final


@dataclass(slots=True)
class History:
    """What a device did."""

    accepted: int = 0
    declined: int = 0
    results: int = 0
    final: int = 0
    fallen: int = 0
    missed: int = 0
    earned: int = 0
    """Micro-tokens."""

    def over(self, told: Final) -> None:
        """A lease of it is over."""
        self.final += told.outcome == "final"
        self.fallen += told.outcome == "fallen"
        self.missed += told.outcome == "missed"
        self.earned += int(told.paid)
