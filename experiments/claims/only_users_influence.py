"""Whether only users influence the auction: what users gain by misreporting, and providers by understating."""

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from auction import Market
from auction.welfare import provider_utility
from experiments import plots, statistics
from experiments.claims import Judgement, Results, Size, Verdict
from experiments.claims import _mechanism_runs as mechanism_runs
from experiments.claims._mechanism_runs import BACKFILL, CLEARING, CORRECTED, POSTED, VCG, Rule
from experiments.progress import track
from experiments.statistics import SHARE
from experiments.sweep import Draw, seed_range

TITLE = "Only users can influence the auction"
PART = "mechanism"
SECTION = "4.2"
STATEMENT = (
    "An important qualification is that only users are able to influence the auction by increasing v_i through bidding "
    "more token, which increases the bidding density. However, providers themselves are not able to set the price of "
    "their own bid."
)
RARE = 0.05

GRID = {"tiny": (10, 20, 1, 2), "small": (40, 80, 3, 15), "full": (200, 400, 10, 40)}  # tasks, providers, seeds, sample
FAMILIES = ("uniform", "classes", "correlated", "marketplace")
FACTORS = (0.5, 0.8, 1.25, 2.0)
OFFERS = ("half of every type", "only its best type", "a benchmark of 0")
VARIED = {
    "family": "{users.family}",
    "misreport of a user": f"{{users.misreport}}; by factors of {', '.join(map(str, FACTORS))}",
    "misreport of a provider": "{providers.offer}",
}
FIXED = {
    "size": "{users.tasks:each} tasks (the fewest under VCG), twice as many providers",
    "model types": "3",
    "coalitions": "none",
}


def offered(market: Market, provider: int, offer: str) -> Market:
    """The market as one provider presents itself; what it really completes is never less."""
    resource, ability = market.resource.copy(), market.ability.copy()
    if offer == "half of every type":
        resource[provider] //= 2
    elif offer == "only its best type":
        best = int(np.argmax(resource[provider] * market.unit_work))
        resource[provider, np.arange(market.types) != best] = 0
    else:
        ability[provider] = 0.0
    return replace(market, resource=resource, ability=ability)


def _provider_gains(draw: Draw, rule: Rule, sample: int) -> list[tuple[object, ...]]:
    market = draw.market()
    able = np.flatnonzero((market.slots > 0) & market.resource.any(axis=1))
    chosen = np.sort(np.random.default_rng(draw.seed).permutation(able)[:sample])
    honest = rule.settle(market)
    truth = provider_utility(market, honest.allocation, honest.receipt)
    rows: list[tuple[object, ...]] = []
    scale = max(1.0, float(market.cost[able].mean()))
    for provider in chosen.tolist():
        for offer in OFFERS:
            settled = rule.settle(offered(market, provider, offer))
            gained = int(provider_utility(market, settled.allocation, settled.receipt)[provider] - truth[provider])
            rows.append((draw.family, draw.seed, rule.label, provider, offer, gained / scale))
    return rows


def run(size: Size, block: int = 0) -> Results:
    """What sampled users and providers gain by each misreport, over the mean bid and the mean cost of a slot."""
    tasks, providers, seeds, sample = GRID[size]
    draws = [Draw(family, tasks, providers, seed) for family in FAMILIES for seed in seed_range(seeds, block)]
    classes = [draw for draw in draws if draw.family == "classes"]  # where prices of slot vectors take no time
    small = [Draw("marketplace", 10, 20, seed) for seed in seed_range(seeds, block)]
    plans = ((draws, [CORRECTED, BACKFILL, POSTED]), (classes, [CLEARING]))
    users = [mechanism_runs.misreported(own, rules, sample, FACTORS, "users' influence") for own, rules in plans]
    users.append(mechanism_runs.misreported(small, [VCG], min(sample, 4), FACTORS, "users' influence under VCG"))
    rows = [
        row
        for own, rules in plans
        for draw in track(own, "providers' influence")
        for rule in rules
        for row in _provider_gains(draw, rule, sample)
    ]
    columns = ["family", "seed", "rule", "provider", "offer", "gain"]
    return {"users": pd.concat(users, ignore_index=True), "providers": pd.DataFrame(rows, columns=columns)}


def _gaining(results: Results) -> pd.DataFrame:
    """By rule and provider, whether any offer gains."""
    best = results["providers"].groupby(["rule", "family", "seed", "provider"], sort=False)["gain"].max().reset_index()
    return best.assign(gains=(best["gain"] > 0).astype(float))


def check(results: Results) -> Verdict:
    """The criterion on the whitepaper's auction in its own order."""
    providers, users = _gaining(results), results["users"]
    own = providers[providers["rule"] == CORRECTED.label]
    other = providers[providers["rule"] == BACKFILL.label]["gains"].mean()
    share, low, high = statistics.mean_interval(own["gains"], SHARE)
    verdict: Judgement = "upheld" if not own["gains"].any() else "refuted" if share >= RARE and low > 0 else "qualified"
    liars = users[users["rule"] == CORRECTED.label]
    gaining = liars.assign(gains=liars["regret"] > 0).groupby("misreport")["gains"].mean()
    return Verdict(
        verdict,
        f"{share:.0%} ({low:.0%} to {high:.0%}) of providers gain by what they offer",
        "Showing less of what a card can do moves it forward in the queue, since 1/s² rewards small s; in order of "
        f"cost per unit {other:.0%} gain. Of the users {gaining['value']:.0%} gain by another value, "
        f"{gaining['demand']:.0%} by inflated demand and {gaining['split']:.0%} by false names.",
    )


def figures(results: Results) -> dict[str, Figure]:
    """Shares that gain, users by misreport and providers by offer."""
    figure, (left, right) = plots.canvas(2, width=10.0)
    users, providers = results["users"], results["providers"]
    labels = list(dict.fromkeys(users["rule"]))
    for axes, frame, by, value in ((left, users, "misreport", "regret"), (right, providers, "offer", "gain")):
        kinds = list(dict.fromkeys(frame[by]))
        for n, (label, colour) in enumerate(plots.colours(labels).items()):
            own = frame[frame["rule"] == label]
            share = [float((own[own[by] == kind][value] > 0).mean()) if len(own) else 0.0 for kind in kinds]
            if len(own):
                axes.barh(np.arange(len(kinds)) + 0.2 * n, share, height=0.18, color=colour, label=label)
        axes.set_yticks(np.arange(len(kinds)) + 0.3, kinds)
        axes.grid(axis="y", visible=False)
        plots.percent(axes, "x")
    left.set(title="users", xlabel="share that gains")
    right.set(title="providers", xlabel="share that gains")
    handles, shown = left.get_legend_handles_labels()
    right.legend(handles, shown, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return {"Who gains by presenting itself otherwise than it is.": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Gains of users over the mean bid, of providers over the mean cost of a slot."""
    return {
        "What users gain, over the mean bid": statistics.summary(
            results["users"], ["rule", "family", "misreport"], "regret"
        ),
        "What providers gain, over the mean cost of a slot": statistics.summary(
            results["providers"], ["rule", "family", "offer"], "gain"
        ),
    }
