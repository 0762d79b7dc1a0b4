"""Whether the bid densities order users and providers as earlier work does; its published scenario, recomputed."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from auction import Market
from auction.density import provider_density, task_density
from auction.market import MICRO
from auction.mechanisms import cdara
from auction.prices import slot_units
from experiments import plots, statistics
from experiments.claims import Judgement, Results, Size, Verdict
from experiments.claims import _mechanism_runs as mechanism_runs
from experiments.claims._mechanism_runs import CORRECTED, Rule
from experiments.claims.densities_follow_earlier_work import reproduction
from experiments.claims.densities_follow_earlier_work.scenario import densities
from experiments.claims.densities_follow_earlier_work.workbook import Side, load
from experiments.progress import track
from experiments.statistics import AMOUNT, CORRELATION
from experiments.sweep import FAMILIES, Draw, seed_range

TITLE = "The bid densities follow earlier work"
PART = "mechanism"
SECTION = "4.2"
STATEMENT = (
    "Following Zhai et. al. (2018) and Jiang et. al. (2021), our scheduling mechanism invokes a bid density (bd) "
    "mechanism to push bids for efficient allocations."
)
ALIKE = 0.5

GRID = {"tiny": (20, 40, 2), "small": (100, 200, 10), "full": (1000, 2000, 20)}
SAME_QUEUES = ("abundant", "scarce")  # those of ``uniform``: they differ from it in slots alone
SCENARIO = "published scenario"
CDARA = Rule("CDARA", "cdara")
FROM_THE_FRONT = Rule("whitepaper, from the front", "whitepaper", {"backfill": True})  # as CDARA's users start
VARIED = {
    "family": "all, but two whose queues are those of uniform",
    "markets": "seeds",
}
FIXED = {
    "earlier work": "CDARA stands in for the works cited",
    "size": "{settlements.tasks} tasks, twice as many providers",
    "model types": "3",
}


def market_correlations(market: Market) -> dict[str, float]:
    """Rank correlation of the two queues, by side; CDARA's providers stand in ascending order."""
    users = cdara.density(market.net_bid, market.demand.sum(axis=1))
    providers = cdara.density(market.cost, slot_units(market))
    return {
        "users": statistics.rank_correlation(task_density(market.demand, market.value), users),
        "providers": statistics.rank_correlation(provider_density(market.resource, market.ability), -providers),
    }


def scenario_correlations(users: Side, providers: Side) -> dict[str, float]:
    """The same of the published scenario; it knows no abilities, so all are alike."""
    bids = np.rint(MICRO * users.price).astype(np.int64)
    offered = provider_density(providers.capacity, np.ones(providers.capacity.shape))
    return {
        "users": statistics.rank_correlation(task_density(users.capacity, bids), densities(users)),
        "providers": statistics.rank_correlation(offered, -densities(providers)),
    }


def run(size: Size, block: int = 0) -> Results:
    """Correlations of the queues and welfare by family, and the tables of the published scenario."""
    tasks, providers, seeds = GRID[size]
    draws = [Draw(family, tasks, providers, seed) for family in FAMILIES for seed in seed_range(seeds, block)]
    scenario = load(None)
    rows = [
        (draw.family, draw.seed, side, correlation)
        for draw in track([draw for draw in draws if draw.family not in SAME_QUEUES], "queues of two bid densities")
        for side, correlation in market_correlations(draw.market()).items()
    ]
    rows += [(SCENARIO, 0, side, correlation) for side, correlation in scenario_correlations(*scenario).items()]
    return {
        "queues": pd.DataFrame(rows, columns=["family", "seed", "side", "correlation"]),
        "settlements": mechanism_runs.settlements(
            draws, [CORRECTED, FROM_THE_FRONT, CDARA], "welfare of two bid densities"
        ),
        "densities": reproduction.density_table(*scenario),
        "prices": reproduction.price_table(*scenario),
    }


def against_cdara(results: Results) -> pd.DataFrame:
    """Welfare over that of CDARA, where it has any."""
    settled = results["settlements"]
    own = settled[settled["rule"] == CDARA.label].set_index(["family", "seed"])["welfare"].rename("cdara")
    joined = settled[settled["rule"] != CDARA.label].join(own, on=["family", "seed"])
    joined = joined[joined["cdara"] > 0]
    return joined.assign(share=joined["welfare"] / joined["cdara"])


def check(results: Results) -> Verdict:
    """The criterion over all families, and what of the published scenario is reproduced."""
    queues = results["queues"]
    drawn = queues[queues["family"] != SCENARIO]
    means = {
        side: statistics.mean_interval(own["correlation"], CORRELATION)
        for side, own in drawn.groupby("side", sort=False)
    }
    verdict: Judgement = (
        "upheld"
        if all(low >= ALIKE for _, low, _ in means.values())
        else "refuted"
        if any(high <= 0 for *_, high in means.values())
        else "qualified"
    )
    shares = against_cdara(results).groupby("rule", sort=False)["share"].mean()
    found = reproduction.agreement(results["prices"])
    first = found[(found["run"] == found["run"].iloc[0]) & (found["role"] == "user")].set_index("version")
    return Verdict(
        verdict,
        "rank correlation of the queues: "
        + ", ".join(f"{side} {mean:+.2f} ({low:+.2f} to {high:+.2f})" for side, (mean, low, high) in means.items()),
        f"The whitepaper's auction has {shares[CORRECTED.label]:.0%} of CDARA's welfare, "
        f"{shares[FROM_THE_FRONT.label]:.0%} where every task starts at the front of the queue, as in CDARA. Of "
        f"CDARA's published scenario {results['densities']['agrees'].sum()} of "
        f"{len(results['densities'])} densities agree to the printed digit; its rule serves "
        f"{first.loc['as stated', 'both']} of the {first['printed'].iloc[0]} printed winners, and "
        f"{first.loc['as printed', 'both']} if the unit bid need not meet the unit ask: then "
        f"{first.loc['as printed', 'equal prices']} of the prices agree to the digit.",
    )


def figures(results: Results) -> dict[str, Figure]:
    """Correlation of the two queues by family and side."""
    figure, (axes,) = plots.canvas(width=9.0)
    plots.strips(axes, results["queues"], "family", "side", "correlation", plots.colours(["users", "providers"]))
    axes.axvline(0, color=plots.INK, linewidth=0.8)
    axes.set(xlabel="rank correlation of the whitepaper's queue and CDARA's", xlim=(-1.05, 1.05))
    plots.legend(axes)
    return {"Every dot is a market: at 1 both densities serve in the same order, at -1 in opposite orders.": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Correlations, welfare, and the published scenario: what is reproduced, what is not, and why."""
    return {
        "Rank correlation of the queues": statistics.summary(
            results["queues"], ["side", "family"], "correlation", CORRELATION
        ),
        "Welfare over that of CDARA": statistics.summary(against_cdara(results), ["rule", "family"], "share", AMOUNT),
        "Published scenario: what each version of CDARA reproduces": reproduction.agreement(results["prices"]),
        "Published scenario: trade prices and utilities": results["prices"],
        "Published scenario: densities": results["densities"],
    }
