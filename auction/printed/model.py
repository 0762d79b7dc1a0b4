"""Objective, utilities, constraints and extra cost as printed (section 4)."""

from dataclasses import replace

import numpy as np

from auction.allocation import Allocation
from auction.market import MICRO, Float, Int, Market
from auction.prices import trade_prices
from auction.printed.defect import NOT_SHOWN, Defect, best_order, share
from auction.search import Stop
from auction.solvers._warm_start import best_heuristic
from auction.welfare import printed_objective, printed_provider_utility, provider_utility, welfare


def rewards_low_prices(market: Market) -> tuple[float, float]:
    """What the objective gains when every trade price falls from the midpoint to the cost, over welfare."""
    allocation = best_order(market)
    payment, receipt = trade_prices(market, allocation)
    at_cost = trade_prices(replace(market, value=_costs(market, allocation) + market.extra_cost), allocation)
    total = welfare(market, allocation)
    gained = printed_objective(market, allocation, *at_cost) - printed_objective(market, allocation, payment, receipt)
    return share(gained, total), share(0, total)


def _costs(market: Market, allocation: Allocation) -> Int:
    """(m,) what the slots of a task cost; with bids that low, midpoints are the costs."""
    spent = np.zeros(market.tasks, dtype=np.int64)
    np.add.at(spent, allocation.task, market.cost[allocation.provider])
    return spent


def providers_surplus(market: Market) -> tuple[float, float]:
    """Providers' utilities over welfare."""
    allocation = best_order(market)
    _, receipt = trade_prices(market, allocation)
    total = welfare(market, allocation)
    return (
        share(printed_provider_utility(market, allocation, receipt).sum(), total),
        share(provider_utility(market, allocation, receipt).sum(), total),
    )


def one_slot_each(market: Market) -> tuple[float, float]:
    """Welfare of the best heuristic over that with all slots, providers with several slots held to sum_k A_kj <= 1."""
    if (market.slots <= 1).all():
        return NOT_SHOWN
    stop = Stop(None)
    single = replace(market, slots=np.minimum(market.slots, 1))
    best = welfare(market, best_heuristic(market, "bundle", stop))
    return share(welfare(single, best_heuristic(single, "bundle", stop)), best), share(best, best)


def nothing_to_cover(market: Market) -> tuple[float, float]:
    """Winners that lack requests in the printed programme's optimum, as a share of its winners.

    Nothing printed ties A to C, so the largest bids take the cheapest slots, one each, while bid exceeds cost.
    """
    bids = np.argsort(-market.net_bid, kind="stable")
    slots = np.repeat(np.arange(market.providers), np.minimum(market.slots, market.tasks))
    slots = slots[np.argsort(market.cost[slots], kind="stable")]
    pairs = min(bids.size, slots.size)
    won = market.net_bid[bids[:pairs]] > market.cost[slots[:pairs]]
    lacking = (market.resource[slots[:pairs]] < market.demand[bids[:pairs]]).any(axis=1)
    return share((lacking & won).sum(), won.sum()), 0.0


def printed_extra_cost(work: Float, alpha: float, beta: int) -> Float:
    """e = t log_alpha(t) + beta as printed, tokens."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return work * np.log(work) / np.log(alpha) + beta


def cheaper_than_nothing(market: Market) -> tuple[float, float]:
    """Model types of which one request has an extra cost below beta, what no work at all costs."""
    one = np.eye(market.types, dtype=np.int64)
    values = np.zeros(market.types, dtype=np.int64)
    single = replace(market, demand=one, value=values)
    printed = printed_extra_cost(market.unit_work, market.alpha, market.beta)
    return float((printed < market.beta).mean()), float((single.extra_cost < MICRO * market.beta).mean())


def finite_extra_cost(market: Market) -> tuple[float, float]:
    """Tasks whose extra cost is a number at the least alpha allowed: 1 as printed, 2 here."""
    printed = printed_extra_cost(market.work, 1, market.beta)
    return float(np.isfinite(printed).mean()), float(np.isfinite(replace(market, alpha=2).extra_cost).mean())


DEFECTS = (
    Defect(
        1,
        "4",
        "max(Σ utility_u - Σ utility_p)",
        "not welfare: it pays to push trade prices down",
        {"gain of the objective, over welfare, when trade prices fall to costs": rewards_low_prices},
    ),
    Defect(
        2,
        "4, utility_p",
        "trade price_j - Σ A_ij",
        "c_j is missing: providers seem to gain what they spend",
        {"providers' surplus over welfare": providers_surplus},
    ),
    Defect(
        3,
        "4",
        "Σ_k A_kj ≤ 1; Σ_i A_ij ≤ w_j; A in [0, 1]",
        "two bounds on one sum, of which the first makes w_j void; binary or real is left open",
        {"welfare over that with w_j slots, where some w_j > 1": one_slot_each},
    ),
    Defect(
        27,
        "4",
        "no constraint ties A to C",
        "the printed optimum gives any task any one provider, whatever was asked for",
        {"winners of the printed optimum that lack requests": nothing_to_cover},
    ),
    Defect(
        28,
        "4, e_i",
        "e_i = t_i log_α(t_i) + β",
        "below one unit of work it lies below β, and t_i is the work of a type in T_i but of a task here",
        {"model types of which one request costs less extra than none": cheaper_than_nothing},
    ),
    Defect(
        29,
        "4, e_i",
        "α ∈ ℤ⁺",
        "allows α = 1, a logarithm to the base 1",
        {"tasks whose e_i is a number at the least α": finite_extra_cost},
    ),
)
