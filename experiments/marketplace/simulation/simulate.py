"""``market simulate``: a market from its first order to its last, and what is kept of it."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from auction import mechanisms, solvers
from auction.errors import InputError
from experiments.marketplace.settings import Settings
from experiments.marketplace.simulation import page, view
from experiments.marketplace.simulation.fleet import ROUND
from experiments.marketplace.simulation.summary import by_strategy, expected_share, rounds_of, summary
from experiments.marketplace.simulation.world import World

MOST = {"orders": 10**6, "devices": 10**5}
LEDGER, ROUNDS, PAGE = "ledger.sqlite", "rounds.parquet", "page.html"


def simulated(
    *, orders: int, devices: int, dishonest: float, seed: int, solver: str, mechanism: str, out: Path | None
) -> tuple[dict[str, Any], Any]:
    """Simulate a market; its numbers, and a table for people.

    Args:
        out: a folder for the ledger, the rounds and the page; None: nothing is kept.

    Raises:
        InputError: a number out of range, a solver or mechanism that is unknown or takes no bundles, a folder that
            holds a ledger already.
    """
    for name, value, least in (("orders", orders, 1), ("devices", devices, 10)):
        if not least <= value <= MOST[name]:
            raise InputError(f"--{name}: {value} is not allowed; a whole number from {least} to {MOST[name]}")
    if not 0 <= dishonest <= 1:
        raise InputError(f"--dishonest: {dishonest:g} is not allowed; a share from 0 to 1")
    if seed < 0:
        raise InputError(f"--seed: {seed} is not allowed; a whole number from 0 up")
    solvers.prepare(solver, "bundle", None, 0, {})
    mechanisms.prepare(mechanism, "bundle", 0, {})
    settings = Settings(round_ticks=ROUND, work_limit=4 * ROUND, solver=solver, mechanism=mechanism)
    with _folder(out) as folder, view.watching() as observe, _seldom_collected():
        world = World(
            folder / LEDGER,
            orders=orders,
            devices=devices,
            dishonest=dishonest,
            seed=seed,
            settings=settings,
            observe=observe,
        )
        with world.ledger:
            world.run()
            rounds = rounds_of(world)
            found, strategies = summary(world, rounds), by_strategy(world)
            if out is not None:
                rounds.to_parquet(out / ROUNDS)
                (out / PAGE).write_text(page.page(world, rounds, strategies, found), encoding="utf-8")
    return found, view.told(found, strategies, len(world.measures.disputes), expected_share(world.measures))


@contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    """Where the ledger lies: a folder that is kept, or one that is not."""
    if out is None:
        with TemporaryDirectory() as folder:
            yield Path(folder)
        return
    if (out / LEDGER).exists():
        raise InputError(f"--out: {out / LEDGER} is there already; another folder is needed")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out: {out} cannot be made ({error.strerror})") from None
    yield out


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Millions of objects live to the end: looking through them again and again for cycles finds next to none."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
