"""Bids by the recipes of CATS: what each says of bundles and prices, recomputed from the map that was drawn."""

import importlib
from itertools import islice, pairwise, product

import networkx as nx
import numpy as np
import pytest

from auction.instances.bundles import RECIPES, generate
from auction.instances.bundles.matching import matching
from auction.instances.bundles.neighbours import adjacency, arbitrary, regions
from auction.instances.bundles.paths import paths, roads
from auction.instances.bundles.scheduling import scheduling
from auction.market import MICRO

neighbours = importlib.import_module("auction.instances.bundles.neighbours")
every = pytest.mark.parametrize("recipe", RECIPES)


def groups(bids):
    """The rows of each bidder."""
    return [np.flatnonzero(bids.bidder == bidder) for bidder in np.unique(bids.bidder)]


@every
@pytest.mark.parametrize("tasks, goods", [(0, 4), (1, 5), (60, 6), (90, 37)])
def test_a_market_of_goods(recipe, tasks, goods):
    market = generate(tasks, goods, goods, np.random.default_rng(5), recipe=recipe)
    real, dummy = market.demand[:, :goods], market.demand[:, goods:]
    assert market.demand.max(initial=1) == 1 and real.any(axis=1).all()
    assert (dummy.sum(axis=1) <= 1).all() and (dummy.sum(axis=0) >= 2).all()
    assert (market.resource == np.eye(market.types)).all() and (market.slots == 1).all() and not market.cost.any()
    drawn = RECIPES[recipe](goods, np.random.default_rng(5))(min(64, tasks))
    assert (real[: drawn.bidder.size] == drawn.bundle[:tasks]).all()
    assert market.net_bid[: drawn.price.size] / MICRO == pytest.approx(drawn.price[:tasks], abs=1e-6)


@every
def test_bids_of_a_bidder_and_no_others_share_a_dummy(recipe):
    market = generate(50, 12, 12, np.random.default_rng(2), recipe=recipe)
    bidder = RECIPES[recipe](12, np.random.default_rng(2))(50).bidder[:50]
    dummy = market.demand[:, 12:]
    share = (dummy @ dummy.T > 0) | np.eye(market.tasks, dtype=bool)
    first = share[: bidder.size, : bidder.size]
    assert (first == (bidder[:, None] == bidder)).all()


def test_providers_sell_the_goods_in_turn():
    market = generate(20, 9, 4, np.random.default_rng(0))
    assert market.resource[:9].argmax(axis=1).tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 0]
    assert (market.resource[9:, 4:] == np.eye(market.types - 4)).all()
    few = generate(20, 2, 4, np.random.default_rng(0))
    assert few.resource.sum(axis=0)[:4].tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize("goods, columns", [(400, 20), (410, 20), (2, 1), (3, 1)])
def test_plots_are_neighbours_in_a_grid(goods, columns):
    drawn = [adjacency(goods, np.random.default_rng(seed)) for seed in range(40)]
    row, column = np.divmod(np.arange(goods), columns)
    rows, across = np.abs(row[:, None] - row), np.abs(column[:, None] - column)
    for adjacent in drawn:
        assert (adjacent == adjacent.T).all() and not adjacent[np.maximum(rows, across) != 1].any()
        for plot in range(goods - columns - 1) if columns > 1 else ():  # one diagonal a square at most
            if column[plot] < columns - 1:
                assert not (adjacent[plot, plot + columns + 1] and adjacent[plot + 1, plot + columns])
    mean = np.mean(drawn, axis=0)
    assert mean[rows + across == 1].mean() == pytest.approx(0.9, abs=0.06)
    if columns > 1:
        assert mean[(rows == 1) & (across == 1)].mean() == pytest.approx(0.2 / 2, abs=0.01)


@pytest.mark.parametrize("goods", [1, 2, 3, 10])
def test_no_plot_is_alone(goods):
    for seed in range(40):
        bids = regions(goods, np.random.default_rng(seed))(5)
        assert bids.bundle.any(axis=1).all() and bids.bundle.shape[1] == goods


def test_regions_without_jumps_are_in_one_piece(monkeypatch):
    def pieces(bids):
        return [nx.number_connected_components(graph.subgraph(np.flatnonzero(bundle))) for bundle in bids.bundle]

    seed = next(s for s in range(99) if nx.is_connected(nx.from_numpy_array(adjacency(49, np.random.default_rng(s)))))
    graph = nx.from_numpy_array(adjacency(49, np.random.default_rng(seed)))
    assert max(pieces(regions(49, np.random.default_rng(seed))(60))) > 1
    monkeypatch.setattr(neighbours, "JUMP", 0.0)
    assert set(pieces(regions(49, np.random.default_rng(seed))(60))) == {1}


@pytest.mark.parametrize("recipe", [regions, arbitrary])
def test_substitutes(recipe):
    bids = recipe(64, np.random.default_rng(1))(300)
    size = bids.bundle.sum(axis=1)
    several = 0
    for first, *others in groups(bids):
        several += bool(others)
        assert len(others) <= 5 and len({bids.bundle[row].tobytes() for row in (first, *others)}) == 1 + len(others)
        assert all(size[row] == size[first] and (bids.bundle[row] & bids.bundle[first]).any() for row in others)
        assert all(0 <= bids.price[row] <= 1.5 * bids.price[first] for row in others)
        assert (np.diff(bids.price[others]) <= 0).all()
    assert several > 150
    firsts = size[[rows[0] for rows in groups(bids)]]
    assert np.mean(firsts == 1) == pytest.approx(0.1, abs=0.05)
    assert firsts.mean() == pytest.approx(10, abs=1.5)


@pytest.mark.parametrize("recipe", [regions, arbitrary])
def test_prices_are_values_of_goods_and_of_their_number(monkeypatch, recipe):
    """Where bidders differ by nothing, prices give the common values away."""
    monkeypatch.setattr(neighbours, "DEVIATION", 1e-9)
    bids = recipe(25, np.random.default_rng(3))(200)
    rest = bids.price - bids.bundle.sum(axis=1) ** 1.2
    common, *_ = np.linalg.lstsq(bids.bundle.astype(float), rest)
    assert bids.bundle @ common == pytest.approx(rest, abs=1e-4)
    assert 1 <= common.min() < 15 and 85 < common.max() <= 100
    for first, *others in groups(bids):
        assert all(rest[row] >= 0.5 * rest[first] - 1e-4 for row in others)


@pytest.mark.parametrize("goods", [1, 2, 3, 4, 9, 40, 75])
def test_roads_and_the_paths_on_them(goods):
    """Bundles are the shortest paths between two cities; the price and the length add up to one worth a bidder."""
    place, road = roads(goods, np.random.default_rng(goods))
    assert road.shape == (goods, 2) and len({frozenset(ends) for ends in road.tolist()}) == goods
    assert (road[:, 0] != road[:, 1]).all() and ((place >= 0) & (place <= 1)).all()
    graph = nx.Graph()
    for good, (a, b) in enumerate(road.tolist()):
        graph.add_edge(a, b, length=float(np.linalg.norm(place[a] - place[b])), good=good)
    bids = paths(goods, np.random.default_rng(goods))(60)
    assert bids.bidder.size
    for rows in groups(bids):
        used = nx.Graph([road[good].tolist() for good in np.flatnonzero(bids.bundle[rows[0]])])
        start, end = [city for city, degree in used.degree if degree == 1]
        length = [sum(graph.edges[road[g]]["length"] for g in np.flatnonzero(bids.bundle[row])) for row in rows]
        (worth,) = {round(total, 9) for total in bids.price[rows] + length}
        assert 1 <= worth / np.linalg.norm(place[start] - place[end]) <= 1.5
        shortest = [
            {graph.edges[pair]["good"] for pair in pairwise(path)}
            for path in islice(nx.shortest_simple_paths(graph, start, end, "length"), 6)
        ]
        bid_on = [set(np.flatnonzero(bids.bundle[row]).tolist()) for row in rows]
        assert bid_on == shortest[: len(rows)] and (bids.price[rows] > 0).all()
        if len(rows) < min(5, len(shortest)):
            assert sum(graph.edges[road[good]]["length"] for good in shortest[len(rows)]) >= worth - 1e-9


@pytest.mark.parametrize("goods", [4, 8, 43, 120])
def test_flights_take_off_and_land_about_when_they_want(goods):
    """Every bidder's bids are those of one wanted time: all of them, at prices that fall with delay and lateness."""
    times = goods // 4
    degrees = [(-87.75, 41.9833), (-77.0333, 38.85), (-73.7833, 40.65), (-73.8667, 40.7667)]
    bids = matching(goods, np.random.default_rng(7))(80)
    longest = np.hypot(*np.subtract(degrees[0], degrees[2]))
    seen = set()
    for rows in groups(bids):
        slots = [np.flatnonzero(bids.bundle[row]).tolist() for row in rows]
        assert all(len(pair) == 2 for pair in slots)
        found = []
        for a, b in product(range(4), repeat=2):
            if a == b or {a, b} == {2, 3}:
                continue
            flight = round(min(10, times - 1) * np.hypot(*np.subtract(degrees[a], degrees[b])) / longest)
            for wanted in range(times - flight):
                factor = {
                    frozenset((4 * off + a, 4 * on + b)): 0.9 ** (on - off - flight)
                    * 0.75 ** max(on - wanted - flight, 0)
                    for off in range(max(0, wanted - 1), min(times, wanted + 3))
                    for on in range(off + flight, min(times, wanted + flight + 3))
                }
                if set(factor) == {frozenset(pair) for pair in slots}:
                    worth = {round(p / factor[frozenset(s)], 9) for p, s in zip(bids.price[rows], slots, strict=True)}
                    if len(worth) == 1 and 0 < min(worth) <= 1.5 * 2 * 5:
                        found.append((a, b))
        assert found
        seen |= set(found)
    assert len(seen) == 10


def test_four_airports_need_four_goods(refusal):
    message = refusal(generate, 3, 3, 3, np.random.default_rng(0), recipe="matching")
    assert message == "types: 3 is not allowed with the recipe matching; its airports need at least 4"


@pytest.mark.parametrize("goods", [1, 2, 7, 40])
def test_jobs_meet_deadlines(goods):
    """Every window of a job's length up to its last deadline, at a price that falls as 1 / deadline."""
    bids = scheduling(goods, np.random.default_rng(11))(200)
    lengths, dropped = [], 0
    for rows in groups(bids):
        windows = [np.flatnonzero(bids.bundle[row]) + 1 for row in rows]
        length = windows[0].size
        assert all(window.size == length and window[-1] - window[0] == length - 1 for window in windows)
        ends = np.array([window[-1] for window in windows])
        assert ends.tolist() == list(range(length, ends[-1] + 1))
        deadline = np.array([ends[np.isclose(bids.price[rows], price)].max() for price in bids.price[rows]])
        assert bids.price[rows] * deadline == pytest.approx(bids.price[rows[0]] * deadline[0])
        assert 0.5 <= bids.price[rows[0]] / length**1.2 <= 1.5
        lengths.append(length)
        dropped += deadline[0] < ends[-1]
    assert set(lengths) == set(range(1, min(10, goods) + 1)) and (dropped > 0) == (goods > 1)
