"""Whether the bid density puts providers that can run large models at the front of the queue."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from auction import Market
from auction.density import FLOOR, provider_density
from auction.market import Float
from auction.printed.densities import latency
from experiments import plots, statistics
from experiments.claims import Judgement, Results, Size, Verdict
from experiments.progress import track
from experiments.sweep import Draw, seed_range

TITLE = "The bid density favours providers that can run large models"
PART = "allocation"
SECTION = "4.2"
STATEMENT = (
    "Setting the bidding density for service providers in this manner heavily incentivize providers that are able to "
    "run WebGPU inference on relatively large models such as Llama and SDXL."
)
LEAST = 0.3

GRID = {"tiny": (100, 3), "small": (1000, 20), "full": (1000, 100)}
FAMILIES = ("marketplace", "uniform", "heavy_tailed")
FLOORS = (0.0001, FLOOR, 0.1, 0.3)
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
    return {"correlations": pd.DataFrame(rows, columns=columns)}


def intervals(results: Results) -> pd.DataFrame:
    """Mean correlation and interval by family, reading of s, floor and measure."""
    return statistics.summary(results["correlations"], ["family", "s read as", "floor", "measure"], "correlation")


def check(results: Results) -> Verdict:
    """The criterion on the marketplace, s as a throughput, the work of a slot."""
    table = intervals(results)
    own = table[(table["family"] == "marketplace") & (table["measure"] == "work")]
    throughput, other = own[own["s read as"] == "throughput"], own[own["s read as"] == "latency"]
    verdict: Judgement = (
        "upheld" if (throughput["low"] > LEAST).all() else "refuted" if (throughput["high"] < 0).all() else "qualified"
    )
    at = throughput[throughput["floor"] == FLOOR].iloc[0]
    return Verdict(
        verdict,
        f"rank correlation {at['mean']:+.2f} ({at['low']:+.2f} to {at['high']:+.2f}) at the floor of {FLOOR}",
        f"Over floors from {FLOORS[0]} to {FLOORS[-1]} it runs from {throughput['mean'].min():+.2f} to "
        f"{throughput['mean'].max():+.2f}: 1/s² rewards small s, so providers that cannot run a model go first. With s "
        f"read as a latency it would be {other['mean'].min():+.2f} to {other['mean'].max():+.2f}.",
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
    return {"Above 0, providers that complete more work stand nearer the front of the queue; below 0, its end": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """All correlations with their intervals."""
    table = intervals(results)
    return {"Rank correlation with the place in the queue": table.assign(measure=table["measure"].map(MEASURES))}
