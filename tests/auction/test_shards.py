"""Shards of one market: what they allocate is feasible for the whole, what their prices prove bounds the whole."""

import json
from dataclasses import replace

import numpy as np
import pytest

from auction import Market, generate, shards, solve
from auction.allocation import Allocation, check
from auction.certificate import Certificate, derived_bound
from auction.files import write_market
from auction.welfare import welfare


@pytest.fixture
def parted(tmp_path):
    """A market's shards as files."""

    def parted(market, count, seed=0):
        paths = []
        for number, shard in enumerate(shards.split(market, count, seed)):
            paths.append(tmp_path / f"shard-{number}.npz")
            write_market(paths[-1], shard)
        return paths

    return parted


def test_a_split_parts_both_sides_and_nothing_is_lost():
    market = generate("uniform", 11, 17, 2, 5)
    parts = shards.split(market, 3, seed=4)
    for name in ("value", "cost"):
        assert sorted(np.concatenate([getattr(part, name) for part in parts])) == sorted(getattr(market, name))
    assert [part.tasks for part in parts] == [4, 4, 3] and [part.providers for part in parts] == [6, 6, 5]
    assert shards.split(market, 1)[0].digest == market.digest


@pytest.mark.parametrize("family, seed", [("classes", 1), ("uniform", 2), ("uniform", 3), ("scarce", 4)])
@pytest.mark.parametrize("reading", ["bundle", "whole"])
def test_the_parts_of_the_bound_add_up_to_a_bound_of_the_whole(parted, family, seed, reading):
    """Against the optimum of the whole, and against its bound by the same prices, derived at once."""
    market = generate(family, 6, 10, 2, seed)
    found = shards.solve(parted(market, 3), reading=reading, time_limit=10, processes=1)
    optimum = solve(market, "ilp_cpsat", reading=reading, options={"warm_start": True})
    assert optimum.proven_optimal
    total = sum(one.bound for one in found)
    assert sum(one.welfare for one in found) <= optimum.welfare <= total
    certificate = found[0].certificate
    assert total >= derived_bound(market, reading, certificate.price, certificate.vector)
    assert all(one.bound == one.certified_bound >= one.welfare for one in found)


def test_what_shards_allocate_is_feasible_for_the_whole(parted):
    market = generate("uniform", 30, 40, 2, 6)
    found = shards.solve(parted(market, 2), time_limit=10, processes=1)
    rng = np.random.default_rng(0)
    parts = [np.array_split(rng.permutation(size), 2) for size in (30, 40)]
    task = np.concatenate([np.sort(part)[one.allocation.task] for part, one in zip(parts[0], found, strict=True)])
    provider = np.concatenate(
        [np.sort(part)[one.allocation.provider] for part, one in zip(parts[1], found, strict=True)]
    )
    whole = Allocation.of(task, provider)
    assert not check(market, whole, "bundle") and welfare(market, whole) == sum(one.welfare for one in found)


def test_shards_that_clip_vectors_differently_list_both_at_no_less():
    wide, narrow = np.array([[3, 1], [5, 1]]), np.array([[3, 1], [5, 2]])
    listed = [(wide, np.array([10, 20])), (narrow, np.array([14, 31]))]
    vector, price = shards.common_prices(listed, [np.array([5, 2]), np.array([3, 2])])
    found = dict(zip(map(tuple, vector.tolist()), price.tolist(), strict=True))
    assert found == {(3, 1): 12, (5, 1): 20, (5, 2): 31, (3, 2): 31}
    vector, price = shards.common_prices(listed[:1], [np.array([5, 1])])
    assert dict(zip(map(tuple, vector.tolist()), price.tolist(), strict=True)) == {(3, 1): 10, (5, 1): 20}


def test_bounds_are_derived_again_and_prices_that_differ_are_refused(parted, refusal):
    paths = parted(generate("classes", 40, 50, 2, 7), 2)
    found = shards.solve(paths, time_limit=10, processes=1)
    certificates = [one.certificate for one in found]
    assert shards.derived(paths, certificates, processes=1) == [one.bound for one in found]
    other = replace(certificates[1], price=certificates[1].price + 1)
    assert "other prices than" in refusal(shards.derived, paths, [certificates[0], other], 1)


@pytest.mark.parametrize(
    "vector, price, said",
    [
        ([[0, 0], [1, 0], [1, 1]], [0, 0, 10], "cost less than tasks of other shards count them"),
        ([[0, 0], [1, 0], [1, 1]], [0, 0, 0], None),
        ([[0, 0], [1, 0]], [0, 0], "lists no slots as large as tasks of other shards use"),
    ],
)
def test_prices_whose_parts_are_no_bound_are_refused(tmp_path, refusal, vector, price, said):
    """One shard asks for one type only: its provider's slots of both types cost what slots of one do there."""
    terms = {"unit_work": [0.0, 0.0], "alpha": 2, "beta": 0}
    one = Market(demand=[[1, 0]], value=[1], resource=[[1, 1]], slots=[1], cost=[0], ability=[[1, 1]], **terms)
    both = Market(demand=[[1, 1]], value=[10], resource=[[1, 0]], slots=[1], cost=[10], ability=[[1, 1]], **terms)
    certificates, paths = [], [tmp_path / "a.npz", tmp_path / "b.npz"]
    for path, market in zip(paths, (one, both), strict=True):
        write_market(path, market)
        prices = np.array(price), np.array(vector)
        bound = derived_bound(market, "bundle", *prices)
        certificates.append(Certificate(market.digest, "bundle", bound, *prices))
    if said:
        assert said in refusal(shards.derived, paths, certificates, 1)
        return
    whole = Market(
        demand=[[1, 0], [1, 1]], value=[1, 10], resource=[[1, 1], [1, 0]], slots=[1, 1], cost=[0, 10],
        ability=[[1, 1], [1, 1]], **terms,
    )  # fmt: skip
    assert sum(shards.derived(paths, certificates, 1)) >= solve(whole, "brute_force").welfare == 10


def test_parts_of_different_markets_are_refused(tmp_path, refusal):
    paths = [tmp_path / "a.npz", tmp_path / "b.npz"]
    for seed, path in enumerate(paths):
        write_market(path, generate("uniform", 10, 12, 2, seed))
    message = refusal(shards.solve, paths, time_limit=5, processes=1)
    assert message == f"{paths[1]}: unit_work differs from {paths[0]}'s; shards are parts of one market"


def test_the_commands_part_solve_and_check(cli, tmp_path):
    whole, parts, out = tmp_path / "market.npz", tmp_path / "parts", tmp_path / "solved"
    write_market(whole, generate("classes", 60, 80, 2, 7))
    assert cli("split", whole, "--shards", 2, "--out", parts)[0] == 0
    paths = sorted(parts.iterdir())
    arguments = ("shards", *paths, "--out", out, "--time-limit", 10, "--workers", 1)
    code, printed, _ = cli(*arguments, "--json")
    solved = json.loads(printed)
    assert code == 0 and [path.name for path in paths] == ["shard-0.npz", "shard-1.npz"]
    for name in ("welfare", "bound", "pairs"):
        assert solved["total"][name] == sum(row[name] for row in solved["shards"])
    assert 0 <= solved["total"]["gap"] < 1
    for path in paths:
        named = (out / f"{path.stem}.outcome.json", "--certificate", out / f"{path.stem}.certificate.json")
        assert cli("check", path, *named)[0] == 0
    assert json.loads(cli(*arguments, "--check", "--json")[1])["total"]["bound"] == solved["total"]["bound"]
    lines = cli(*arguments, "--check")[1].splitlines()
    assert str(paths[0]) in lines and lines[-1].startswith("all ")
    file = out / "shard-1.certificate.json"
    claimed = json.loads(file.read_text())
    file.write_text(json.dumps(claimed | {"price": [price + 1 for price in claimed["price"]]}))
    code, _, error = cli(*arguments, "--check")
    assert code == 2 and "other prices" in error
