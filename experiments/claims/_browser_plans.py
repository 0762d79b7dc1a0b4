"""Plans of models from their shapes against what browsers let a buffer hold, and pages that run in one."""

from datetime import UTC, datetime
from typing import Any

import pandas as pd

from auction.data import hardware
from auction.data.hardware import USABLE_MEMORY
from experiments import published, records
from inference.browser import headless
from inference.errors import InputError
from inference.planning.limits import DEFAULTS, DESKTOP
from inference.planning.plan import Plan

BROWSER = "chromium"
SECONDS = 300.0  # for a page to answer: a time-out, not a measure
COLUMNS = [
    "model",
    "limits",
    "bytes",
    "stage",
    "largest",
    "binding",
    "beyond",
    "buffers",
    "cards",
    "hold a stage",
    "of",
]
FIXED = {
    "memory": f"{USABLE_MEMORY:.0%} of a card's",
    "cards": "consumer and workstation cards of eight years, each counted once, however many were sold",
    "browser": "Chromium without a window on SwiftShader, which computes on processors",
}


def rows(plan: Plan) -> list[tuple[Any, ...]]:
    """A row a limit: bytes in all and of the largest stage, of the largest buffer and of what a binding may hold;
    buffers beyond it and in all; cards that hold all, that hold a stage at a time, and of how many."""
    cards = hardware.catalogue()
    memory = USABLE_MEMORY * cards.memory[cards.offered]
    sizes, whole = plan.buffers(), plan.memory
    total, stage = whole["total"], whole["largest stage alone"]
    holding = int((memory >= total).sum()), int((memory >= stage).sum()), memory.size
    return [
        (
            plan.name,
            limits.name,
            total,
            stage,
            max(sizes.values()),
            limits.largest,
            len(plan.beyond(limits)),
            len(sizes),
        )
        + holding
        for limits in (DEFAULTS, DESKTOP)
    ]


def stamped(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs of pages with the day and the commit they are of."""
    return runs.assign(date=datetime.now(UTC).date().isoformat(), commit=records.commit())


def published_runs(name: str) -> pd.DataFrame:
    """A claim's runs of pages as published last at any size: they take minutes, and differ only where code does."""
    return published.results(name, published.size_of(name))["runs"]


def answered(path: str) -> dict[str, Any] | None:
    """What a page of the server finds; None without a browser, or where it does not answer in time."""
    if BROWSER not in headless.installed():
        return None
    try:
        [found] = headless.results(BROWSER, [path], seconds=SECONDS)
    except InputError:  # too slow a machine says nothing of the page
        return None
    return found
