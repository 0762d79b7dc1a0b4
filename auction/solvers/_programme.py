"""The exact model in integers that a solver's arithmetic holds, and what its answers prove of the market.

A solver in floating point decides within tolerances: it can take a point that violates a row by a hair for feasible,
and cut off one that does not. What it is given and what is believed of it are such that neither matters:

1. Amounts are divided by their greatest common divisor. Where they still add up to more than ``Arithmetic.amounts``,
   bids are rounded up and costs down to multiples of a larger unit: no allocation loses welfare by that.
2. A covering row is divided by the greatest common divisor of its coefficients, its demand rounded up. Where the demand
   is still above ``Arithmetic.requests``, coefficients are rounded up and the demand down to a coarser unit: no cover
   is lost by that.

So every feasible allocation is feasible here and worth at least as much: the programme is a relaxation, and a bound of
it, in units, bounds the welfare. Its rows and costs are integers so small that tolerances are far below a half.

3. An answer is checked against the market in its own integers. A task whose providers do not cover it loses; and the
   largest set S around them that still does not cover it becomes the row sum_(j not in S) A_ij >= y_i, which holds of
   every feasible allocation. The programme is then solved again: rounding costs time, not exactness.
4. A solver's bound is believed up to ``Arithmetic.hidden`` and rounded down to whole units. The welfare is optimal
   only where that leaves no room, in Python's integers.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auction.allocation import Allocation, check
from auction.market import Int, Market, Reading
from auction.search import Found, Stop, trivial_bound
from auction.solvers import _apart
from auction.solvers._formulation import Candidates, candidates, refuse_too_many_pairs
from auction.solvers._warm_start import best_heuristic
from auction.welfare import welfare

Mask = NDArray[np.bool_]
Cut = tuple[int, Int]  # (task, pairs): where the task wins, at least one of the pairs is taken

OPTIMAL, TIME_LIMIT, INTERRUPTED = "optimal", "time limit", "interrupted"


class Arithmetic(NamedTuple):
    """What a solver can be given, and how far its bound can be off."""

    amounts: int  # most that bids and costs, over all pairs, may total; units
    requests: int  # largest demand in a covering row, and so its largest coefficient
    per_column: float = 0.0  # error of the bound a variable: reduced costs of the wrong sign within the dual tolerance
    relative: float = 0.0  # error of the bound a unit of the total amounts: rounding of sums


@dataclass(frozen=True, eq=False)
class Programme:
    """max sum_i b_i y_i - sum_ij c_ij A_ij over covering, slots and A_ij <= y_i; a relaxation of the market."""

    whole: bool  # one provider a task
    unit: int  # micro-tokens of one unit of bid and cost
    bid: Int  # (t,) units
    demand: Int  # (t, K)
    task: Int  # (p,) of each pair, an index into the t tasks, sorted
    provider: Int  # (p,) the market's index
    cost: Int  # (p,) units
    useful: Int  # (p, K) at most the demand
    slots: Int  # (n,) at most the tasks
    exact: bool  # whether nothing was rounded: its feasible points are the market's, at their welfare
    cuts: tuple[Cut, ...] = ()

    def worth(self, taken: Mask) -> int:
        """The objective of the pairs taken, units."""
        return int(self.bid[np.unique(self.task[taken])].sum()) - int(self.cost[taken].sum())


class Answer(NamedTuple):
    """What a solver says of a programme."""

    taken: Mask  # (p,) whether a pair is in its best solution; nowhere where it has none
    bound: float  # on the objective, units; inf where it has none. An int where it may exceed 2^53
    ending: str  # OPTIMAL, TIME_LIMIT, INTERRUPTED, or what it says, in words


class Watch(NamedTuple):
    """Told what a solver finds on its way; from any thread."""

    incumbent: Callable[[Mask], None]  # whether a pair is in a solution
    worth: Callable[[float], None]  # the objective of a solution that is not shown
    bound: Callable[[float], None]  # as that of an answer


Optimum = Callable[[Programme, Stop, Mask | None, Watch], Answer]  # the third: the pairs of a feasible start


def solve(
    market: Market, reading: Reading, stop: Stop, warm_start: bool, optimum: Optimum, arithmetic: Arithmetic
) -> Found:
    """The best allocation and bound that a solver finds in a process of its own (``_apart``), cut short or not.

    Raises:
        InputError: more pairs of tasks and providers than an integer programme takes.
    """
    refuse_too_many_pairs(market)
    _apart.start()
    start = best_heuristic(market, reading, stop) if warm_start else Allocation.empty()
    found, ending = _apart.last(_search, stop, optimum, arithmetic, market, reading, start)
    if found is None:
        return Found(start, trivial_bound(market), ending or "")
    allocation = Allocation.of(found.allocation.task, found.allocation.provider)
    proven = found.bound == welfare(market, allocation)
    return replace(found, allocation=allocation, status=found.status if proven else ending or found.status)


def _search(
    stop: Stop, optimum: Optimum, arithmetic: Arithmetic, market: Market, reading: Reading, best: Allocation
) -> Iterator[Found]:
    """Solve, check, add the rows that were missing, until none is; each time what is known by then."""
    kept = candidates(market, reading)
    if not kept.tasks.size:
        yield Found(Allocation.empty(), 0, OPTIMAL)
        return
    programme = formulate(market, reading, kept, arithmetic)
    bound = trivial_bound(market)
    stop.report(welfare=welfare(market, best), bound=bound)
    while True:
        answer = optimum(
            programme, stop, _pairs_of(kept, best), _watch(market, reading, kept, programme, arithmetic, stop)
        )
        ending = answer.ending
        allocation, cuts = _checked(market, kept, answer.taken)
        if faults := check(market, allocation, reading):
            allocation, ending = Allocation.empty(), f"its answer is infeasible: {faults[0]}"
        if any((answer.taken & (programme.task == i)).any() > answer.taken[p].any() for i, p in programme.cuts):
            ending = "its answer violates a row it was given"
        best = max(best, allocation, key=lambda one: welfare(market, one))
        worth = welfare(market, best)
        if (believed := _believed(answer.bound, programme, arithmetic)) is not None:
            if believed < worth:
                ending = "its bound is below a feasible welfare"
            else:
                bound = min(bound, believed)
        if bound == worth:
            ending = OPTIMAL
        elif ending == OPTIMAL and not cuts:
            ending = f"feasible; amounts in units of {programme.unit} micro-tokens"
        yield Found(best, bound, ending)
        if bound == worth or ending != OPTIMAL:
            return
        programme = replace(programme, cuts=programme.cuts + cuts)


def _watch(
    market: Market, reading: Reading, kept: Candidates, programme: Programme, arithmetic: Arithmetic, stop: Stop
) -> Watch:
    """Reports what a solver finds on its way, after the same checks as its answer."""

    def incumbent(taken: Mask) -> None:
        allocation, _ = _checked(market, kept, taken)
        if not check(market, allocation, reading):
            stop.report(welfare=welfare(market, allocation))

    def worth(value: float) -> None:
        if programme.exact:
            stop.report(welfare=programme.unit * math.floor(value))

    def bound(value: float) -> None:
        stop.report(bound=_believed(value, programme, arithmetic))

    return Watch(incumbent, worth, bound)


def _believed(bound: float, programme: Programme, arithmetic: Arithmetic) -> int | None:
    """What a solver's bound on the programme proves of the market, micro-tokens; None where it has none."""
    if not math.isfinite(bound):
        return None
    return programme.unit * math.floor(bound + hidden(programme, arithmetic))


def formulate(market: Market, reading: Reading, kept: Candidates, arithmetic: Arithmetic) -> Programme:
    """The programme over the pairs that are kept, its numbers within the arithmetic."""
    bid, cost = market.net_bid[kept.tasks], market.cost[kept.provider]
    unit = math.gcd(int(np.gcd.reduce(bid)), int(np.gcd.reduce(cost)))
    bid, cost = bid // unit, cost // unit
    coarser = math.ceil((float(bid.sum(dtype=float)) + float(cost.sum(dtype=float))) / arithmetic.amounts)
    bid, cost = -(-bid // coarser), cost // coarser

    place = np.searchsorted(kept.tasks, kept.task)
    demand = market.demand[kept.tasks]
    divisor = np.maximum(np.gcd.reduceat(kept.useful, np.searchsorted(kept.task, kept.tasks), axis=0), 1)
    demand, useful = -(-demand // divisor), kept.useful // divisor[place]
    exact = coarser == 1 and demand.max(initial=0) <= arithmetic.requests
    divisor = np.maximum(-(-demand // arithmetic.requests), 1)
    demand, useful = demand // divisor, -(-useful // divisor[place])
    return Programme(
        whole=reading == "whole",
        unit=unit * coarser,
        bid=bid,
        demand=demand,
        task=place,
        provider=kept.provider,
        cost=cost,
        useful=np.minimum(useful, demand[place]),
        slots=np.minimum(market.slots, kept.tasks.size),
        exact=exact,
    )


def hidden(programme: Programme, arithmetic: Arithmetic) -> Fraction:
    """How far below the true optimum of the programme a solver's bound can be, units."""
    total = int(programme.bid.sum()) + int(programme.cost.sum())
    columns = programme.bid.size + programme.cost.size
    return Fraction(arithmetic.per_column) * columns + Fraction(arithmetic.relative) * total


def _pairs_of(kept: Candidates, allocation: Allocation) -> Mask | None:
    """Which pairs an allocation has; None of an empty one."""
    if not allocation.task.size:
        return None
    width = 1 + max(int(kept.provider.max()), int(allocation.provider.max()))
    return np.isin(kept.task * width + kept.provider, allocation.task * width + allocation.provider)


def _checked(market: Market, kept: Candidates, taken: Mask) -> tuple[Allocation, tuple[Cut, ...]]:
    """The tasks that are covered with their pairs, and the rows that the others violate."""
    place = np.searchsorted(kept.tasks, kept.task)
    supply = np.zeros((kept.tasks.size, market.types), dtype=np.int64)
    np.add.at(supply, place[taken], kept.useful[taken])
    short = supply < market.demand[kept.tasks]
    short[~np.isin(np.arange(kept.tasks.size), place[taken])] = False
    loses: Mask = np.any(short, axis=1)
    covered = taken & ~loses[place]
    cuts = []
    for i, k in np.argwhere(short).tolist():
        pairs = np.flatnonzero((place == i) & ~taken)
        pairs = pairs[np.argsort(kept.useful[pairs, k], kind="stable")]
        within = supply[i, k] + np.cumsum(kept.useful[pairs, k]) < market.demand[kept.tasks[i], k]
        cuts.append((i, pairs[~within]))
    return Allocation.of(kept.task[covered], kept.provider[covered]), tuple(cuts)
