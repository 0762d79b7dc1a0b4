"""A report as one page that needs nothing beside it."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import numpy as np

from auction.explain.report import Report
from auction.explain.tables import partners
from auction.explain.words import (
    PLACES,
    certified,
    fixed,
    gains,
    lost,
    places_of,
    proof,
    share,
    trades_below,
    wins_above,
)
from auction.mechanisms import Settlement
from auction.tables import notes
from auction.tables.notes import count, listed, tokens
from auction.welfare import winners

LONGEST = 500  # rows of a table on the page


def render(report: Report, title: str) -> str:
    """The page, HTML with its styles; names are escaped."""
    import jinja2

    template = jinja2.Template(
        files("auction.explain").joinpath("page.html.j2").read_text(encoding="utf-8"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    market, outcome, best, auction = report.market, report.outcome, report.best, report.auction
    return template.render(
        title=title,
        report=report,
        market=market,
        outcome=outcome,
        proof=proof(report),
        certified=certified(report),
        lost=lost(report),
        mechanism="the whitepaper's auction" if report.mechanism == "whitepaper" else report.mechanism,
        short="whitepaper" if report.mechanism == "whitepaper" else report.mechanism,
        amount=lambda micro: fixed(micro, places_of(market)),
        price=lambda micro: fixed(micro, min(PLACES, places_of(market) + 1)),  # a midpoint has one more
        tokens=tokens,
        count=count,
        settlements=[
            _settlement(report, "best allocation", best, outcome.welfare),
            _settlement(report, report.mechanism, auction, report.auction_welfare),
        ],
        won=winners(best.allocation).size,
        traded=np.unique(best.allocation.provider).size,
        tasks=_tasks(report),
        providers=_providers(report),
        types=_types(report),
        notes=notes.taken_for_granted(market),
        warnings=notes.warnings(market),
        longest=LONGEST,
    )


def _settlement(report: Report, name: str, settled: Settlement, welfare: int) -> dict[str, Any]:
    """A bar: what both sides and the platform gain, in per cent of the most there is to gain."""
    users, sellers, platform = gains(report.market, settled)
    whole = max(report.outcome.bound or 0, report.outcome.welfare, welfare)
    parts = [("tasks", users), ("providers", sellers), ("platform", platform)]
    return {
        "name": name,
        "welfare": welfare,
        "won": winners(settled.allocation).size,
        "slots": settled.allocation.task.size,
        "parts": [(side, gained, share(gained, whole)) for side, gained in parts if gained],
    }


def _tasks(report: Report) -> list[dict[str, Any]]:
    """Those that win by what they gain, then those that do not by their value."""
    market, best, of_task = report.market, report.best, partners(report)[0]
    bid, pays = market.net_bid, best.payment
    highest = max(1, int(bid[winners(best.allocation)].max(initial=0)))
    places = places_of(market)
    spent = np.zeros(market.tasks, dtype=np.int64)
    np.add.at(spent, best.allocation.task, market.cost[best.allocation.provider])
    in_auction = set(winners(report.auction.allocation).tolist())
    order = sorted(range(market.tasks), key=lambda i: (i not in of_task, -int(bid[i] - pays[i]), i))
    return [
        {
            "name": market.labels.tasks[i],
            "value": int(market.value[i]),
            "wins": i in of_task,
            "pays": int(pays[i]),
            "from": listed(of_task.get(i, [])),
            "bar": [share(part, highest) for part in (int(spent[i]), int(pays[i] - spent[i]), int(bid[i] - pays[i]))],
            "why": report.losing.get(i, ""),
            "above": wins_above(report.bids[i], int(market.extra_cost[i]), places) if i in report.bids else "",
            "auction": int(report.auction.payment[i]) if i in in_auction else None,
        }
        for i in order[:LONGEST]
    ]


def _providers(report: Report) -> list[dict[str, Any]]:
    """Those that trade by what they gain, then those that are idle."""
    market, best, of_provider = report.market, report.best, partners(report)[1]
    in_auction = set(report.auction.allocation.provider.tolist())
    used = np.bincount(best.allocation.provider, minlength=market.providers)
    gained, places = best.receipt - used * market.cost, places_of(market)
    order = sorted(range(market.providers), key=lambda j: (j not in of_provider, -int(gained[j]), j))
    return [
        {
            "name": market.labels.providers[j],
            "cost": int(market.cost[j]),
            "slots": int(market.slots[j]),
            "used": int(used[j]),
            "trades": j in of_provider,
            "receives": int(best.receipt[j]),
            "gains": int(gained[j]),
            "for": listed(of_provider.get(j, [])),
            "why": report.idle.get(j, ""),
            "below": trades_below(report.costs[j], places) if j in report.costs else "",
            "auction": int(report.auction.receipt[j]) if j in in_auction else None,
        }
        for j in order[:LONGEST]
    ]


def _types(report: Report) -> Sequence[dict[str, Any]]:
    """Requests of each type: asked for, of tasks that win, and what all slots complete of it; unasked types last."""
    market = report.market
    asked, served = market.demand.sum(axis=0), market.demand[winners(report.best.allocation)].sum(axis=0)
    offered = [sum(int(w) * int(s) for w, s in zip(market.slots, row, strict=True)) for row in market.resource.T]
    most = max(1, int(asked.max(initial=0)), *offered)
    order = sorted(range(market.types), key=lambda k: not asked[k])
    return [
        {
            "name": market.labels.types[k],
            "asked": int(asked[k]),
            "served": int(served[k]),
            "offered": offered[k],
            "bars": (share(int(asked[k]), most), share(int(served[k]), most), share(offered[k], most)),
        }
        for k in order[:LONGEST]
    ]
