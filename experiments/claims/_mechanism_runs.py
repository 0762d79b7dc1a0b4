"""Mechanisms times markets: one tidy row a run, with utilities, losses and each side's share of the welfare."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from auction import Market, mechanisms
from auction.errors import InputError
from auction.incentives.misreports import KINDS, Kind, regrets
from auction.market import Int
from auction.mechanisms import Settlement
from auction.welfare import provider_utility, user_utility, welfare
from experiments.progress import parallel
from experiments.sweep import Draw


@dataclass(frozen=True)
class Rule:
    """A mechanism with its options, under a name for tables and plots."""

    label: str
    mechanism: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def settle(self, market: Market) -> Settlement:
        return mechanisms.run(market, self.mechanism, seed=0, options=self.options)


_ORDER = {"backfill": True, "task_order": "ratio", "provider_order": "ratio"}

CORRECTED = Rule("whitepaper, corrected", "whitepaper")
BACKFILL = Rule("whitepaper, best order", "whitepaper", _ORDER)
PRINTED = Rule("whitepaper, lines 14-15 as printed", "whitepaper", {**_ORDER, "printed": True})
CLEARING = Rule("clearing", "clearing")
POSTED = Rule("posted price", "posted_price")
VCG = Rule("VCG, users report", "vcg")


def settlements(draws: Iterable[Draw], rules: Iterable[Rule], what: str) -> pd.DataFrame:
    """One row a market and rule: welfare, surpluses, who trades, who loses and how much; micro-tokens."""
    found = parallel(partial(_settled, rules=list(rules)), draws, what)
    return pd.DataFrame([row for rows in found for row in rows])


def _settled(draw: Draw, rules: list[Rule]) -> list[dict[str, Any]]:
    market, rows = draw.market(), []
    for rule in rules:
        settled = rule.settle(market)
        users = user_utility(market, settled.allocation, settled.payment)
        providers = provider_utility(market, settled.allocation, settled.receipt)
        won = np.unique(settled.allocation.task)
        rows.append(
            {
                "family": draw.family,
                "tasks": draw.tasks,
                "seed": draw.seed,
                "rule": rule.label,
                "welfare": welfare(market, settled.allocation),
                "user_surplus": int(users.sum()),
                "provider_surplus": int(providers.sum()),
                "budget_surplus": settled.budget_surplus,
                "winners": won.size,
                "users_losing": int((users < 0).sum()),
                "providers_losing": int((providers < 0).sum()),
                "worst_loss": int(-min(users.min(initial=0), providers.min(initial=0))),
                "worst_loss_share": float(np.max(-users[won] / market.net_bid[won], initial=0.0)),
            }
        )
    return rows


def misreported(
    draws: Iterable[Draw],
    rules: Iterable[Rule],
    tasks: int,
    factors: Iterable[float],
    what: str,
    kinds: Sequence[Kind] = KINDS,
) -> pd.DataFrame:
    """One row a market, rule, sampled task and kind of misreport: the regret as a share of the mean positive bid."""
    found = parallel(partial(_regrets, rules=list(rules), tasks=tasks, factors=list(factors), kinds=kinds), draws, what)
    columns = ["family", "tasks", "seed", "rule", "misreport", "task", "regret"]
    return pd.DataFrame([row for rows in found for row in rows], columns=columns)


def _regrets(
    draw: Draw, rules: list[Rule], tasks: int, factors: list[float], kinds: Sequence[Kind]
) -> list[tuple[Any, ...]]:
    market, rows = draw.market(), []
    scale, chosen = mean_bid(market), sampled(market, draw.seed, tasks)
    for rule in rules:
        try:
            most = regrets(market, rule.settle, chosen, factors, kinds)
        except InputError:
            continue  # an optimum that VCG could not prove
        rows += [
            (draw.family, draw.tasks, draw.seed, rule.label, kind, int(task), int(gained) / scale)
            for kind, gains in most.items()
            for task, gained in zip(chosen, gains, strict=True)
        ]
    return rows


def sampled(market: Market, seed: int, tasks: int) -> Int:
    """The tasks that misreport, ascending."""
    return np.sort(np.random.default_rng(seed).permutation(market.tasks)[:tasks])


def mean_bid(market: Market) -> float:
    """Mean of the positive net bids, micro-tokens: what regrets are measured against."""
    return max(1.0, float(np.mean(market.net_bid[market.net_bid > 0])))
