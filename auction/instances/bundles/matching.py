"""Temporal matching: goods are slots of four airports, an airline wants one to take off and one to land (CATS 4.4)."""

import numpy as np

from auction.errors import InputError
from auction.instances.bundles.bids import Bids, Draw

# Chicago O'Hare, Washington National, New York Kennedy and La Guardia: degrees east and north.
AIRPORTS = np.array([(-87.75, 41.983333), (-77.033333, 38.85), (-73.783333, 40.65), (-73.866667, 40.766667)])
FLIGHTS = np.array([(a, b) for a in range(4) for b in range(4) if a != b and {a, b} != {2, 3}])
LARGEST_PRICE = 5.0  # of a slot of an airport, tokens
DEVIATION = 0.5  # of an airline's price, about 1
LONGEST_FLIGHT = 10  # time slots
EARLY_TAKE_OFF, LATE_TAKE_OFF, LATE_LANDING = 1, 2, 2  # time slots
DELAY = 0.9  # a slot in the air beyond the shortest flight costs a tenth of the price
LATE = 0.75  # a slot of landing late costs a quarter


def matching(goods: int, rng: np.random.Generator) -> Draw:
    """Bid dev (p_a + p_b) DELAY^delay LATE^late on each take-off at a and landing at b about the wanted times.

    Good 4 t + a is time slot t at airport a; goods beyond a multiple of four are in no bid. ``late`` counts landings
    after the wanted one; the program of CATS takes the lesser of it and 0, which raises the price of early ones.

    Raises:
        InputError: fewer than four goods.
    """
    if goods < len(AIRPORTS):
        raise InputError(f"types: {goods} is not allowed with the recipe matching; its airports need at least 4")
    times = goods // len(AIRPORTS)
    price = rng.uniform(0.0, LARGEST_PRICE, len(AIRPORTS))
    distance = np.linalg.norm(AIRPORTS[FLIGHTS[:, 0]] - AIRPORTS[FLIGHTS[:, 1]], axis=1)
    longest = min(LONGEST_FLIGHT, times - 1)
    shortest_flight = np.floor(longest * distance / distance.max() + 0.5).astype(np.int64)

    def draw(bidders: int) -> Bids:
        flight = rng.integers(0, len(FLIGHTS), bidders)
        start = rng.integers(0, times - shortest_flight[flight])
        worth = rng.uniform(1.0 - DEVIATION, 1.0 + DEVIATION, bidders) * price[FLIGHTS[flight]].sum(axis=1)
        shift = np.arange(-EARLY_TAKE_OFF, LATE_TAKE_OFF + 1)[:, None]  # of the take-off, against the wanted one
        delay = np.arange(EARLY_TAKE_OFF + LATE_LANDING + 1)
        late = shift + delay
        take_off = start[:, None, None] + shift
        landing = take_off + shortest_flight[flight][:, None, None] + delay
        bidder, row, column = np.nonzero((take_off >= 0) & (landing < times) & (late <= LATE_LANDING))
        bundle = np.zeros((bidder.size, goods), dtype=bool)
        bid, (origin, target) = np.arange(bidder.size), FLIGHTS[flight[bidder]].T
        bundle[bid, len(AIRPORTS) * take_off[bidder, row, 0] + origin] = True
        bundle[bid, len(AIRPORTS) * landing[bidder, row, column] + target] = True
        factor = DELAY ** delay[column] * LATE ** np.maximum(late[row, column], 0)
        return Bids(bidder, bundle, worth[bidder] * factor)

    return draw
