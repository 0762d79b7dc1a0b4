"""Markets simulated from their first order to their last, for the claims about the market as a whole."""

from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd

from experiments.marketplace.settings import Settings
from experiments.marketplace.simulation.churn import Churn
from experiments.marketplace.simulation.fleet import ROUND
from experiments.marketplace.simulation.world import COMING_AND_GOING, World
from experiments.sweep import seed_range

FRESH = 3_000
"""The first seed that nobody had looked at when the markets and their criteria were fixed as they are."""
FIXED = {
    "requests": "recorded runs of three small models of text and one of pictures, a tenth of them pictures; sizes of "
    "texts and arrivals are those of traces of real requests, a picture is Stable Diffusion XL's reference request",
    "devices": "cards of the catalogue, an owner with five on the average; 25 % of them compute two leases at once",
    "a round": f"{ROUND} s; a result is open to claims for two minutes",
}

CHANGED = {
    "cards and values": "cards that ask more than twice the usual rent do not come, an order is worth a reference "
    "request at least, the scarcest model is half loaded: all three after first simulations, in which the whitepaper's "
    "walk stopped at cards that asked ten times the rent, and orders behind them were not served",
    "pictures": "a tenth of the orders and of the devices; the markets before were of texts alone",
    "seeds": f"from {FRESH:,} on; those below were looked at while all this was chosen",
}


def seeds(many: int, block: int, first: int = FRESH) -> range:
    """The ``block``-th set of so many seeds that nobody had looked at when scenario and criteria were fixed."""
    own = seed_range(many, block)
    return range(first + own.start, first + own.stop)


@contextmanager
def ran(
    seed: int,
    orders: int,
    devices: int,
    dishonest: float,
    *,
    solver: str = "bid_density",
    churn: Churn = COMING_AND_GOING,
) -> Iterator[World]:
    """A market that is over, its ledger in memory; see ``World``."""
    settings = Settings(round_ticks=ROUND, work_limit=4 * ROUND, solver=solver)
    world = World(
        ":memory:", orders=orders, devices=devices, dishonest=dishonest, seed=seed, settings=settings, churn=churn
    )
    with world.ledger:
        world.run()
        yield world


def lives(world: World) -> pd.DataFrame:
    """A row an order, times in rounds: when it was placed, after how long it had a first output, came back first, and
    was over (NaN: never); how many devices failed it; its outcome."""
    rows = [
        (
            life.placed / ROUND,
            (life.output - life.placed) / ROUND if life.output else None,
            (life.back - life.placed) / ROUND if life.back else None,
            (life.over - life.placed) / ROUND,
            life.failed,
            life.outcome,
        )
        for life in world.measures.lives.values()
    ]
    columns = ["placed", "output", "back", "over", "failed", "outcome"]
    return pd.DataFrame(rows, columns=columns).astype({"output": float, "back": float})
