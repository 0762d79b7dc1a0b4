"""Paths in space: goods are roads, a bidder wants to go from one city to another (CATS 4.1)."""

from heapq import heappop, heappush

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra, shortest_path

from auction.instances.bundles.bids import Bids, Draw
from auction.market import Float, Int

CONNECTIONS = 2  # nearest cities that each is joined to first
CITIES = 2  # roads to a city, before cities are founded
BUILDING_PENALTY = 1.7  # a road to be built counts so many times its length
SHIPPING_COST_FACTOR = 1.5  # a path is worth at most so many times the distance
LARGEST_SET = 5  # bids of a bidder


def paths(goods: int, rng: np.random.Generator) -> Draw:
    """Bid d |ab| - length on the shortest paths from a to b for which it is above 0, d uniform on 1..1.5.

    As the paper has it: the program of CATS 2 bids d |ab| on all of them and lets roads that stand be as dear as those
    to be built. It also builds a fifth more roads than asked for and drops those that no bid names; here all are goods.
    """
    place, road = roads(goods, rng)
    cities, length = len(place), np.linalg.norm(place[road[:, 0]] - place[road[:, 1]], axis=1)
    left = shortest_path(coo_array((length, road.T), (cities, cities)).tocsr(), directed=False)
    leaving: list[list[tuple[int, int]]] = [[] for _ in range(cities)]
    for good, (one, other) in enumerate(road.tolist()):
        leaving[one].append((other, good))
        leaving[other].append((one, good))

    def draw(bidders: int) -> Bids:
        bidder, bundle, price = [], [], []
        for number in range(bidders):
            start, end = rng.choice(cities, 2, replace=False).tolist()
            worth = rng.uniform(1.0, SHIPPING_COST_FACTOR) * float(np.linalg.norm(place[start] - place[end]))
            for cost, named in _shortest(start, end, worth, left[:, end], leaving, length):
                bidder.append(number)
                bundle.append(np.isin(np.arange(goods), named))
                price.append(worth - cost)
        return Bids(np.array(bidder, dtype=np.int64), np.array(bundle, dtype=bool).reshape(-1, goods), np.array(price))

    return draw


def roads(goods: int, rng: np.random.Generator) -> tuple[Float, Int]:
    """(c, 2) cities in the unit square, and (G, 2) the cities that each road joins.

    First from every city to its nearest; then people go from one city to another as is shortest, and what they lack on
    the way is built, until there are G roads. Where as many trips as there are cities build nothing, a city is founded.
    """
    place = rng.random((max(2, goods // CITIES), 2))
    built: dict[tuple[int, int], None] = {}  # in the order of building
    joined = 0
    while True:
        cities = len(place)
        distance = np.linalg.norm(place[:, None] - place, axis=2)
        cost = BUILDING_PENALTY * distance
        for city in range(joined, cities):
            built |= dict.fromkeys(
                (min(city, a), max(city, a)) for a in distance[city].argsort()[1:][:CONNECTIONS].tolist()
            )
        for road in built:
            cost[road] = cost[road[::-1]] = distance[road]
        joined, idle = cities, 0
        while len(built) < goods and idle < cities:
            start, end = rng.choice(cities, 2, replace=False).tolist()
            before = dijkstra(cost, indices=start, return_predecessors=True)[1].tolist()
            idle += 1
            while end != start:
                road = min(end, before[end]), max(end, before[end])
                if road not in built:
                    built[road] = None
                    cost[road] = cost[road[::-1]] = distance[road]
                    idle = 0
                end = before[end]
        if len(built) >= goods:
            return place, np.array(list(built), dtype=np.int64)[:goods]
        place = np.vstack((place, rng.random((1, 2))))


def _shortest(
    start: int, end: int, limit: float, left: Float, leaving: list[list[tuple[int, int]]], length: Float
) -> list[tuple[float, list[int]]]:
    """Length and roads of up to LARGEST_SET shortest paths without loops, all below the limit (A*, exact distances)."""
    found: list[tuple[float, list[int]]] = []
    heap: list[tuple[float, float, list[int], list[int]]] = [(left[start], 0.0, [start], [])]
    while heap and len(found) < LARGEST_SET:
        _, cost, visited, taken = heappop(heap)
        if visited[-1] == end:
            found.append((cost, taken))
            continue
        for city, good in leaving[visited[-1]]:
            further = cost + length[good]
            if city not in visited and further + left[city] < limit:
                heappush(heap, (further + left[city], further, [*visited, city], [*taken, good]))
    return found
