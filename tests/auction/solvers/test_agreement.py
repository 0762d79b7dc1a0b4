"""Every solver on small markets of every family: exact ones agree, heuristics stay below, bounds above."""

from dataclasses import replace
from itertools import product
from typing import get_args

import numpy as np
import pytest

from auction import instances, registry, solvers
from auction.allocation import check
from auction.certificate import derived_bound
from auction.market import READINGS

EXACT = {"brute_force", "ilp_pulp", "ilp_cpsat", "ilp_scip", "assignment"}
SEEDS = range(25)
SLOW = [pytest.param(seed, marks=pytest.mark.slow) for seed in SEEDS[8:]]


def variants(solver):
    """All combinations of a solver's yes-or-no and named options."""
    options = registry.options_of(solvers.load(solver).solve)
    choices = {
        name: (False, True) if option.annotation is bool else get_args(option.annotation)
        for name, option in options.items()
        if option.annotation is bool or get_args(option.annotation)
    }
    return [dict(zip(choices, chosen, strict=True)) for chosen in product(*choices.values())]


def small(generate, family, seed):
    """2..5 tasks, 3..7 providers, 1..3 types; every third market with 0, 1 or 2 slots a provider."""
    market = generate(family, 2 + seed % 4, 3 + seed % 5, 1 + seed % 3, seed)
    if seed % 3 == 0:
        return replace(market, slots=np.random.default_rng(seed).integers(0, 3, market.providers))
    return replace(market, slots=np.minimum(market.slots, 2))


@pytest.mark.parametrize("seed", [*SEEDS[:8], *SLOW])
@pytest.mark.parametrize("family", instances.names())
def test_solvers_agree(generate, family, seed):
    market = small(generate, family, seed)
    for reading in READINGS:
        optimum = solvers.solve(market, "brute_force", reading=reading).welfare
        assert 0 <= optimum <= sum(max(0, b) for b in market.net_bid.tolist())
        for solver in solvers.names():
            if reading not in solvers.load(solver).READINGS:
                continue
            for options in variants(solver):
                outcome = solvers.solve(market, solver, reading=reading, seed=seed, options=options)
                what = (solver, reading, options)
                assert not check(market, outcome.allocation, reading), what
                assert outcome.welfare <= optimum, what
                assert outcome.bound is None or optimum <= outcome.bound, what
                assert outcome.bound is None or outcome.bound <= sum(b for b in market.net_bid.tolist() if b > 0), what
                if outcome.certificate is not None:
                    prices = outcome.certificate
                    assert derived_bound(market, reading, prices.price, prices.vector) == outcome.certified_bound, what
                    assert optimum <= outcome.certified_bound, what
                if outcome.proven_optimal or solver in EXACT or options.get("rows") in ("auto", "providers"):
                    assert outcome.welfare == outcome.bound == optimum and outcome.proven_optimal, what


def test_the_small_markets_tell_solvers_apart(generate):
    """Not all alike: in most something is won, in many the auction misses the optimum, some reading matters."""
    markets = [small(generate, family, seed) for family in instances.names() for seed in SEEDS]
    best = {r: [solvers.solve(market, "brute_force", reading=r).welfare for market in markets] for r in READINGS}
    auction = [solvers.solve(market, "bid_density").welfare for market in markets]
    assert len(markets) >= 200
    assert np.mean(np.array(best["bundle"]) > 0) > 0.5
    assert np.mean(np.array(auction) < best["bundle"]) > 0.25
    assert np.mean(np.array(best["whole"]) < best["bundle"]) > 0.1
