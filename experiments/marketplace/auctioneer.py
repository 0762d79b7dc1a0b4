"""A round (section 4): waiting orders and live offers as a market of ``auction``, solved, priced, made leases of.

A user's bid covers price and fee: what it bids in the auction is bid / (1 + fee), and the fee stands where the
whitepaper has an extra cost. Requests that came back rank their order higher, by ``RAISE`` each time; it is charged by
its bid. No order goes to a device that failed it.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from auction import mechanisms, solvers
from auction.allocation import Allocation, check
from auction.market import AMOUNT_LIMIT, Int, Market
from auction.prices import fraction, slot_units, trade_prices, won_units
from auction.solvers import bid_density
from auction.welfare import welfare
from experiments.marketplace.effects import Solve
from verification.ledger.state import Draft
from verification.market.accounts import escrow, free
from verification.market.rules import Rules

RAISE = 1.5
"""Of the value by which an order is ranked, each time that requests of it came back."""
OWN = "whitepaper"
"""The mechanism whose prices follow from any solver's allocation; others allocate for themselves."""


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """A market, and whose its tasks and providers are."""

    solve: Solve
    orders: list[str]
    """(m,) by name."""
    devices: list[str]
    """(n,) by key."""
    facts: dict[str, dict[str, Any]]
    """Of the orders, as the ledger had them."""
    dearest: Int
    """(n,) what a lease of each device may cost: as the rules have it, and as its owner has stakes for it."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a round leads to: who serves whom, and what each task pays; integer micro-tokens."""

    allocation: Allocation
    payment: Int
    """(m,)"""


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A lease to be: some of an order's requests, a device, a price."""

    order: str
    part: list[int]
    device: str
    price: int
    audit_price: int = 0
    """What an audit of it costs, once that is reckoned."""


def held(
    number: int,
    draft: Draft,
    rules: Rules,
    orders: Mapping[str, dict[str, Any]],
    offers: Mapping[str, dict[str, Any]],
    psi: Callable[[str], float],
    owner: Callable[[str], str],
    *,
    room: Callable[[str], int],
    refused: Collection[tuple[str, str]],
    solver: str,
    options: dict[str, Any],
    mechanism: str,
    limit: float | None,
) -> Round | None:
    """The market of a round; None where nobody waits or nobody offers.

    Args:
        orders: that wait, and ``offers`` that may be taken, as the ledger's facts, by name.
        psi: of a device; ``owner``: whose it is.
        room: leases that an owner may be offered now.
        refused: orders and devices that are not to be matched, since the ledger would refuse their leases.
    """
    names, devices = list(orders), list(offers)
    types = {model: k for k, model in enumerate(sorted({model for each in orders.values() for model in _models(each)}))}
    resource = np.zeros((len(devices), len(types)), np.int64)
    for j, offer in enumerate(offers.values()):
        for model, s in offer["models"].items():
            if model in types:
                resource[j, types[model]] = s
    useful = np.flatnonzero(resource.any(axis=1))
    devices, resource = [devices[j] for j in useful], resource[useful]
    if not names or not devices:
        return None
    demand = np.zeros((len(names), len(types)), np.int64)
    value = np.zeros(len(names), np.int64)
    rank = np.zeros(len(names), np.int64)
    for i, (name, order) in enumerate(orders.items()):
        for model, count in Counter(_models(order)).items():
            demand[i, types[model]] = count
        value[i] = net_bid(draft, rules, name, order)
        rank[i] = order["rank"]
    cost = np.array([offers[key]["cost"] for key in devices], np.int64)
    slots = np.array(_slots(draft, rules, {key: offers[key] for key in devices}, owner, room), np.int64)
    ability = np.repeat(np.array([[psi(key)] for key in devices]), len(types), axis=1)
    market = Market(
        demand=demand,
        value=value,
        unit_work=np.zeros(len(types)),
        alpha=2,
        beta=0,
        resource=resource,
        slots=slots,
        cost=cost,
        ability=ability,
    )
    places, at = {key: j for j, key in enumerate(devices)}, {name: i for i, name in enumerate(names)}
    barred = [(i, places[key]) for i, each in enumerate(orders.values()) for key in each["failed"] if key in places]
    barred += [(at[name], places[key]) for name, key in refused if name in at and key in places]
    stakes = [draft.balance(free(owner(key))) // rules.sigma for key in devices]
    dearest = np.minimum(np.array(stakes, np.int64), rules.largest_price)
    solve = Solve(number, market, raised(value, rank), barred, solver, options, mechanism, limit)
    return Round(solve, names, devices, dict(orders), dearest)


def _models(order: Mapping[str, Any]) -> list[str]:
    return [order["requests"][index]["model"] for index in order["waiting"]]


def net_bid(draft: Draft, rules: Rules, name: str, order: Mapping[str, Any]) -> int:
    """What an order bids for its waiting requests, the fee apart: their part of its bid, as far as escrow holds it.

    It bids no more for each than a lease may cost.
    """
    part = order["bid"] * len(order["waiting"]) // len(order["requests"])
    held = min(part, draft.balance(escrow(order["user"], name)))
    bid = held * rules.fee.denominator // (rules.fee.denominator + rules.fee.numerator)
    return min(bid, rules.largest_price * len(order["waiting"]))


def raised(value: Int, rank: Int) -> Int:
    """(m,) values by which tasks are ranked, as far as sums of them stay amounts."""
    room = AMOUNT_LIMIT // 4 // max(1, value.size)
    factor = RAISE ** np.minimum(rank, 40)
    return np.minimum(np.rint(value * factor), max(room, int(value.max(initial=0)))).astype(np.int64)


def _slots(
    draft: Draft,
    rules: Rules,
    offers: Mapping[str, dict[str, Any]],
    owner: Callable[[str], str],
    room: Callable[[str], int],
) -> list[int]:
    """Of each device its free slots, as far as its owner has room, and stakes for them at the cost."""
    left, found = dict[str, int](), list[int]()
    for key, offer in offers.items():
        whose, busy = owner(key), draft.fact("device", key)["busy"]
        covered = draft.balance(free(whose)) // (rules.sigma * max(1, offer["cost"]))
        slots = max(0, min(offer["slots"] - busy, covered, left.setdefault(whose, room(whose))))
        left[whose] -= slots
        found.append(slots)
    return found


def answer(solve: Solve) -> Answer:
    """Solve and price a round.

    Orders that met a device that had failed them are matched again, one by one, to the others; what is free then is
    for the orders that still wait, as often as that happens: no slot stays idle for one that may not have it.

    Raises:
        InputError: the solver or mechanism does not apply to the market.
    """
    market, barred = solve.market, set(solve.barred)
    task = provider = np.empty(0, np.int64)
    payment = np.zeros(market.tasks, np.int64)
    rest, met = np.arange(market.tasks), [0]

    def take(orders: Int, without: list[int]) -> tuple[Int, Int, Int]:
        left = market.slots - np.bincount(provider, minlength=market.providers)
        left[without] = 0
        part = replace(market, demand=market.demand[orders], value=market.value[orders], slots=left)
        found = _answer(part, solve.ranked_by[orders], solve)
        return orders[found.allocation.task], found.allocation.provider, found.payment

    while met and rest.size:
        tasks, providers, paid = take(rest, [])
        met = sorted({i for i, j in zip(tasks.tolist(), providers.tolist(), strict=True) if (i, j) in barred})
        stay = ~np.isin(tasks, met)
        task, provider = np.append(task, tasks[stay]), np.append(provider, providers[stay])
        payment[rest] = np.where(np.isin(rest, met), 0, paid)
        for i in sorted(met, key=lambda i: -int(solve.ranked_by[i])):
            tasks, providers, paid = take(np.array([i]), [j for other, j in barred if other == i])
            task, provider = np.append(task, tasks), np.append(provider, providers)
            payment[i] = paid[0]
        rest = rest[~np.isin(rest, np.append(task, met))]
    return Answer(Allocation.of(task, provider), payment)


def _answer(market: Market, ranked_by: Int, solve: Solve) -> Answer:
    if solve.mechanism != OWN:
        found = mechanisms.run(market, solve.mechanism, reading="bundle", options=solve.options)
        return Answer(found.allocation, found.payment)
    if solve.solver == "bid_density":
        options = {"backfill": True} | solve.options
        allocation = bid_density.allocate(market, ranked_by, "bundle", np.random.default_rng(solve.round), **options)
    else:
        ranked = replace(market, value=ranked_by)
        allocation = solvers.solve(ranked, solve.solver, time_limit=solve.limit, options=solve.options).allocation
        allocation = _within_bids(market, allocation)
    return Answer(allocation, trade_prices(market, allocation)[0])


def _within_bids(market: Market, allocation: Allocation) -> Allocation:
    """Without tasks that won by their rank what their bids do not pay."""
    spent = np.zeros(market.tasks, np.int64)
    np.add.at(spent, allocation.task, market.cost[allocation.provider])
    stay = (spent <= market.net_bid)[allocation.task]
    return Allocation.of(allocation.task[stay], allocation.provider[stay])


def by_bid_density(solve: Solve) -> Answer:
    """What is done where no answer came in time, or one that does not hold."""
    return answer(replace(solve, solver="bid_density", options={}, mechanism=OWN))


def faults(solve: Solve, given: Answer) -> list[str]:
    """What does not hold of an answer, which may be a stranger's: who made it is not trusted."""
    market = solve.market
    found = check(market, given.allocation, "bundle")
    if found or given.payment.shape != (market.tasks,):
        return found or ["payment: one amount a task is expected"]
    if set(zip(given.allocation.task.tolist(), given.allocation.provider.tolist(), strict=True)) & set(solve.barred):
        found.append("a task goes to a provider that failed it")
    won = np.isin(np.arange(market.tasks), given.allocation.task)
    if (given.payment[~won] != 0).any() or (given.payment > market.net_bid).any() or (given.payment < 0).any():
        found.append("payment: a task pays more than its bid, or loses and pays")
    return found


def pairs(held: Round, given: Answer) -> list[Pair]:
    """The leases of an answer: each provider of a task takes requests as far as its slot completes them.

    A provider is paid its cost and, by units, its share of what the task pays beyond the costs (lines 22-23), up to
    what its lease may cost: else the ledger would refuse it, and the slot that it wins in every round would be idle.
    An order whose payment is below its providers' costs is left out, and a provider for whom no request is left.
    """
    market = held.solve.market
    task, provider = given.allocation.task, given.allocation.provider
    spent = np.zeros(market.tasks, np.int64)
    np.add.at(spent, task, market.cost[provider])
    rest = np.maximum(given.payment - spent, 0)
    price = market.cost[provider] + fraction(
        rest[task], slot_units(market)[provider], won_units(market, given.allocation)[task]
    )
    first = np.diff(task, prepend=-1) > 0
    shared = np.zeros(market.tasks, np.int64)
    np.add.at(shared, task, price)
    price[first] += (spent + rest - shared)[task[first]]
    found, left = list[Pair](), dict[int, list[int]]()
    models = sorted({model for name in held.orders for model in _models(held.facts[name])})
    types = {model: k for k, model in enumerate(models)}
    for i, j, amount in zip(task.tolist(), provider.tolist(), price.tolist(), strict=True):
        if given.payment[i] < spent[i]:
            continue
        order = held.facts[held.orders[i]]
        waiting = left.setdefault(i, list(order["waiting"]))
        room, part = market.resource[j].copy(), list[int]()
        for index in waiting:
            k = types[order["requests"][index]["model"]]
            if room[k]:
                room[k] -= 1
                part.append(index)
        left[i] = [index for index in waiting if index not in part]
        found += _by_model(order, part, held.orders[i], held.devices[j], min(amount, int(held.dearest[j])))
    return found


def _by_model(order: Mapping[str, Any], part: list[int], name: str, device: str, price: int) -> list[Pair]:
    """A lease's requests are of one model; of several models its price is divided by their number of requests."""
    of = dict[str, list[int]]()
    for index in part:
        of.setdefault(order["requests"][index]["model"], []).append(index)
    found, left = list[Pair](), price
    for at, indices in enumerate(of.values(), start=1):
        share = left if at == len(of) else price * len(indices) // len(part)
        found.append(Pair(name, indices, device, share))
        left -= share
    return found


def welfare_of(held: Round, given: Answer) -> int:
    """Of an answer, micro-tokens."""
    return welfare(held.solve.market, given.allocation)
