"""Whether the whitepaper's prices are fair enough: each side's share of the gains, and who loses."""

import pandas as pd
from matplotlib.figure import Figure

from experiments import plots, statistics
from experiments.claims import Judgement, Results, Size, Verdict
from experiments.claims import _mechanism_runs as mechanism_runs
from experiments.claims._mechanism_runs import BACKFILL, CLEARING, CORRECTED, POSTED, PRINTED
from experiments.statistics import SHARE
from experiments.sweep import FAMILIES, Draw, seed_range

TITLE = "Prices are fair enough"
PART = "mechanism"
SECTION = "4.1"
STATEMENT = (
    "We introduce a pricing model as a fair-enough price-determining mechanism to motivate providers and users to "
    "participate."
)
LEAST, MOST = 0.25, 0.75  # of the gains from trade
RARE = 0.1  # of the markets

RULES = [PRINTED, BACKFILL, CORRECTED, CLEARING, POSTED]
GRID = {"tiny": (8, 16, 2), "small": (40, 80, 4), "full": (200, 400, 20)}
VARIED = {
    "prices": "{settlements.rule}",
    "family": "{settlements.family:count} families",
    "markets": "seeds",
}
FIXED = {
    "size": "{settlements.tasks} tasks, twice as many providers",
    "model types": "3",
    "reading": "bundle",
}


def run(size: Size, block: int = 0) -> Results:
    """Settlements of every family under five pricing rules."""
    tasks, providers, seeds = GRID[size]
    draws = [Draw(family, tasks, providers, seed) for family in FAMILIES for seed in seed_range(seeds, block)]
    return {"settlements": mechanism_runs.settlements(draws, RULES, "fair prices")}


def _shares(results: Results) -> pd.DataFrame:
    """Settlements with trades, and users' and providers' shares of their welfare."""
    settled = results["settlements"]
    settled = settled[settled["welfare"] > 0]
    return settled.assign(
        user_share=settled["user_surplus"] / settled["welfare"],
        loses=(settled["users_losing"] > 0).astype(float),
        losing_share=settled["users_losing"] / settled["winners"],
    )


def _nobody_loses(settled: pd.DataFrame) -> bool:
    return not settled[["users_losing", "providers_losing"]].any(axis=None)


def check(results: Results) -> Verdict:
    """The criterion over all families."""
    shares = _shares(results)
    printed, corrected = (shares[shares["rule"] == rule.label] for rule in (PRINTED, BACKFILL))
    mean, low, high = statistics.mean_interval(printed["user_share"])
    markets = statistics.share_interval(int(printed["loses"].sum()), len(printed))
    losing = statistics.mean_interval(printed["losing_share"], SHARE)
    fixed = statistics.mean_interval(corrected["user_share"])
    sound = _nobody_loses(corrected)
    fair = fixed[1] >= LEAST and fixed[2] <= MOST
    verdict: Judgement = (
        "upheld"
        if _nobody_loses(printed) and low >= LEAST and high <= MOST
        else "refuted"
        if markets[0] > RARE and not (sound and fair)
        else "qualified"
    )
    return Verdict(
        verdict,
        f"as printed users lose in {markets[0]:.0%} ({markets[1]:.0%} to {markets[2]:.0%}) of the markets",
        f"{losing[0]:.1%} of the winners pay more than their bid, at worst {printed['worst_loss_share'].max():.0%} of "
        f"it on top; users keep {mean:.0%} ({low:.0%} to {high:.0%}) of the gains. With the corrected bundle price "
        f"{'nobody loses' if sound else 'somebody still loses'} and users keep {fixed[0]:.0%}.",
    )


def figures(results: Results) -> dict[str, Figure]:
    """Users' share of the gains by family and rule."""
    shares = _shares(results)
    colours = plots.colours([rule.label for rule in RULES])
    figure, (axes,) = plots.canvas(width=9.0)
    plots.strips(axes, shares, "family", "rule", "user_share", colours)
    axes.set(xlabel="users' share of the gains from trade", xlim=(min(-0.02, shares["user_share"].min()), 1.02))
    axes.axvline(0.5, color=plots.INK, linewidth=0.8)
    plots.percent(axes, "x")
    plots.legend(axes)
    return {"Every dot is a market. Half and half is the line; below 0 users lose as a side.": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Shares, losers and losses by rule and family."""
    shares = _shares(results)
    losers = (
        results["settlements"]
        .groupby(["rule", "family"], sort=False)[["winners", "users_losing", "providers_losing", "worst_loss_share"]]
        .agg({"winners": "sum", "users_losing": "sum", "providers_losing": "sum", "worst_loss_share": "max"})
        .reset_index()
    )
    return {
        "Users' share of the gains": statistics.summary(shares, ["rule", "family"], "user_share"),
        "Who loses, and the worst loss as a share of the bid": losers,
    }
