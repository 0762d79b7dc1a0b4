"""Regions' providers go where slots are dear, all of them go somewhere, and the figure is of whole days."""

import numpy as np
import pandas as pd
import pytest

from experiments.claims import regions_trade_by_prices as claim

REGIONS = claim.REGIONS


@pytest.mark.parametrize("hour", range(claim.HOURS))
def test_the_load_is_the_whole_and_goes_round(hour):
    load = claim._load(hour)
    assert load.sum() == pytest.approx(1) and (load > 0).all()
    later = claim._load(hour + claim.HOURS // REGIONS)
    assert later == pytest.approx(np.roll(load, 1))
    assert claim._parts(load, 101).sum() == 101 and abs(claim._parts(load, 101) - 101 * load).max() <= 1


def test_providers_are_spread_by_their_weights_each_from_its_home():
    weights = np.tile(np.eye(REGIONS)[:, :, None], 2)
    kind = np.arange(80) // 40
    assert (claim._spread(weights, kind) == np.arange(80) % REGIONS).all()
    weights[1, :, 0] = [0.5, 0, 0, 0.5]
    where = claim._spread(weights, kind)
    left = (np.arange(80) % REGIONS == 1) & (kind == 0)
    assert np.bincount(where[left], minlength=REGIONS).tolist() == [5, 0, 0, 5]
    assert (where[~left] == (np.arange(80) % REGIONS)[~left]).all()


def test_a_list_moves_weights_to_where_a_slot_costs_more():
    weights = np.full((REGIONS, REGIONS, 1), 1 / REGIONS)
    price = np.array([[10.0], [5.0], [0.0], [10.0]])
    moved = claim._learnt(weights, price, even=0.0)
    factor = np.exp(claim.LEARNING * np.array([1, 0.5, 0, 1]))
    assert moved[2, :, 0] == pytest.approx(factor / factor.sum())
    assert claim._learnt(weights, price, even=1.0) == pytest.approx(weights)
    assert claim._learnt(weights, np.zeros((REGIONS, 1)), even=0.0) == pytest.approx(weights)


def test_exchanges_within_a_round_leave_less_than_none():
    alone, often = (claim._day(1, each, 400) for each in (0.0, 4.0))
    assert (alone["bound"] == often["bound"]).all() and (alone["welfare"] <= alone["bound"]).all()
    assert often["welfare"].sum() > alone["welfare"].sum()
    assert set(often["lists"]) == {4 * REGIONS * (REGIONS - 1)}


def test_the_figure_is_of_whole_days():
    lost = {0.0: 0.3, 0.25: 0.2, 0.5: 0.15, 1.0: 0.1, 2.0: 0.05, 4.0: 0.02}
    rows = [
        {"seed": seed, "exchanges": each, "lists": 12 * each, "tasks": 9, "bound": bound, "welfare": bound - share}
        for seed in range(4)
        for each, part in lost.items()
        for bound, share in ((900, 1000 * part), (100, 0))
    ]
    verdict = claim.check({"rounds": pd.DataFrame(rows)})
    assert verdict.verdict == "found"
    assert verdict.figure.startswith(
        "2.00% (2.00% to 2.00%) of the certified bound is lost at 4 exchanges a round, 30.0%"
    )
    assert "before leave 10.0%; older ones 15.0% or more" in verdict.explanation
