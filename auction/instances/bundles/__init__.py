"""Winner determination: bids for bundles of goods, by the recipes of CATS (Leyton-Brown, Pearson, Shoham 2000)."""

from typing import Literal

import numpy as np

from auction.cats import market_of_goods
from auction.instances._draws import micro
from auction.instances.bundles.bids import Bids, Draw
from auction.instances.bundles.matching import matching
from auction.instances.bundles.neighbours import arbitrary, regions
from auction.instances.bundles.paths import paths
from auction.instances.bundles.scheduling import scheduling
from auction.market import Int, Market

RECIPES = {
    "arbitrary": arbitrary,
    "matching": matching,
    "paths": paths,
    "regions": regions,
    "scheduling": scheduling,
}
BIDDERS = 64  # drawn at once: memory is this times the goods times the bids of a bidder


def generate(
    tasks: int,
    providers: int,
    types: int,
    rng: np.random.Generator,
    *,
    recipe: Literal["arbitrary", "matching", "paths", "regions", "scheduling"] = "regions",
) -> Market:
    """Bids are tasks, goods are types; provider j sells one piece of good j mod K and asks nothing.

    As many providers as types is winner determination as CATS states it: every good once. Each bidder's bids exclude
    one another by a dummy good that all of them demand: the market has one more type and one more provider for each
    bidder of several bids. A task's net bid is the price CATS draws, in tokens: e_i is beta, and v_i has it added.

    Parameters are CATS' defaults, with private values drawn uniformly (arbitrary-upv, regions-upv). What differs from
    the paper or from the program: there are exactly as many bids as asked for (the last bidder's are cut off) and
    dominated bids stay (the program's -no_dom_check: no bidder's bids dominate one another); the rest is said by the
    recipes.

    Args:
        recipe: arbitrary (any goods may go together), matching (take-off and landing slots of four airports), paths
            (roads between two cities), regions (neighbours in a grid), scheduling (time slots before deadlines).
    """
    bids = _first(tasks, types, RECIPES[recipe](types, rng))
    dummies = _dummies(bids.bidder)
    extra = dummies.shape[1]
    demand = np.hstack((bids.bundle.astype(np.int64), dummies))
    sold = np.concatenate((np.arange(providers) % types, types + np.arange(extra)))
    return market_of_goods(demand, micro(bids.price), sold)


def _first(count: int, goods: int, draw: Draw) -> Bids:
    """The first ``count`` bids, bidder by bidder."""
    bidder: Int = np.zeros(0, dtype=np.int64)
    bundle, price = np.zeros((0, goods), dtype=bool), np.zeros(0)
    while bidder.size < count:
        drawn = draw(min(BIDDERS, count - bidder.size))
        bidder = np.concatenate((bidder, drawn.bidder + (bidder[-1] + 1 if bidder.size else 0)))
        bundle, price = np.vstack((bundle, drawn.bundle)), np.concatenate((price, drawn.price))
    return Bids(bidder[:count], bundle[:count], price[:count])


def _dummies(bidder: Int) -> Int:
    """(m, D) a good for each bidder of several bids, which all of them demand."""
    _, of, bids = np.unique(bidder, return_inverse=True, return_counts=True)
    return np.eye(bids.size, dtype=np.int64)[of][:, bids > 1]
