"""Work used and energy by hand, and the criterion on tables built by hand."""

import numpy as np
import pandas as pd
import pytest

from auction import Market
from auction.allocation import Allocation
from auction.data import hardware
from experiments.claims import global_compute_efficiency as claim
from experiments.claims.global_compute_efficiency import BATCH, SOLVERS


def test_work_used_and_served_by_hand():
    market = Market(
        demand=np.array([[2, 0], [0, 3]]),
        value=np.array([10, 10]),
        unit_work=np.array([1.0, 2.0]),
        alpha=10,
        beta=1,
        resource=np.array([[2, 1], [1, 3]]),
        slots=np.array([2, 1]),
        cost=np.array([1, 1]),
        ability=np.full((2, 2), 0.5),
    )
    offered, demanded = 2 * (2 + 2) + (1 + 6), 2 + 6
    assert claim.used(market, Allocation.of([1], [1])) == pytest.approx((6 / offered, 6 / demanded))
    assert claim.used(market, Allocation.empty()) == (0.0, 0.0)


def test_a_joule_is_a_watt_for_a_second():
    cards = hardware.catalogue()
    energy = claim.joules(cards, 1).set_index("card")
    place = cards.index("GeForce RTX 4090")
    reading = claim.MODEL.weights / (hardware.BANDWIDTH_EFFICIENCY * 1010e9)
    prompt = 4 * claim.MODEL.flop / (hardware.COMPUTE_EFFICIENCY * 82580e9)  # 512 tokens of prompt for 128
    assert energy.loc["GeForce RTX 4090", "joules"] == pytest.approx(cards.power[place] * (reading + prompt))
    assert energy.loc["GeForce RTX 4090", "kind"] == "consumer"


def results(used, consumer, server):
    markets = [(seed, label, share, share, 0.1) for label in SOLVERS for seed, share in enumerate(used)]
    kinds = {("consumer", 1): consumer, ("consumer", BATCH): 0.0, ("server", 1): 0.0, ("server", BATCH): server}
    energy = [(f"card {n}", *key, joules) for key, joules in kinds.items() for n in range(3)]
    return {
        "markets": pd.DataFrame(markets, columns=["seed", "solver", "used", "served", "welfare over value"]),
        "energy": pd.DataFrame(energy, columns=["card", "kind", "batch", "joules"]),
    }


@pytest.mark.parametrize(
    "used, consumer, server, verdict",
    [
        ((0.2, 0.2, 0.2), 1.0, 1.0, "upheld"),
        ((0.2, 0.2, 0.2), 1.1, 1.0, "qualified"),
        ((0.09, 0.09, 0.09), 1.0, 1.0, "refuted"),
        ((0.05, 0.3, 0.05), 1.0, 1.0, "refuted"),  # the interval reaches below a tenth
    ],
)
def test_the_criterion_asks_for_use_and_for_energy(used, consumer, server, verdict):
    assert claim.check(results(used, consumer, server)).verdict == verdict
