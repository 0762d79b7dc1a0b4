"""What a mean gap comes to, in every claim about gaps."""

from experiments.claims import Judgement

SMALL, MODERATE = 0.05, 0.20  # of the welfare


def judged(printed: float, best: float) -> Judgement:
    """The verdict on the mean gaps of the auction as printed and of its best variant."""
    return "upheld" if printed <= SMALL else "qualified" if printed <= MODERATE or best <= SMALL else "refuted"
