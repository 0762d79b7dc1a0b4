"""Regions and arbitrary relationships: bundles grow by goods that go with those they have (CATS 4.2, 4.3)."""

import numpy as np

from auction.instances.bundles.bids import Bids, Bundles, Draw
from auction.market import Float, Int

LARGEST_VALUE = 100.0  # of a good, tokens
DEVIATION = 0.5  # of private values, of LARGEST_VALUE
ADDITIONAL = 0.9  # probability of a further good
JUMP = 0.05  # probability that it is any good, in regions
ADDITIVITY = 0.2  # n goods are worth n^(1 + ADDITIVITY) more than their sum
BUDGET = 1.5  # substitutes cost at most so many times the bid
RESALE = 0.5  # and hold at least this share of its common value
SUBSTITUTES = 5
NO_EDGE = 0.1  # probability that two plots side by side are no neighbours
DIAGONAL = 0.2  # probability that a square has a diagonal


def regions(goods: int, rng: np.random.Generator) -> Draw:
    """Plots of land in a grid: neighbours go together; now and then a plot is anywhere.

    The grid has floor(sqrt(G)) columns; where G is no square, CATS leaves the goods beyond it without neighbours, and
    here they fill a last rows.
    """
    adjacent = adjacency(goods, rng)
    while goods > 1 and not adjacent.any(axis=1).all():
        adjacent = adjacency(goods, rng)
    return _bidders(rng, adjacent.astype(float), JUMP)


def arbitrary(goods: int, rng: np.random.Generator) -> Draw:
    """Any two goods go together, with a weight uniform on 0..1."""
    weight = np.triu(rng.random((goods, goods)), 1)
    return _bidders(rng, weight + weight.T, 0.0)


def adjacency(goods: int, rng: np.random.Generator) -> Bundles:
    """(G, G) which plots are neighbours: side by side mostly, corner to corner in some squares, one way a square."""
    columns = int(np.sqrt(goods))
    plot = np.arange(goods)
    last = plot % columns == columns - 1
    edges = [
        (plot, plot + columns, rng.random(goods) > NO_EDGE),
        (plot, plot + 1, (rng.random(goods) > NO_EDGE) & ~last),
    ]
    square = (rng.random(goods) < DIAGONAL) & ~last
    falling = rng.random(goods) < 0.5
    edges += [(plot, plot + columns + 1, square & falling), (plot + 1, plot + columns, square & ~falling)]
    adjacent = np.zeros((goods, goods), dtype=bool)
    for one, other, drawn in edges:
        a, b = np.stack((one, other))[:, drawn & (np.maximum(one, other) < goods)]
        adjacent[a, b] = adjacent[b, a] = True
    return adjacent


def _bidders(rng: np.random.Generator, weight: Float, jump: float) -> Draw:
    goods = weight.shape[0]
    common = rng.uniform(1.0, LARGEST_VALUE, goods)

    def draw(bidders: int) -> Bids:
        private = rng.uniform(-DEVIATION * LARGEST_VALUE, DEVIATION * LARGEST_VALUE, (bidders, goods))
        liking = private + DEVIATION * LARGEST_VALUE
        bundle, pull = _of_one(_choice(rng, liking), weight)
        growing = np.arange(bidders)
        while (growing := growing[rng.random(growing.size) <= ADDITIONAL]).size:
            _grow(rng, weight, jump, liking, bundle, pull, growing)
        price = _price(bundle, private + common)

        of, first = np.nonzero(bundle)  # a substitute is grown from each good of the bid
        other, pull = _of_one(first, weight)
        size, wanted = np.ones(of.size, dtype=np.int64), bundle.sum(axis=1)[of]
        while (growing := np.flatnonzero(size < wanted)).size:
            size[_grow(rng, weight, jump, liking[of], other, pull, growing)] += 1
        price_of = _price(other, (private + common)[of])
        allowed = (price_of >= 0) & (price_of <= BUDGET * price[of])
        allowed &= other @ common >= RESALE * (bundle @ common)[of]
        chosen = np.flatnonzero(allowed & (other != bundle[of]).any(axis=1))
        chosen = chosen[_best_distinct(of[chosen], other[chosen], price_of[chosen])]

        bidder = np.concatenate((np.arange(bidders), of[chosen]))
        order = np.argsort(bidder, kind="stable")
        order = order[price[bidder[order]] > 0]  # CATS draws such a bidder again
        return Bids(bidder[order], np.vstack((bundle, other[chosen]))[order], np.append(price, price_of[chosen])[order])

    return draw


def _of_one(good: Int, weight: Float) -> tuple[Bundles, Float]:
    """Bundles of one good each, and what pulls at every other good."""
    return np.eye(weight.shape[0], dtype=bool)[good], weight[good]


def _choice(rng: np.random.Generator, weight: Float) -> Int:
    """(N,) one good of each row, by weight."""
    reached = weight.cumsum(axis=1)
    chosen: Int = (reached > rng.random((weight.shape[0], 1)) * reached[:, -1:]).argmax(axis=1)
    return chosen


def _grow(
    rng: np.random.Generator, weight: Float, jump: float, liking: Float, bundle: Bundles, pull: Float, rows: Int
) -> Int:
    """Add a good to each of these bundles, and return those that there was one for.

    With probability ``jump`` any good, otherwise by sum over its goods of their weight, times what the bidder likes.
    """
    chance = pull[rows] * liking[rows]
    jumping = rng.random(rows.size) < jump
    chance[jumping] = 1.0
    chance[bundle[rows]] = 0.0
    possible = chance.any(axis=1)
    rows = rows[possible]
    good = _choice(rng, chance[possible])
    bundle[rows, good] = True
    pull[rows] += weight[good]
    return rows


def _price(bundle: Bundles, value: Float) -> Float:
    price: Float = (bundle * value).sum(axis=1) + bundle.sum(axis=1) ** (1.0 + ADDITIVITY)
    return price


def _best_distinct(bidder: Int, bundle: Bundles, price: Float) -> Int:
    """Of each bidder the SUBSTITUTES dearest that differ."""
    _, distinct = np.unique(np.column_stack((bidder, np.packbits(bundle, axis=1))), axis=0, return_index=True)
    order = distinct[np.lexsort((-price[distinct], bidder[distinct]))]
    begins = np.searchsorted(bidder[order], bidder[order])
    best: Int = order[np.arange(order.size) - begins < SUBSTITUTES]
    return best
