"""Three readings of the allocation problem: trivial, polynomial, NP-hard, each with witnesses that are run."""

from collections.abc import Sequence
from itertools import combinations, product

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from auction import Market, generate, solve
from auction.market import MICRO
from auction.search import trivial_bound
from experiments import plots, statistics
from experiments.claims import Judgement, Results, Size, Verdict
from experiments.progress import track
from experiments.sweep import seed_range

TITLE = "Optimal allocation is NP-hard"
PART = "allocation"
TIMED = True
SECTION = "3, 4.2"
STATEMENT = (
    "A significant challenge in designing a task-allocation system is that determining the optimal task allocation "
    "solution is NP-Hard."
)
QUADRATIC = 2  # exponent

# Markets a reading, PARTITION and 3-PARTITION instances of each answer, largest exponent of ten for the flow
GRID = {"tiny": (6, 4, 2, 3.5), "small": (24, 20, 8, 5.0), "full": (100, 100, 25, 6.0)}
VARIED = {
    "reading": "as printed, whole, bundle",
    "markets": "seeds; random instances of PARTITION and 3-PARTITION",
    "size": "of the flow, {flow.tasks} requests in the running time",
}
FIXED = {
    "family": "uniform where markets are drawn",
    "size of the witnesses": "4 tasks by exhaustion, 12 × 16 by programme, 8 numbers of PARTITION",
}


def partition_market(numbers: list[int]) -> Market:
    """PARTITION as a market: two tasks of half the sum each, a slot of a_j requests for every number, no costs.

    Both tasks win, for a welfare of two tokens, exactly when the numbers split into halves of equal sum: any less
    leaves one short. One model type, one slot a provider; an odd sum is rounded up, which no split reaches.
    """
    return bins_market(numbers, 2, -(-sum(numbers) // 2))


def bins_market(numbers: list[int], bins: int, capacity: int) -> Market:
    """``bins`` tasks of ``capacity`` requests each, each worth one token net, and a free slot for every number."""
    providers = len(numbers)
    return Market(
        demand=np.full((bins, 1), capacity),
        value=np.full(bins, 2 * MICRO),  # no work, so e_i = beta = one token
        unit_work=np.zeros(1),
        alpha=2,
        beta=1,
        resource=np.array(numbers).reshape(-1, 1),
        slots=np.ones(providers, dtype=np.int64),
        cost=np.zeros(providers, dtype=np.int64),
        ability=np.ones((providers, 1)),
    )


def partitions(numbers: list[int]) -> bool:
    """Whether some of the numbers sum to exactly half of all (the textbook programme over reachable sums)."""
    reachable = 1
    for number in numbers:
        reachable |= reachable << number
    return sum(numbers) % 2 == 0 and bool(reachable >> (sum(numbers) // 2) & 1)


def triples(numbers: list[int], capacity: int) -> bool:
    """Whether the numbers split into triples of sum ``capacity`` (exhaustion)."""
    if not numbers:
        return True
    first, rest = numbers[0], numbers[1:]
    return any(
        triples([rest[c] for c in range(len(rest)) if c not in (a, b)], capacity)
        for a, b in combinations(range(len(rest)), 2)
        if first + rest[a] + rest[b] == capacity
    )


def run(size: Size, block: int = 0) -> Results:
    """Witnesses of each reading."""
    markets, partition, three_partition, top = GRID[size]
    return {
        "printed": _printed(seed_range(markets, block)),
        "whole": _whole(seed_range(markets, block)),
        "reductions": pd.concat(
            (_partition(partition, block), _three_partition(three_partition, block)), ignore_index=True
        ),
        "flow": _flow(top, seed_range(3, block)),
    }


def _printed(seeds: range) -> pd.DataFrame:
    """The print has no covering constraint: every task with a positive net bid wins for nothing, here by exhaustion."""
    rows = []
    for seed in seeds:
        market = generate("uniform", 4, 3, seed=seed)
        # A provider accepts one of the tasks or none (-1); whether a task wins depends on no acceptance.
        acceptances = list(product(range(-1, market.tasks), repeat=market.providers))
        best = max(
            int(market.net_bid @ wins) - sum(int(c) for c, i in zip(market.cost, accepted, strict=True) if i >= 0)
            for wins in product((0, 1), repeat=market.tasks)
            for accepted in acceptances
        )
        rows.append((seed, best, trivial_bound(market)))
    return pd.DataFrame(rows, columns=["seed", "exhaustion", "closed form"])


def _whole(seeds: range) -> pd.DataFrame:
    rows = []
    for seed in track(seeds, "reading whole"):
        market = generate("uniform", 12, 16, seed=seed)
        flow = solve(market, "assignment", reading="whole")
        programme = solve(market, "ilp_cpsat", reading="whole", time_limit=60)
        rows.append((seed, flow.welfare, programme.welfare, programme.proven_optimal))
    return pd.DataFrame(rows, columns=["seed", "flow", "integer programme", "proven"])


def _partition(count: int, block: int) -> pd.DataFrame:
    rng = np.random.default_rng((0, block))
    rows = []
    wanted = {True: count, False: count}
    while any(wanted.values()):
        numbers = [int(a) for a in rng.integers(1, 200, 8)]
        answer = partitions(numbers)
        if wanted[answer]:
            wanted[answer] -= 1
            rows.append(("PARTITION", numbers, 2, answer, *_wins_all(partition_market(numbers), 2)))
    return _reductions(rows)


def _three_partition(count: int, block: int) -> pd.DataFrame:
    rng = np.random.default_rng((1, block))
    rows = []
    wanted = {True: count, False: count}
    bins, capacity = 4, 100
    while any(wanted.values()):
        numbers = []
        for _ in range(bins):  # in (capacity / 4, capacity / 2) and of the right sum, planted in triples
            a, b = (int(x) for x in rng.integers(capacity // 4 + 1, 3 * capacity // 8, 2))
            numbers += [a, b, capacity - a - b]
        shift = int(rng.integers(0, 4))  # break some plantings, keeping the sum
        for _ in range(shift):
            a, b = rng.choice(len(numbers), 2, replace=False)
            if numbers[a] + 1 < capacity / 2 and numbers[b] - 1 > capacity / 4:
                numbers[a] += 1
                numbers[b] -= 1
        if not all(capacity / 4 < number < capacity / 2 for number in numbers):
            continue
        answer = triples(numbers, capacity)
        if wanted[answer]:
            wanted[answer] -= 1
            rows.append(("3-PARTITION", numbers, bins, answer, *_wins_all(bins_market(numbers, bins, capacity), bins)))
    return _reductions(rows)


def _wins_all(market: Market, bins: int) -> tuple[bool, bool, float]:
    outcome = solve(market, "ilp_cpsat", time_limit=60)
    return outcome.welfare == bins * MICRO, outcome.proven_optimal, outcome.seconds


def _reductions(rows: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["problem", "numbers", "tasks", "answer", "all tasks win", "proven", "seconds"])


def _flow(top: float, seeds: range) -> pd.DataFrame:
    rows = []
    for n in [round(10**e) for e in np.arange(2.5, top + 0.01, 0.5)]:
        for seed in seeds:
            outcome = solve(generate("classes", n, n, seed=seed), "assignment", reading="whole")
            rows.append((n, seed, outcome.seconds))
    return pd.DataFrame(rows, columns=["tasks", "seed", "seconds"])


def check(results: Results) -> Verdict:
    """The criterion on the witnesses."""
    reductions = results["reductions"]
    encodes = bool((reductions["answer"] == reductions["all tasks win"]).all() and reductions["proven"].all())
    agrees = bool((results["whole"]["flow"] == results["whole"]["integer programme"]).all())
    fit, low, high = statistics.exponent(results["flow"]["tasks"], results["flow"]["seconds"])
    polynomial = agrees and high < QUADRATIC
    verdict: Judgement = "refuted" if not encodes else "qualified" if polynomial else "upheld"
    return Verdict(
        verdict,
        f"{_agreeing(reductions, 'answer', 'all tasks win')} instances of PARTITION and 3-PARTITION decided",
        "NP-hard when a task may combine providers (weakly with one type and two tasks, strongly by 3-PARTITION). "
        f"With one provider a task it is a matching: exact flow fits exponent {fit:.2f} ({low:.2f} to {high:.2f}). "
        "As printed, nothing has to be covered and every task with a positive net bid wins for free.",
    )


def _agreeing(frame: pd.DataFrame, first: str, second: str) -> str:
    return f"{int((frame[first] == frame[second]).sum())} of {len(frame)}"


def figures(results: Results) -> dict[str, Figure]:
    """The polynomial reading's time by size."""
    figure, (axes,) = plots.canvas(width=5.5)
    flow = results["flow"]
    axes.scatter(flow["tasks"], flow["seconds"], s=14, color=plots.PALETTE[3], alpha=0.5, linewidths=0)
    median = flow.groupby("tasks")["seconds"].median()
    axes.plot(median.index, median, color=plots.PALETTE[3])
    axes.set(xlabel="tasks = providers", ylabel="seconds", xscale="log", yscale="log")
    return {"Reading `whole`: the exact optimum by matching, solving time by size.": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """The three readings, and the reductions by answer."""
    printed, whole, reductions = results["printed"], results["whole"], results["reductions"]
    readings = pd.DataFrame(
        [
            (
                "as printed",
                "trivial",
                "nothing must be covered: sum of the positive net bids",
                f"closed form = exhaustion on {_agreeing(printed, 'exhaustion', 'closed form')}",
            ),
            (
                "whole",
                "polynomial",
                "weights separate: a maximum-weight bipartite b-matching",
                f"flow = integer programme on {_agreeing(whole, 'flow', 'integer programme')}",
            ),
            (
                "bundle",
                "strongly NP-hard",
                "PARTITION with one type and two tasks; 3-PARTITION",
                f"{_agreeing(reductions, 'answer', 'all tasks win')} decided",
            ),
        ],
        columns=["reading", "complexity", "argument", "witnesses"],
    )
    counted = reductions.groupby(["problem", "answer"])[["all tasks win", "seconds"]].mean().reset_index()
    return {"Three readings": readings, "Reductions: share of instances in which all tasks win, mean seconds": counted}
