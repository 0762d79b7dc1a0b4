"""Temporal scheduling: goods are time slots of one resource, a job needs some of them in a row (CATS 4.5)."""

import numpy as np

from auction.instances.bundles.bids import Bids, Draw

LONGEST = 10  # time slots of a job
DEVIATION = 0.5  # of a job's value, about 1
FURTHER_DEADLINE = 0.7  # probability
ADDITIVITY = 0.2  # a job of l slots is worth l^(1 + ADDITIVITY)


def scheduling(goods: int, rng: np.random.Generator) -> Draw:
    """Bid dev l^(1 + ADDITIVITY) d_1 / d on every window of l slots, d being the first deadline it meets.

    Slots are counted from 1; the program of CATS counts deadlines from 0, which makes those of the first slot worth 0.
    """

    def draw(bidders: int) -> Bids:
        length = rng.integers(1, min(LONGEST, goods) + 1, bidders)
        first = rng.integers(length, goods + 1)
        dev = rng.uniform(1.0 - DEVIATION, 1.0 + DEVIATION, bidders)
        ends = np.arange(1, goods + 1)
        met = np.where(ends <= first[:, None], first[:, None], 0)  # the first deadline of a job that ends so
        last, extended = first.copy(), np.arange(bidders)
        while True:
            extended = extended[(last[extended] < goods) & (rng.random(extended.size) <= FURTHER_DEADLINE)]
            if not extended.size:
                break
            later = rng.integers(last[extended] + 1, goods + 1)[:, None]
            met[extended] = np.where((ends > last[extended, None]) & (ends <= later), later, met[extended])
            last[extended] = later[:, 0]
        bidder, end = np.nonzero((met > 0) & (ends >= length[:, None]))
        bundle = (np.arange(goods) <= end[:, None]) & (np.arange(goods) > (end - length[bidder])[:, None])
        worth = dev * length ** (1.0 + ADDITIVITY) * first
        return Bids(bidder, bundle, worth[bidder] / met[bidder, end])

    return draw
