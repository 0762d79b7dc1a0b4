"""Whether providers that can run large models earn by it, and what the bid density's queue does to that."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from auction import Market
from auction.density import FLOOR, provider_density
from auction.market import MICRO, Float
from auction.mechanisms import run as settle
from auction.printed.densities import latency
from auction.welfare import provider_utility
from experiments import plots, statistics
from experiments.claims import Judgement, Results, Size, Verdict
from experiments.progress import track
from experiments.statistics import CORRELATION
from experiments.sweep import Draw, seed_range

TITLE = "The bid density is an incentive to run large models"
PART = "allocation"
SECTION = "4.2"
STATEMENT = (
    "Setting the bidding density for service providers in this manner heavily incentivize providers that are able to "
    "run WebGPU inference on relatively large models such as Llama and SDXL."
)
LEAST = 0.3

GRID = {"tiny": (100, 3), "small": (1000, 20), "full": (1000, 100)}
MARKETS = {"tiny": 4, "small": 40, "full": 200}
TRADED = (100, 200)  # tasks, providers
LARGE = 0.25  # of the providers, those of the most work
ORDERS = 5  # random ones a market
FAMILIES = ("marketplace", "uniform", "heavy_tailed")
FLOORS = (0.0001, FLOOR, 0.1, 0.3)
VARIED = {
    "markets": "seeds",
    "family, for the place in the queue": "{correlations.family}",
    "floor of the normalisation, s read as": "{correlations.floor}; {correlations.s read as}",
}
FIXED = {
    "profits": "of the marketplace at its defaults, 100 tasks and 200 providers",
    "prices": "the corrected midpoints",
    "model types": "3",
}
MEASURES = {"work": "work of a slot", "types": "types it can run", "largest": "work of the largest model it runs"}


def capability(market: Market) -> dict[str, Float]:
    """What a provider can run: work of a slot, how many types, unit work of the largest type it runs."""
    able = market.resource > 0
    return {
        "work": market.resource @ market.unit_work,
        "types": able.sum(axis=1).astype(float),
        "largest": np.where(able, market.unit_work, 0.0).max(axis=1, initial=0.0),
    }


def run(size: Size, block: int = 0) -> Results:
    """Rank correlations by family, floor, reading of s and measure of what a provider can run."""
    providers, seeds = GRID[size]
    rows = []
    draws = [Draw(family, 10, providers, seed) for family in FAMILIES for seed in seed_range(seeds, block)]
    for draw in track(draws, "bid density and large models"):
        market = draw.market()
        measures = capability(market)
        for reading, slots in (("throughput", market.resource), ("latency", latency(market))):
            for floor in FLOORS:
                front = provider_density(slots, market.ability, floor)
                rows += [
                    (draw.family, draw.seed, reading, floor, measure, statistics.rank_correlation(value, front))
                    for measure, value in measures.items()
                ]
    columns = ["family", "seed", "s read as", "floor", "measure", "correlation"]
    profits = [_profits(seed) for seed in track(seed_range(MARKETS[size], block), "profits of large cards")]
    return {"correlations": pd.DataFrame(rows, columns=columns), "profits": pd.DataFrame(profits)}


def _profits(seed: int) -> dict[str, float]:
    """Of one marketplace: how profit goes with work, and what large cards earn in the density's and random orders."""
    market = Draw("marketplace", *TRADED, seed).market()
    work = capability(market)["work"]
    large = work >= np.quantile(work, 1 - LARGE)

    def profit(order: int, **options: str) -> Float:
        found = settle(market, "whitepaper", seed=order, options=options)
        return provider_utility(market, found.allocation, found.receipt) / MICRO

    own = profit(0)
    others = np.mean([profit(order, provider_order="random")[large].sum() for order in range(ORDERS)])
    return {
        "seed": seed,
        "correlation": statistics.rank_correlation(work, own),
        "large": float(own[large].sum()),
        "large, random order": float(others),
    }


def intervals(results: Results) -> pd.DataFrame:
    """Mean correlation and interval by family, reading of s, floor and measure."""
    return statistics.summary(
        results["correlations"], ["family", "s read as", "floor", "measure"], "correlation", CORRELATION
    )


def by_place(results: Results) -> Judgement:
    """The criterion as first fixed: the place in the queue alone, at every floor."""
    own = _place(results)
    return "upheld" if (own["low"] > LEAST).all() else "refuted" if (own["high"] < 0).all() else "qualified"


def _place(results: Results, reading: str = "throughput") -> pd.DataFrame:
    table = intervals(results)
    own = table[(table["family"] == "marketplace") & (table["measure"] == "work")]
    return own[own["s read as"] == reading]


def lost(profits: pd.DataFrame) -> tuple[float, float, float]:
    """What large cards lose by the density's order against a random one, of the latter's total, and its interval."""
    less = profits["large, random order"] - profits["large"]
    mean, low, high = statistics.mean_interval(less)
    total = float(profits["large, random order"].mean())
    return mean / total, low / total, high / total


def check(results: Results) -> Verdict:
    """The criterion on profits; the place in the queue is told beside it."""
    profits, at = results["profits"], _place(results)
    place = at[at["floor"] == FLOOR].iloc[0]
    mean, low, high = statistics.mean_interval(profits["correlation"], CORRELATION)
    share, least, most = lost(profits)
    verdict: Judgement = "qualified"
    if low > LEAST and most < 0:
        verdict = "upheld"
    elif high < 0 or (least > 0 and mean <= LEAST):
        verdict = "refuted"
    other = _place(results, "latency")["mean"]
    return Verdict(
        verdict,
        f"rank correlation of profit with the work of a slot {mean:+.2f} ({low:+.2f} to {high:+.2f}); against a random "
        f"order large cards {'lose' if share > 0 else 'gain'} {abs(share):.0%} ({least:.0%} to {most:.0%} lost)",
        f"On {len(profits)} marketplaces of {TRADED[0]} tasks and {TRADED[1]} providers. Large cards earn more because "
        f"they complete more, not by their place in the queue: its correlation with work is {place['mean']:+.2f} "
        f"({place['low']:+.2f} to {place['high']:+.2f}), since 1/s² rewards small s; with s read as a latency it would "
        f"be {other.min():+.2f} to {other.max():+.2f}.",
    )


def figures(results: Results) -> dict[str, Figure]:
    """Correlation by family and floor, both readings of s."""
    table = intervals(results)
    own = table[table["measure"] == "work"]
    figure, panels = plots.canvas(2, width=9.0, sharey=True)
    for axes, reading in zip(panels, ("throughput", "latency"), strict=True):
        for family, colour in plots.colours(list(FAMILIES)).items():
            line = own[(own["family"] == family) & (own["s read as"] == reading)]
            axes.plot(
                line["floor"], line["mean"], marker="o", markersize=4, color=colour, label=family.replace("_", " ")
            )
            axes.fill_between(line["floor"], line["low"], line["high"], color=colour, alpha=0.15, linewidth=0)
        axes.axhline(0, color=plots.INK, linewidth=0.8)
        axes.set(title=f"s as a {reading}", xlabel="floor of the normalisation", xscale="log", ylim=(-1.05, 1.05))
    panels[0].set_ylabel("rank correlation with work of a slot")
    plots.legend(panels[1])

    profits = results["profits"]
    earned, (axes,) = plots.canvas(width=5.5, height=4.2)
    axes.scatter(profits["large, random order"], profits["large"], s=18, color=plots.PALETTE[0], linewidths=0)
    most = float(profits[["large", "large, random order"]].to_numpy().max())
    axes.plot([0, most], [0, most], color=plots.MUTED, linewidth=0.8)
    axes.set(xlabel="in random orders, tokens", ylabel="in the density's order, tokens")
    return {
        "Above 0, providers that complete more work stand nearer the front of the queue; below 0, its end": figure,
        f"Profits of the {LARGE:.0%} of providers that complete most; below the line the density costs them": earned,
    }


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """All correlations with their intervals."""
    table = intervals(results)
    return {
        "Rank correlation with the place in the queue": table.assign(measure=table["measure"].map(MEASURES)),
        "Profits of large cards, tokens, and the rank correlation of profit with work": results["profits"],
    }
