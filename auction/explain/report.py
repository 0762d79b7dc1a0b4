"""A market solved, priced and explained: all that ``run`` says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from auction import mechanisms, solvers
from auction.errors import InputError
from auction.explain.thresholds import Threshold, trading_cost, winning_bid
from auction.market import MICRO, Int, Market
from auction.mechanisms import Settlement
from auction.outcome import Outcome
from auction.prices import trade_prices
from auction.search import Stop
from auction.tables.notes import tokens, unservable
from auction.welfare import welfare, winners

FIRST_STEP = 1.25  # the bid that is tried first, over the one that the certificate's prices suggest

PATIENCE, LEAST_TIME = 10, 0.2  # one solve gets that part of the time left, and that many seconds at the least


@dataclass(frozen=True, eq=False, kw_only=True)
class Report:
    """What ``run`` says of one market. ``best`` is the solver's allocation at midpoint prices (section 4.2)."""

    market: Market
    outcome: Outcome
    best: Settlement
    mechanism: str
    auction: Settlement  # the mechanism's own allocation and prices
    losing: dict[int, str]  # why a task does not win in ``best``
    idle: dict[int, str]  # why a provider trades no slot in ``best``
    bids: dict[int, Threshold]  # of tasks that do not win
    costs: dict[int, Threshold]  # of idle providers
    unasked: int  # tasks and providers whose thresholds were not sought: there was no time left
    interrupted: bool

    @property
    def auction_welfare(self) -> int:
        return welfare(self.market, self.auction.allocation)

    @property
    def auction_gap(self) -> float | None:
        """The share of the bound that the mechanism's allocation loses; None without a bound."""
        bound = self.outcome.bound
        return None if bound is None else (bound - self.auction_welfare) / bound if bound else 0.0


def report(
    market: Market,
    outcome: Outcome,
    mechanism: str,
    *,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
    time_limit: float | None = None,
    progress: Callable[[str], None] = lambda what: None,
) -> Report:
    """Price an outcome, run a mechanism beside it, and say why who did not trade did not.

    Args:
        market: the market.
        outcome: of a solver; thresholds are proven where its bound is.
        mechanism: a name from ``mechanisms.names()``.
        seed, options: of the mechanism.
        time_limit: seconds for all reasons and thresholds; None for no limit.
        progress: told what is being asked.

    Raises:
        InputError: a mechanism that does not apply to the market.
    """
    best = Settlement(outcome.allocation, *trade_prices(market, outcome.allocation), market=market)
    auction = mechanisms.run(market, mechanism, reading=_reading(mechanism, outcome), seed=seed, options=options)
    stop = Stop(time_limit)
    if outcome.status == "interrupted":
        stop.interrupt()
    questions = _Questions(market, outcome, stop)
    lost = np.setdiff1d(np.arange(market.tasks), winners(outcome.allocation))
    unused = np.setdiff1d(np.arange(market.providers), outcome.allocation.provider)
    losing, bids, idle, costs = {}, {}, {}, {}
    for number, i in enumerate(lost.tolist()):
        progress(f"why task {number + 1} of {lost.size} does not win")
        losing[i], bids[i] = questions.task(i)
    for number, j in enumerate(unused.tolist()):
        progress(f"why provider {number + 1} of {unused.size} does not trade")
        idle[j], costs[j] = questions.provider(j)
    return Report(
        market=market,
        outcome=outcome,
        best=best,
        mechanism=mechanism,
        auction=auction,
        losing=losing,
        idle=idle,
        bids=bids,
        costs=costs,
        unasked=questions.unasked,
        interrupted=stop.interrupted,
    )


def _reading(mechanism: str, outcome: Outcome) -> str | None:
    return outcome.reading if outcome.reading in mechanisms.load(mechanism).READINGS else None


class _Questions:
    """Asks of one market what would have been, within one budget of time."""

    def __init__(self, market: Market, outcome: Outcome, stop: Stop) -> None:
        self.market, self.outcome, self.stop = market, outcome, stop
        self.beyond = unservable(market)
        self.asked = market.demand.any(axis=0)
        self.premium = _premiums(market, outcome)
        self.unasked = 0

    def task(self, i: int) -> tuple[str, Threshold]:
        market, outcome = self.market, self.outcome
        if self.beyond[i]:
            short = market.demand[i] - market.resource[market.slots > 0].sum(axis=0)
            k = int(short.argmax())
            requests = "request" if short[k] == 1 else "requests"
            lacking = f"{short[k]:,} {requests} of {market.labels.types[k]}"
            return f"a slot of every provider, all that a task can have, lacks {lacking}", Threshold(never=True)
        if not self._time_left():
            return _left_out(outcome), Threshold()
        able = market.resource[market.slots > 0] >= market.demand[i]
        if outcome.reading == "whole" and not able.all(axis=1).any():
            return "no provider alone completes what it asks for", Threshold(never=True)
        alone = self._cover(i, np.zeros_like(market.cost))
        priced = alone if self.premium is None else self._cover(i, self.premium)
        first = max(int((priced or MICRO) * FIRST_STEP), int(market.net_bid[i]))
        # By weak duality V_i <= U - f(C_i; c + pi), U being the certificate's bound.
        least = None
        if priced is not None and outcome.certificate is not None and self.premium is not None:
            least = max(0, priced - (outcome.certificate.bound - outcome.welfare))
        found = winning_bid(market, outcome, i, first, self._solve, self.stop, least)
        return _too_low(market, i, alone, found) or _left_out(outcome), found

    def provider(self, j: int) -> tuple[str, Threshold]:
        market, outcome = self.market, self.outcome
        if not market.slots[j]:
            return "it offers no slot", Threshold()
        if not market.resource[j, self.asked].any():
            return "it serves nothing that is asked for", Threshold()
        if not self._time_left():
            return _left_out(outcome), Threshold()
        found = trading_cost(market, outcome, j, self._solve, self.stop)
        if found.most is not None and found.most <= 0:
            return "it is not needed, even for nothing", found
        proven = outcome.proven_optimal or (found.most is not None and found.most < market.cost[j])
        return "others serve the same for less" if proven else _left_out(outcome), found

    def _time_left(self) -> bool:
        self.unasked += self.stop.now
        return not self.stop.now and self.outcome.bound is not None

    def _solve(self, market: Market) -> Outcome:
        remaining = self.stop.remaining()
        found = solvers.solve(
            market,
            self.outcome.solver,
            reading=self.outcome.reading,
            time_limit=None if remaining is None else max(LEAST_TIME, remaining / PATIENCE),
            seed=self.outcome.seed,
            options=self.outcome.options,
        )
        if found.status == "interrupted":
            self.stop.interrupt()  # what is known by then is told
        return found

    def _cover(self, i: int, premium: Int) -> int | None:
        """f(C_i; c + premium): what the cheapest providers for a task cost; None where that is not proven."""
        market, there = self.market, self.market.slots > 0
        cost = [c + p for c, p in zip(market.cost[there].tolist(), premium[there].tolist(), strict=True)]
        bid = sum(cost) + 1
        try:
            alone = replace(
                market,
                demand=market.demand[[i]],
                value=np.array([bid + int(market.extra_cost[i])]),
                resource=market.resource[there],
                cost=np.array(cost, dtype=np.int64),
                slots=np.ones(len(cost), dtype=np.int64),
                ability=market.ability[there],
                arrival=None,
                names=None,
            )
            found = self._solve(alone)
        except (InputError, OverflowError):  # beyond what a market holds, or the solver
            return None
        return bid - found.welfare if found.proven_optimal and found.allocation.task.size else None


def _too_low(market: Market, i: int, alone: int | None, found: Threshold) -> str:
    """Why a bid is below what the cheapest providers cost; empty where it is not, or that is not known."""
    bid, extra = int(market.net_bid[i]), int(market.extra_cost[i])
    if bid <= 0 < extra:
        return f"its extra cost of {tokens(extra)} leaves nothing to bid"
    if alone is None or alone <= bid:
        return ""
    left = f"it bids {tokens(bid)} after its extra cost, and " if extra else ""
    wanted = ", and others make more of them" if found.least is not None and found.least > alone else ""
    return f"{left}its cheapest providers cost {tokens(alone)}{wanted}"


def _premiums(market: Market, outcome: Outcome) -> Int | None:
    """(n,) the certificate's price of a slot beyond its cost; None where it has none of providers."""
    certificate = outcome.certificate
    if certificate is None or certificate.vector is not None:
        return None
    return np.minimum(certificate.price, int(market.net_bid.max(initial=0)))


def _left_out(outcome: Outcome) -> str:
    return "others make more of the same slots" if outcome.proven_optimal else "not in the best allocation found"
