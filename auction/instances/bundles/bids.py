"""What every recipe draws: bids of bidders, each for a bundle of goods at a price."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from auction.market import Float, Int

Bundles = NDArray[np.bool_]


@dataclass(frozen=True)
class Bids:
    """N bids, those of a bidder one after the other; of each bidder at most one is to win."""

    bidder: Int  # (N,) rising from 0; a bidder may have none
    bundle: Bundles  # (N, G)
    price: Float  # (N,) tokens, above 0


Draw = Callable[[int], Bids]  # the bids of so many bidders more, on a map that the recipe drew before
