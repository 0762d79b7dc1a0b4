"""PRICES line by line (section 4.2, lines 4-27): each line as printed or as corrected, one at a time.

Numbers are those of docs/errata.md. With nothing as printed it is the walk of ``auction.solvers.bid_density``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from auction.allocation import Allocation
from auction.density import descending, provider_density, task_density
from auction.market import MICRO, Market
from auction.printed.defect import Defect, Measure, share
from auction.printed.densities import normalised
from auction.search import Stop
from auction.solvers import bid_density
from auction.solvers._warm_start import best_heuristic
from auction.welfare import welfare, winners

WALK = frozenset({7, 8, 9, 17, 19, 20, 21, 22})  # what this file can leave as printed


@dataclass(frozen=True, eq=False)
class Run:
    """What came of a run."""

    returned: bool  # line 27 was reached within the limit
    passes: int  # through the label Price
    written: Allocation  # pairs of the tasks that the run took for satisfied, whether X still holds them or not
    held: Allocation  # pairs that X holds at the end


def prices(market: Market, printed: Iterable[int] = WALK) -> Run:
    """Walk both lists, the numbered lines as printed and the others corrected; stopped after 10 (m + 1)(n + 1) passes.

    The corrected walk needs at most m (n + 1) + 1. Beyond the last task or provider there is nothing, so that as
    printed i and j run on.

    Args:
        market: the market.
        printed: numbers from ``WALK``.
    """
    printed = set(printed)
    tasks = descending(task_density(market.demand, market.value))  # line 4
    providers = descending(provider_density(market.resource, market.ability))
    limit = 10 * (market.tasks + 1) * (market.providers + 1)
    money = market.value / MICRO
    q = np.zeros_like(market.demand) if 17 in printed else market.demand.copy()
    left, X = market.slots.copy(), np.zeros((market.tasks, market.providers), dtype=bool)
    written: list[tuple[int, int]] = []
    taken: list[int] = []
    i = j = start = passes = 0  # line 5
    returned = False
    while passes < limit and not returned:  # line 6
        passes += 1
        if 8 in printed:
            X[:] = False  # line 8
        if i >= market.tasks:
            returned = 20 not in printed  # line 26, which the GOTO of line 25 leaves unreached
            i += 1
            continue
        task = tasks[i]
        covered = affordable = False
        if j < market.providers:
            provider = providers[j]
            gets = np.minimum(q[task], market.resource[provider])
            refused = money[task] < q[task].sum() if 7 in printed else left[provider] == 0  # line 10
            if (gets.any() and not refused) or 21 in printed:
                X[task, provider] = True  # line 12
                taken.append(provider)
                left[provider] -= 1
                money[task] -= q[task].sum()  # line 16
                q[task] -= q[task] if 19 in printed else gets  # line 17
            covered = not q[task].any()
            affordable = 22 in printed or market.cost[taken].sum() <= market.net_bid[task]
        if not covered and (j < market.providers or 9 in printed):
            j += 1  # lines 18-20
            continue
        if covered and affordable:  # lines 21-25
            written += [(task, provider) for provider in taken]
            start = j
        else:
            X[task] = False
            left[taken] += 1
            j = start
        taken = []
        i += 1
    pairs = np.array(written, dtype=np.int64).reshape(-1, 2)
    return Run(returned, passes, Allocation.of(*pairs.T), Allocation.of(*np.nonzero(X)))


def compared(figure: Callable[[Market, Run], float], *printed: int) -> Measure:
    """A figure of the run with these lines as printed, and of the corrected one."""
    return lambda market: (figure(market, prices(market, printed)), figure(market, prices(market, ())))


def returns(market: Market, run: Run) -> float:
    """1 where line 27 is reached."""
    return float(run.returned)


def held(market: Market, run: Run) -> float:
    """Pairs that X holds at the end, as a share of those allocated."""
    return share(run.held.task.size, run.written.task.size)


def beyond_slots(market: Market, run: Run) -> float:
    """Pairs for which their provider has no slot, as a share of all pairs."""
    used = np.bincount(run.written.provider, minlength=market.providers)
    return share(np.maximum(used - market.slots, 0).sum(), run.written.task.size)


def served(market: Market, run: Run) -> float:
    """Tasks that are given slots, as a share of all."""
    return share(winners(run.written).size, market.tasks)


def uncovered(market: Market, run: Run) -> float:
    """Winners that lack requests, as a share of the winners."""
    won = winners(run.written)
    supply = np.zeros_like(market.demand)
    np.add.at(supply, run.written.task, market.resource[run.written.provider])
    return share((supply < market.demand)[won].any(axis=1).sum(), won.size)


def dearer_than_bid(market: Market, run: Run) -> float:
    """Winners whose slots cost more than they bid, as a share of the winners."""
    won = winners(run.written)
    spent = np.zeros(market.tasks, dtype=np.int64)
    np.add.at(spent, run.written.task, market.cost[run.written.provider])
    return share((spent > market.net_bid)[won].sum(), won.size)


def never_back(market: Market) -> tuple[float, float]:
    """Welfare over that of the best heuristic, without and with ``backfill``."""
    stop = Stop(None)
    best = welfare(market, best_heuristic(market, "bundle", stop))
    found = [bid_density.solve(market, "bundle", stop, 0, backfill=backfill) for backfill in (False, True)]
    printed, corrected = (share(welfare(market, one.allocation), best) for one in found)
    return printed, corrected


def refused_by_value(market: Market) -> tuple[float, float]:
    """Tasks that line 10 refuses before they have taken anything: v_i < q_i normalised as in line 3, or q_i = 0."""
    asked = np.sum([normalised(column) for column in market.demand.T], axis=0)
    return float(np.mean(normalised(market.value) < asked)), float(np.mean(~market.demand.any(axis=1)))


DEFECTS = (
    Defect(
        7,
        "4.2, lines 10, 16",
        "v_i < q_i; v_i ← v_i - q_i",
        "a valuation is used as a capacity: money is compared with requests, and w_j is never looked at",
        {
            "pairs beyond the provider's slots": compared(beyond_slots, 7),
            "tasks refused at once": refused_by_value,
        },
    ),
    Defect(
        8,
        "4.2, lines 8, 9",
        "X and P are created below the label Price",
        "every GOTO empties them: the allocation is lost",
        {"allocated pairs that X still holds": compared(held, 8)},
    ),
    Defect(
        9,
        "4.2, lines 18-20",
        "j += 1; GOTO Price",
        "no end when j passes n: one task that cannot be satisfied keeps the loop going for ever",
        {"markets in which line 27 is reached": compared(returns, 9)},
    ),
    Defect(
        17,
        "4.2, lines 10-18",
        "q_i",
        "is never set; where it starts at 0 nobody asks for anything",
        {"tasks that are given slots": compared(served, 17)},
    ),
    Defect(
        19,
        "4.2, lines 12, 17",
        "X[i,j] = q_i; q_i ← 0",
        "the first provider is written down for all that is left, whatever s_j; the branch of line 18 is dead",
        {"winners that lack requests": compared(uncovered, 19)},
    ),
    Defect(
        20,
        "4.2, lines 18-27",
        "two complementary tests, each ending in GOTO, before line 26",
        "lines 26 and 27 are never reached, and i runs past m",
        {"markets in which line 27 is reached": compared(returns, 20)},
    ),
    Defect(
        21,
        "4.2, lines 10, 11",
        "if ...: k += 1",
        "the test guards nothing: a pair that is refused is allocated on line 12; k only picks the row of A on line 22",
        {"pairs beyond the provider's slots": compared(beyond_slots, 21)},
    ),
    Defect(
        22,
        "4.2, lines 10-25",
        "no line compares a bid with costs before it allocates",
        "a task wins however little it bids",
        {"winners whose slots cost more than they bid": compared(dearer_than_bid, 22)},
    ),
    Defect(
        25,
        "4.2, lines 5, 19, 24",
        "j is only ever raised",
        "a provider passed over by one task is lost to all later ones",
        {"welfare over the best heuristic's": never_back},
    ),
)
