"""The start of the exact solvers is the best of all heuristics."""

from itertools import product

import pytest

from auction.allocation import check
from auction.market import READINGS
from auction.search import Stop
from auction.solvers import solve
from auction.solvers._warm_start import best_heuristic
from auction.welfare import welfare


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("reading", READINGS)
def test_none_is_better(generate, reading, seed):
    market = generate(("uniform", "scarce", "heavy_tailed", "adversarial")[seed % 4], 12, 15, 2, seed)
    start = best_heuristic(market, reading, Stop(None))
    runs = [("greedy", {"norm": norm}) for norm in ("unit", "root")]
    for backfill, tasks, providers in product((False, True), ("printed", "ratio"), ("printed", "ratio")):
        runs.append(("bid_density", {"backfill": backfill, "task_order": tasks, "provider_order": providers}))
    known = [solve(market, solver, reading=reading, options=options).welfare for solver, options in runs]
    assert not check(market, start, reading)
    assert welfare(market, start) == max(known)
