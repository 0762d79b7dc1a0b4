"""What connecting idle cards adds: work that is done instead of none, and the energy that it takes there."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from auction import Market, solve
from auction.allocation import Allocation
from auction.data import hardware
from auction.data.hardware import Cards
from experiments import plots, statistics
from experiments.claims import Judgement, Results, Size, Verdict
from experiments.claims.cost_efficiency import BATCH, LANGUAGE, seconds
from experiments.progress import track
from experiments.statistics import AMOUNT, SHARE
from experiments.sweep import Draw, seed_range

TITLE = "Global compute efficiency"
PART = "allocation"
SECTION = "1"
STATEMENT = (
    "By connecting this unused capacity via a distributed network, a higher global compute efficiency can be achieved."
)
USED, ENERGY = 0.1, 1.0
MARKETS = {"tiny": 3, "small": 20, "full": 100}
SIZE = (100, 200)
SOLVERS = {"auction as printed": ("bid_density", {}), "greedy, value per unit": ("greedy", {"norm": "unit"})}
MODEL = LANGUAGE[0]
VARIED = {"market": "seeds", "card": "every card that holds the model", "requests at once on a server": f"1, {BATCH}"}
FIXED = {
    "marketplace": "its defaults, three types, 100 tasks, 200 providers",
    "power": "nominal, of the card alone",
    "speed": "roofline, 0.4 of the arithmetic and 0.6 of the bandwidth",
    "requests at once on an idle card": "1",
}


def used(market: Market, allocation: Allocation) -> tuple[float, float]:
    """Share of the work on offer that tasks served use up, and share of the work demanded that is served."""
    served = market.demand[np.unique(allocation.task)] @ market.unit_work
    offered = (market.slots * (market.resource @ market.unit_work)).sum()
    return float(served.sum() / offered), float(served.sum() / (market.demand @ market.unit_work).sum())


def joules(cards: Cards, batch: int) -> pd.DataFrame:
    """Joules a generated token of ``MODEL`` on every card that holds it: power times seconds."""
    fits = hardware.fits((MODEL,), cards)
    names = np.array(cards.name)[fits]
    kind = np.where(cards.offered[fits], "consumer", "server")
    return pd.DataFrame(
        {"card": names, "kind": kind, "batch": batch, "joules": (cards.power * seconds(MODEL, cards, batch))[fits]}
    )


def run(size: Size, block: int = 0) -> Results:
    """By market and solver: work used and served; by card: joules a token."""
    rows = []
    for seed in track(seed_range(MARKETS[size], block), "idle cards at work"):
        market = Draw("marketplace", *SIZE, seed).market()
        for label, (solver, options) in SOLVERS.items():
            outcome = solve(market, solver, options=options)
            rows.append((seed, label, *used(market, outcome.allocation), outcome.welfare / int(market.value.sum())))
    columns = ["seed", "solver", "used", "served", "welfare over value"]
    energy = pd.concat([joules(hardware.catalogue(), batch) for batch in (1, BATCH)], ignore_index=True)
    return {"markets": pd.DataFrame(rows, columns=columns), "energy": energy}


def check(results: Results) -> Verdict:
    """The criterion on the auction as printed, and on medians over cards."""
    markets, energy = results["markets"], results["energy"]
    shares = {label: statistics.mean_interval(markets[markets["solver"] == label]["used"], SHARE) for label in SOLVERS}
    printed, greedy = shares.values()
    median = energy.groupby(["kind", "batch"])["joules"].median()
    ratio = median["consumer", 1] / median["server", BATCH]
    more = printed[1] > USED
    verdict: Judgement = "upheld" if more and ratio <= ENERGY else "qualified" if more else "refuted"
    return Verdict(
        verdict,
        f"{printed[0]:.1%} ({printed[1]:.1%} to {printed[2]:.1%}) of the work that idle cards offer is used",
        f"On {markets['seed'].nunique()} marketplaces; a greedy by value per unit uses {greedy[0]:.1%}. A token of "
        f"{MODEL.name} takes {median['consumer', 1]:.1f} J on the median consumer card, {median['server', 1]:.1f} J on "
        f"the median server card, {median['server', BATCH]:.1f} J where that serves {BATCH} at once: {ratio:.1f} times "
        "less. The network puts hardware to use that exists; it does not save energy.",
    )


def figures(results: Results) -> dict[str, Figure]:
    """Work used by market; joules a token by card."""
    figure, (left, right) = plots.canvas(2, width=9.5)
    markets, energy = results["markets"], results["energy"]
    for colour, (label, own) in zip(plots.PALETTE, markets.groupby("solver", sort=False), strict=False):
        left.scatter(own["served"], own["used"], s=16, color=colour, label=label)
    left.set(xlabel="share of the demand served", ylabel="share of the offer used", xlim=(0, 1), ylim=(0, None))
    plots.percent(left, "both")
    left.legend(loc="lower right")
    series = {"consumer": ("consumer", 1), f"server, {BATCH} at once": ("server", BATCH), "server": ("server", 1)}
    for place, (colour, (label, key)) in enumerate(zip(plots.PALETTE, series.items(), strict=False)):
        own = energy[(energy["kind"] == key[0]) & (energy["batch"] == key[1])]["joules"]
        jitter = np.random.default_rng(0).uniform(-0.2, 0.2, len(own))
        right.scatter(own, place + jitter, s=10, color=colour, alpha=0.5, linewidths=0)
        right.plot([own.median()] * 2, [place - 0.3, place + 0.3], color=colour, linewidth=2.5, label=label)
    right.set_yticks(range(len(series)), list(series))
    right.set(xscale="log", xlabel=f"joules a token of {MODEL.name}, one dot a card")
    return {"Left: a dot is a market; idle alone, all lie at 0. Right: energy a token, bars are medians": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Shares by solver, energy by kind of card."""
    markets = results["markets"]
    return {
        "Share of the offer used": statistics.summary(markets, ["solver"], "used", SHARE),
        "Share of the demand served": statistics.summary(markets, ["solver"], "served", SHARE),
        "Joules a token": statistics.summary(results["energy"], ["kind", "batch"], "joules", AMOUNT),
    }
