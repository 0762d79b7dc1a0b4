"""Per-unit and trade prices as printed (sections 4 and 4.1; section 4.2, lines 3, 12-15, 22 and 23)."""

from dataclasses import replace

import numpy as np

from auction.allocation import Allocation
from auction.market import MICRO, Float, Int, Market
from auction.prices import ask_per_unit, bid_per_unit, slot_units, trade_prices, unit_prices, won_units
from auction.printed.defect import NOT_SHOWN, Defect, best_order, share
from auction.printed.densities import normalised
from auction.welfare import user_utility, winners

RAISE = 1.5  # what a failed task's value is raised by; the print says 'higher'


def losing(market: Market, allocation: Allocation, payment: Int) -> float:
    """Winners whose utility is below 0, as a share of the winners."""
    return share((user_utility(market, allocation, payment) < 0).sum(), winners(allocation).size)


def above_the_bid(market: Market) -> tuple[float, float]:
    """Winners that pay more than b_i: lines 14-15, and the bundle's midpoint."""
    allocation = best_order(market)
    paid = [trade_prices(market, allocation, printed=printed)[0] for printed in (True, False)]
    return losing(market, allocation, paid[0]), losing(market, allocation, paid[1])


def value_as_bid(market: Market) -> tuple[float, float]:
    """Winners whose payment and e_i exceed v_i: v_i meets the asks, and b_i does."""
    bidding = replace(market, value=market.value + market.extra_cost)  # its net bid is v_i
    allocation = best_order(bidding)
    printed = losing(market, allocation, trade_prices(bidding, allocation)[0])
    return printed, above_the_bid(market)[1]


def _raised(market: Market) -> Market:
    return replace(market, value=np.rint(market.value * RAISE).astype(np.int64))


def raised_value(market: Market) -> tuple[float, float]:
    """Winners whose utility is below 0 by their true value in an auction to which all return with v_i raised."""
    returned = _raised(market)
    allocation = best_order(returned)
    payment, _ = trade_prices(returned, allocation)
    spent = np.zeros(market.tasks, dtype=np.int64)
    np.add.at(spent, allocation.task, market.cost[allocation.provider])
    capped = (spent <= market.net_bid)[allocation.task]  # ranked by the raised value, charged and capped by the bid
    kept = Allocation.of(allocation.task[capped], allocation.provider[capped])
    return losing(market, allocation, payment), losing(market, kept, trade_prices(market, kept)[0])


def resources(market: Market) -> tuple[float, float]:
    """Mean over winners of resource_i over the units won: sum_j A_ij times the S_j of all its providers, and R_i."""
    allocation = best_order(market)
    won, units = winners(allocation), won_units(market, allocation)
    many = np.bincount(allocation.task, minlength=market.tasks)
    return (float(np.mean((many * units)[won] / units[won])), 1.0) if won.size else NOT_SHOWN


def _ranks(allocation: Allocation, places: Int) -> Int:
    """(pairs,) the how-manieth provider of its task each pair is, by places in the order of providers."""
    order = np.lexsort((places[allocation.provider], allocation.task))
    task = allocation.task[order]
    first = np.flatnonzero(np.diff(task, prepend=-1) > 0)
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size) - np.repeat(first, np.diff(first, append=order.size))
    return rank


def paid_by_bundles(market: Market) -> tuple[float, float]:
    """Mean payment over bid of tasks with several providers: each pair priced by the units won so far, and by R_i."""
    allocation = best_order(market)
    places = np.argsort(np.argsort(ask_per_unit(market), kind="stable"))  # best_order walks by c_j / S_j
    rank, price = _ranks(allocation, places), np.empty(allocation.task.size)
    for last in range(rank.max(initial=-1) + 1):
        so_far = rank <= last
        known = Allocation.of(allocation.task[so_far], allocation.provider[so_far])
        price[rank == last] = unit_prices(market, known)[(rank == last)[so_far]]
    bundles = np.bincount(allocation.task, minlength=market.tasks) > 1

    def paid(unit_price: Float) -> float:
        total = np.zeros(market.tasks)
        np.add.at(total, allocation.task, unit_price * slot_units(market)[allocation.provider])
        return float(np.mean(total[bundles] / market.net_bid[bundles]))

    return (paid(price), paid(unit_prices(market, allocation))) if bundles.any() else NOT_SHOWN


def normalised_prices(market: Market) -> tuple[float, float]:
    """Pairs whose ask exceeds the bid a unit: v' and s' of line 3 against c in tokens, and money against money."""
    allocation = best_order(market)
    if not allocation.task.size:
        return NOT_SHOWN
    task, provider = allocation.task, allocation.provider
    units = np.sum([normalised(column) for column in market.resource.T], axis=0)
    won = np.zeros(market.tasks)
    np.add.at(won, task, units[provider])
    printed = market.cost[provider] / MICRO / units[provider] > normalised(market.value)[task] / won[task]
    corrected = ask_per_unit(market)[provider] > bid_per_unit(market, allocation)[task]
    return float(printed.mean()), float(corrected.mean())


def demand_in_the_matrix(market: Market) -> tuple[float, float]:
    """Mean payment over bid of the winners: X[i,j] = sum_k C_ik multiplied in on line 22, and A binary."""
    allocation = best_order(market)
    won = winners(allocation)
    payment, _ = trade_prices(market, allocation, printed=True)
    asked = market.demand.sum(axis=1)
    ratio = payment[won] / market.net_bid[won]
    return (float(np.mean(asked[won] * ratio)), float(np.mean(ratio))) if won.size else NOT_SHOWN


def _completing(market: Market, allocation: Allocation) -> list[int]:
    """Of each winner the provider that it walks to last: ``best_order`` goes by asks a unit."""
    asks = ask_per_unit(market)
    served = np.split(allocation.provider, np.flatnonzero(np.diff(allocation.task)) + 1)
    return [max(providers.tolist(), key=lambda j: (asks[j], j)) for providers in served]


def balance(market: Market) -> tuple[float, float]:
    """What users pay over what providers receive, lines 22 and 23 index by index, and trade_prices.

    Line 22, i done on provider j with k = 1: s_j A_1j sum_m P_im, where m runs to n. Line 23: its n is summed from 1
    to n. An index beyond the last task adds nothing.
    """
    allocation = best_order(market)
    if not allocation.task.size:
        return NOT_SHOWN
    n, units = market.providers, slot_units(market)
    A, P = np.zeros((market.tasks, n)), np.zeros((market.tasks, n))
    A[allocation.task, allocation.provider] = 1
    P[allocation.task, allocation.provider] = unit_prices(market, allocation)
    first = allocation.task[0]  # k = 1 is the first task there is; here the first that wins
    last = _completing(market, allocation)
    users = sum(P[i].sum() * units[j] * A[first, j] for i, j in zip(winners(allocation), last, strict=True))
    providers = float(((P * A)[:n].sum(axis=0) * units).sum())
    payment, receipt = trade_prices(market, allocation)
    return share(users, providers), share(payment.sum(), receipt.sum())


def never_priced(market: Market) -> tuple[float, float]:
    """Providers with trades that line 23 never prices, since they complete no task; and those that receive nothing."""
    allocation = best_order(market)
    if not allocation.task.size:
        return NOT_SHOWN
    trading, (_, receipt) = np.unique(allocation.provider), trade_prices(market, allocation)
    unpriced = np.setdiff1d(trading, _completing(market, allocation))
    return share(unpriced.size, trading.size), share((receipt[trading] == 0).sum(), trading.size)


def lowered_value(market: Market) -> tuple[float, float]:
    """Pairs of tasks with several providers whose ask exceeds the bid a unit: b_i less what line 16 took, and b_i."""
    allocation = best_order(market)
    task, provider = allocation.task, allocation.provider
    bundles = (np.bincount(task, minlength=market.tasks) > 1)[task]
    if not bundles.any():
        return NOT_SHOWN
    places = np.argsort(np.argsort(ask_per_unit(market), kind="stable"))
    rank, lowered, lacking = _ranks(allocation, places), np.zeros(task.size), market.demand.copy()
    for place in range(rank.max() + 1):
        at = rank == place
        lowered[at] = (market.demand - lacking)[task[at]].sum(axis=1)
        lacking[task[at]] -= np.minimum(lacking[task[at]], market.resource[provider[at]])
    bid, units = market.net_bid[task], won_units(market, allocation)[task]
    dearer = [ask_per_unit(market)[provider] > offered / units for offered in (bid - MICRO * lowered, bid)]
    return float(dearer[0][bundles].mean()), float(dearer[1][bundles].mean())


def paid_to_nobody(market: Market) -> tuple[float, float]:
    """Extra costs of the winners over what they pay; the same here, where e_i is a cost and no payment."""
    allocation = best_order(market)
    ratio = share(market.extra_cost[winners(allocation)].sum(), trade_prices(market, allocation)[0].sum())
    return ratio, ratio


def work_of_a_unit(market: Market) -> tuple[float, float]:
    """Work that one unit price buys: the largest unit_work over the least; the same here, units are requests."""
    least = market.unit_work.min()
    ratio = share(market.unit_work.max(), least)
    return ratio, ratio


DEFECTS = (
    Defect(
        10,
        "4.2, lines 14, 15",
        "P = ask where the midpoint is outside [ask, bid]",
        "only happens when bid < ask: that unit is paid above the bid, and the bundle can cost more than b_i",
        {"winners that pay more than they bid": above_the_bid},
    ),
    Defect(
        13,
        "4.1, 4.2, line 13",
        "price (task per unit) = v_i / (Σ x* Σ s)",
        "divides by x*, which is being computed: the first units are priced by those won so far",
        {"payment over bid of tasks with several providers": paid_by_bundles},
    ),
    Defect(
        14,
        "4.1",
        "price (task per unit) = v_i / …",
        "ignores e_i: the user pays up to v_i, and then e_i on top",
        {"winners that pay more than their value": value_as_bid},
    ),
    Defect(
        15,
        "4.1",
        "resource_i = Σ A_ij × Σ s_j",
        "two sums multiplied: mixes the units of different providers",
        {"resource_i over the units won": resources},
    ),
    Defect(
        16,
        "4.2, line 3",
        "v, C and s are overwritten by normalised values",
        "a reading, line 3 names no copies: lines 10-23 price in no unit, a cost in tokens meets a value without one",
        {"pairs whose ask exceeds the bid": normalised_prices},
    ),
    Defect(
        18,
        "4",
        "inserted back into the auction with a higher demand v_i",
        "a higher v_i also raises what it pays, perhaps above its true value",
        {"winners that pay more than their true bid, all v_i raised by half": raised_value},
    ),
    Defect(
        23,
        "4.2, lines 12, 22, 23",
        "X[i,j] = q_i; … × A",
        "a demand stands in a 0/1 matrix, and A is never assigned: with A = X a price is multiplied by the demand",
        {"payment over bid": demand_in_the_matrix},
    ),
    Defect(
        24,
        "4.2, lines 22, 23",
        "Σ_{m=1}^n P_im s_j A_kj; Σ_{n=1}^n P_nj s_j A_nj",
        "k is another task, s_j and A_kj do not follow m, n is its own bound: users do not pay what providers receive",
        {"paid by users over received by providers": balance},
    ),
    Defect(
        30,
        "4.1",
        "Σ s_j",
        "adds requests of different models: a chat and an image count as one unit each",
        {"work that one unit buys, most over least": work_of_a_unit},
    ),
    Defect(
        37,
        "4.2, lines 21-23",
        "Device trade price_j, j the provider at hand",
        "only the provider that completes a task is priced: who served a part of it before receives nothing",
        {"providers with trades that line 23 never prices": never_priced},
    ),
    Defect(
        38,
        "4.2, lines 13, 16",
        "v_i ← v_i - q_i",
        "line 13 prices with the v_i that line 16 has lowered: the more a task was given, the less it seems to bid",
        {"pairs of tasks with several providers whose ask exceeds the bid": lowered_value},
    ),
    Defect(
        40,
        "4, e_i",
        "v_i - (trade price_i + e_i)",
        "the user bears e_i and nobody receives it: no provider's utility holds it, nor any other account",
        {"extra costs over what winners pay": paid_to_nobody},
    ),
)
