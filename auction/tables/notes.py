"""What a person should know of a market before it is solved: what was taken for granted, and what looks wrong."""

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from auction.market import AMOUNT_LIMIT, MICRO, Market

Mask = NDArray[np.bool_]

LISTED = 5  # names in one note
FAR = 1e3  # a ratio of medians that hardly any market of one unit has
LARGE, SMALL = 1e5, 1e-4  # tokens: medians that look like micro-tokens read as tokens, and the reverse


def taken_for_granted(market: Market) -> list[str]:
    """The extra cost and the abilities, in words: both have defaults."""
    return [_extra_cost(market), *_abilities(market)]


def warnings(market: Market) -> list[str]:
    """Who can never win or trade, and amounts that look like another unit."""
    return [*_units(market), *_tasks(market), *_providers(market), *_types(market)]


def tokens(micro: int) -> str:
    """Exact tokens, without zeros that say nothing: 1.25, 0.000001."""
    whole, part = divmod(abs(int(micro)), MICRO)
    return f"{'-' if micro < 0 else ''}{whole:,}" + (f".{part:06d}".rstrip("0") if part else "")


def unservable(market: Market) -> Mask:
    """(m,) whether a task asks for more than one slot of every provider together completes."""
    reach = market.resource[market.slots > 0].sum(axis=0)
    return (market.demand > reach).any(axis=1)


def _extra_cost(market: Market) -> str:
    if not market.tasks:
        return "extra cost: there is no task"
    low, high = int(market.extra_cost.min()), int(market.extra_cost.max())
    median = float(np.median(market.value))
    share = f", {float(np.median(market.extra_cost)) / median:.3g} of the median value" if median and high else ""
    amount = tokens(low) if low == high else f"{tokens(low)} to {tokens(high)}"
    what = "none: what a task bids is its value" if not high else f"{amount} tokens a task{share}"
    return f"extra cost: {what} (alpha {market.alpha}, beta {market.beta}, {_work(market)})"


def _work(market: Market) -> str:
    low, high = market.unit_work.min(), market.unit_work.max()
    return f"work of a request {low:g}" + (f" to {high:g}" if low != high else "")


def _abilities(market: Market) -> Iterable[str]:
    if market.providers and (market.ability == market.ability.flat[0]).all():
        yield f"ability: {market.ability.flat[0]:g} of everybody, so that it ranks nobody"


def _units(market: Market) -> Iterable[str]:
    value, cost = market.value[market.value > 0], market.cost[market.cost > 0]
    if not value.size or not cost.size:
        return
    of_value, of_cost = float(np.median(value)), float(np.median(cost))
    if not 1 / FAR <= of_value / of_cost <= FAR:
        yield (
            f"the median value is {tokens(round(of_value))} tokens and the median cost {tokens(round(of_cost))}: "
            "is one of them in another unit? A header may say so: value [micro]"
        )
    elif min(of_value, of_cost) > LARGE * MICRO:
        yield f"the median value is {tokens(round(of_value))} tokens: if amounts are micro-tokens, --unit micro says so"
    elif max(of_value, of_cost) < SMALL * MICRO:
        yield f"the median value is {tokens(round(of_value))} tokens: are the amounts tokens, read as micro-tokens?"


def _tasks(market: Market) -> Iterable[str]:
    names, beyond, poor = market.labels.tasks, unservable(market), market.net_bid <= 0
    if not market.tasks:
        yield "there is no task"
    elif (beyond | poor).all():
        yield "no task can win"
    elif market.net_bid.max() < (cheapest := market.cost[market.slots > 0].min(initial=AMOUNT_LIMIT)) < AMOUNT_LIMIT:
        highest = tokens(int(market.net_bid.max()))
        yield f"no task can win: the highest bid is {highest}, and the cheapest slot costs {tokens(int(cheapest))}"
    if poor.any():
        yield f"{_count(poor, 'task bids', 'tasks bid')} nothing after the extra cost: {_listed(names, poor)}"
    if beyond.any():
        yield (
            f"{_count(beyond, 'task asks', 'tasks ask')} for more than all providers complete together, a slot of "
            f"each: {_listed(names, beyond)}"
        )


def _providers(market: Market) -> Iterable[str]:
    names, asked = market.labels.providers, market.demand.any(axis=0)
    closed = market.slots == 0
    useless = ~closed & ~market.resource[:, asked].any(axis=1)
    if not market.providers:
        yield "there is no provider"
    if closed.any():
        yield f"{_count(closed, 'provider has', 'providers have')} no slots: {_listed(names, closed)}"
    if useless.any():
        number = _count(useless, "provider has", "providers have")
        yield f"{number} nothing that is asked for: {_listed(names, useless)}"


def _types(market: Market) -> Iterable[str]:
    names, asked = market.labels.types, np.asarray(market.demand.any(axis=0))
    there = np.asarray(market.resource[market.slots > 0].any(axis=0))
    if (asked & ~there).any():
        yield f"nobody serves {_listed(names, asked & ~there)}"
    if (~asked).any():
        yield f"nobody asks for {_listed(names, ~asked)}"


def count(number: int, one: str, several: str) -> str:
    """A number of things."""
    return f"{number:,} {one if number == 1 else several}"


def listed(names: Iterable[str]) -> str:
    """Names one after another, parted by semicolons where one has a comma of its own."""
    names = list(names)
    return ("; " if any("," in name for name in names) else ", ").join(names)


def _count(chosen: Mask, one: str, several: str) -> str:
    return count(int(chosen.sum()), one, several)


def _listed(names: Sequence[str], chosen: Mask) -> str:
    first = list(islice((names[at] for at in np.flatnonzero(chosen).tolist()), LISTED))
    more = int(chosen.sum()) - len(first)
    return listed(first) + (f" and {more:,} more" if more else "")
