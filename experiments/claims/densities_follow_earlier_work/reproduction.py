"""The densities, winners, prices and utilities that CDARA's workbook prints, beside what its rule makes of them."""

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd

from auction.market import Float
from experiments.claims.densities_follow_earlier_work.scenario import (
    AS_CODED,
    AS_PRINTED,
    AS_STATED,
    cut,
    densities,
    match,
    trade_prices,
    unit_price,
)
from experiments.claims.densities_follow_earlier_work.workbook import RUNS, Side

VERSIONS = {"as stated": AS_STATED, "as coded": AS_CODED, "as printed": AS_PRINTED}
SAME = 1e-6  # of prices printed with four decimals


def density_table(users: Side, providers: Side) -> pd.DataFrame:
    """One row a bidder: the density, what is printed, and whether they agree in every printed digit."""
    rows = [
        (name, density, printed, abs(float(cut(density, len(printed.partition(".")[2]))) - float(printed)) < 1e-12)
        for side in (users, providers)
        for name, density, printed in zip(side.name, densities(side), side.printed_density, strict=True)
    ]
    return pd.DataFrame(rows, columns=["bidder", "density", "printed", "agrees"])


def price_table(users: Side, providers: Side) -> pd.DataFrame:
    """One row a run and bidder: its offer, the printed price, the price under each version, utilities, a remark.

    ``printed utility`` is that of the workbook, which charges providers for all they offer; ``utility`` counts what
    they sell, matched as printed. ``below the ask``: machines traded although the unit bid is below the unit ask.
    """
    frames = []
    priorities: tuple[int | Float, ...] = (1, users.priority)
    for run, (name, priority) in enumerate(zip(RUNS, priorities, strict=True)):
        matches = {label: match(users, providers, priority, version.condition) for label, version in VERSIONS.items()}
        prices = {label: trade_prices(users, providers, matches[label], version) for label, version in VERSIONS.items()}
        printed = matches["as printed"]
        below = unit_price(users)[printed.user] < unit_price(providers)[printed.provider]
        for s, (role, side, sign) in enumerate((("user", users, -1), ("provider", providers, 1))):
            traded = np.bincount(printed[s], printed.amount, len(side.name)) * unit_price(side)
            price = side.printed_price[run]
            frame = pd.DataFrame(
                {
                    "run": name,
                    "role": role,
                    "bidder": side.name,
                    "offer": side.price,
                    "printed price": price,
                    **{label: both[s] for label, both in prices.items()},
                    "printed utility": sign * (price - side.price),
                    "utility": sign * (price - traded),
                    "below the ask": np.bincount(printed[s][below], printed.amount[below], len(side.name)).astype(int),
                }
            )
            frames.append(frame.assign(remark=[remark(row) for row in frame.to_dict("records")]))
    return pd.concat(frames, ignore_index=True)


def remark(row: dict[Hashable, Any]) -> str:
    """What of a printed price is not what the rule says, and why."""
    trades, price = not np.isnan(row["printed price"]), row["printed price"]
    differs = price - row["as printed"]
    found = {
        "the rule serves it": not trades and row["as stated"] > 0,
        "served only below the ask": trades and row["as stated"] == 0,
        "pays more than its bid": row["role"] == "user" and row["utility"] < -SAME,
        "is paid less than its ask": row["role"] == "provider" and row["utility"] < -SAME,
        f"its matches add up to {row['as printed']:.4f}": trades and abs(differs) > SAME,
    }
    return "; ".join(text for text, holds in found.items() if holds)


def agreement(prices: pd.DataFrame) -> pd.DataFrame:
    """By run and version: winners in common, only printed, only served; prices equal to the fourth decimal."""
    rows = []
    for (run, role), own in prices.groupby(["run", "role"], sort=False):
        printed = own["printed price"].notna()
        for label in VERSIONS:
            served = own[label] > 0
            equal = (cut(own[label].to_numpy(), 4) - own["printed price"]).abs() < SAME
            counts = (printed.sum(), (printed & served).sum(), (printed & ~served).sum(), (served & ~printed).sum())
            rows.append((run, role, label, *map(int, counts), int(equal.sum())))
    columns = ["run", "role", "version", "printed", "both", "printed only", "served only", "equal prices"]
    return pd.DataFrame(rows, columns=columns)
