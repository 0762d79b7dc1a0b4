"""A report as tables: who trades what with whom, who does not and why, and the totals."""

from collections import defaultdict
from typing import Any

import numpy as np

from auction.explain.report import Report
from auction.explain.thresholds import Threshold
from auction.market import Int
from auction.tables.notes import listed
from auction.tables.writing import Table, tokens
from auction.welfare import provider_utility, user_utility, winners


def tables_of(report: Report) -> dict[str, Table]:
    """``tasks``, ``providers``, ``trades`` and ``summary``; amounts in tokens."""
    return {
        "tasks": _tasks(report),
        "providers": _providers(report),
        "trades": _trades(report),
        "summary": {"what": [*(totals := _totals(report))], "amount": [*totals.values()]},
    }


def partners(report: Report) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    """The providers of each task that wins, and the tasks of each provider that trades, by name."""
    names, of_task, of_provider = report.market.labels, defaultdict(list), defaultdict(list)
    pairs = report.best.allocation
    for i, j in zip(pairs.task.tolist(), pairs.provider.tolist(), strict=True):
        of_task[i].append(names.providers[j])
        of_provider[j].append(names.tasks[i])
    return of_task, of_provider


def _tasks(report: Report) -> Table:
    market, best, auction = report.market, report.best, report.auction
    of_task, _ = partners(report)
    extra = market.extra_cost
    return {
        "task": market.labels.tasks,
        "value": tokens(market.value),
        "extra cost": tokens(extra),
        "wins": [i in of_task for i in range(market.tasks)],
        "pays": tokens(best.payment),
        "surplus": tokens(user_utility(market, best.allocation, best.payment)),
        "providers": [listed(of_task.get(i, [])) for i in range(market.tasks)],
        "why not": [report.losing.get(i, "") for i in range(market.tasks)],
        **_thresholds("wins above a value of", report.bids, market.tasks, extra),
        f"wins in {report.mechanism}": np.isin(np.arange(market.tasks), winners(auction.allocation)).tolist(),
        f"pays in {report.mechanism}": tokens(auction.payment),
    }


def _providers(report: Report) -> Table:
    market, best, auction = report.market, report.best, report.auction
    _, of_provider = partners(report)
    count = market.providers
    return {
        "provider": market.labels.providers,
        "cost": tokens(market.cost),
        "slots": market.slots.tolist(),
        "slots used": np.bincount(best.allocation.provider, minlength=count).tolist(),
        "receives": tokens(best.receipt),
        "surplus": tokens(provider_utility(market, best.allocation, best.receipt)),
        "tasks": [listed(of_provider.get(j, [])) for j in range(count)],
        "why idle": [report.idle.get(j, "") for j in range(count)],
        **_thresholds("trades below a cost of", report.costs, count, np.zeros_like(market.cost)),
        f"slots used in {report.mechanism}": np.bincount(auction.allocation.provider, minlength=count).tolist(),
        f"receives in {report.mechanism}": tokens(auction.receipt),
    }


def _thresholds(what: str, found: dict[int, Threshold], count: int, added: Int) -> dict[str, list[Any]]:
    """Two columns, what is proven from below and from above; where they are equal the threshold is exact."""

    def column(name: str) -> list[Any]:
        amounts = [getattr(found.get(at, Threshold()), name) for at in range(count)]
        return [
            None if amount is None else tokens(np.array([amount + int(added[at])]))[0]
            for at, amount in enumerate(amounts)
        ]

    return {f"{what} (at least)": column("least"), f"{what} (at most)": column("most")}


def _trades(report: Report) -> Table:
    market, names, pairs = report.market, report.market.labels, report.best.allocation
    of_auction = set(
        zip(report.auction.allocation.task.tolist(), report.auction.allocation.provider.tolist(), strict=True)
    )
    both = list(zip(pairs.task.tolist(), pairs.provider.tolist(), strict=True))
    every = sorted(of_auction | set(both))
    chosen, traded = set(both), np.array(every, dtype=np.int64).reshape(-1, 2)
    return {
        "task": [names.tasks[i] for i in traded[:, 0]],
        "provider": [names.providers[j] for j in traded[:, 1]],
        "cost": tokens(market.cost[traded[:, 1]]),
        "best": [pair in chosen for pair in every],
        report.mechanism: [pair in of_auction for pair in every],
    }


def _totals(report: Report) -> dict[str, Any]:
    """Names and amounts; what is not an amount of tokens has no decimal."""
    market, best, auction, outcome = report.market, report.best, report.auction, report.outcome

    def sums(settled: Any) -> tuple[int, int]:
        users = user_utility(market, settled.allocation, settled.payment).sum()
        return int(users), int(provider_utility(market, settled.allocation, settled.receipt).sum())

    (users, sellers), (auction_users, auction_sellers) = sums(best), sums(auction)
    amounts = {
        "welfare": outcome.welfare,
        "upper bound of the optimum": outcome.bound,
        "surplus of tasks": users,
        "surplus of providers": sellers,
        f"welfare of {report.mechanism}": report.auction_welfare,
        f"surplus of tasks in {report.mechanism}": auction_users,
        f"surplus of providers in {report.mechanism}": auction_sellers,
        f"kept by the platform in {report.mechanism}": auction.budget_surplus,
    }
    return {name: None if amount is None else tokens(np.array([amount]))[0] for name, amount in amounts.items()}
