"""Whether challenges that the system draws at random catch wrong results as often as they are to be: p d."""

import pandas as pd
from matplotlib.figure import Figure

from experiments import plots, statistics
from experiments.claims import Judgement, Results, Size, Verdict, _market_runs, undecided
from experiments.marketplace.simulation.world import RULES
from experiments.progress import track

TITLE = "Random challenges catch cheats at the stated rate"
PART = "market"
SECTION = "5"
STATEMENT = "Additionally, the Distribute.ai system will also randomly initiate challenges."
NEAR = 0.2  # of the stated rate

# Orders, devices, seeds
GRID: dict[Size, tuple[int, int, int]] = {"tiny": (200, 40, 1), "small": (1_200, 200, 4), "full": (10_000, 1_000, 10)}
DISHONEST = 0.5  # so that many results are wrong
FRESH = 4_000  # the first seed that nobody had looked at when the criterion was changed
VARIED = {"who cheats": "{results.strategy}"}
FIXED = _market_runs.FIXED | {
    "p": f"a result is audited with chance {RULES.audit}",
    "dishonest devices": "half of all, most of them cheats of every kind that is known here",
}
CHANGED = _market_runs.CHANGED | {
    "seeds": f"from {FRESH:,} on; on those from {_market_runs.FRESH:,} on it was found that strangers who cheat alike "
    "confirm each other, which p d had left out"
}


def run(size: Size, block: int = 0) -> Results:
    """Every result: right or wrong, drawn or not, fallen or not, and what its chance to fall by a drawn audit was."""
    orders, devices, seeds = GRID[size]
    rows = []
    for seed in track(_market_runs.seeds(seeds, block, FRESH), "markets with cheats"):
        with _market_runs.ran(seed, orders, devices, DISHONEST) as world:
            rows += [
                (seed, each.strategy, each.right, each.audited, each.by, float(RULES.audit) * (1 - each.alike))
                for each in world.measures.results.values()
            ]
    columns = ["seed", "strategy", "right", "audited", "fell by", "stated"]
    return {"results": pd.DataFrame(rows, columns=columns)}


def check(results: Results) -> Verdict:
    """The criterion on the wrong results, and that no right one fell."""
    found = results["results"]
    wrong, right = found[~found["right"]], found[found["right"]]
    if wrong.empty:
        return undecided("Nobody gave a wrong result.")
    caught = int((wrong["fell by"] == "drawn").sum())
    share, low, high = statistics.share_interval(caught, len(wrong))
    stated, fell = float(wrong["stated"].mean()), int((right["fell by"] != "").sum())
    verdict: Judgement = "refuted"
    if not fell and low <= stated <= high:
        verdict = "upheld"
    elif not fell and abs(share - stated) <= NEAR * stated:
        verdict = "qualified"
    audited, least, most = statistics.share_interval(int((right["audited"] == "drawn").sum()), len(right))
    drawn = wrong[wrong["audited"] == "drawn"]
    stood = int((drawn["fell by"] == "").sum())
    return Verdict(
        verdict,
        f"{share:.1%} ({low:.1%} to {high:.1%}) of {len(wrong):,} wrong results fell by a drawn audit; "
        f"stated {stated:.1%}",
        f"Of {len(drawn):,} wrong results that were drawn {stood} stood: who was drawn cheats in the same way, and so "
        f"came to the same result. Of {len(right):,} right results {audited:.1%} ({least:.1%} to {most:.1%}) were "
        f"drawn, and {fell} fell. A cheat escapes the draw most of the time: what deters is the stake.",
    )


def figures(results: Results) -> dict[str, Figure]:
    """The share that fell by a drawn audit, by strategy, beside what is stated."""
    figure, (axes,) = plots.canvas()
    table = tables(results)["Wrong results by who gave them"]
    places = range(len(table))
    axes.hlines(places, table["low"], table["high"], color=plots.PALETTE[3], linewidth=2)
    axes.scatter(table["fell"], places, color=plots.PALETTE[3], label="fell by a drawn audit, 95 %")
    axes.scatter(table["stated"], places, marker="|", s=160, color=plots.PALETTE[0], label="stated")
    axes.set_yticks(places, table["strategy"])
    axes.set(xlabel="of the wrong results", xlim=(0, None))
    plots.percent(axes, "x")
    plots.legend(axes)
    return {"Wrong results that drawn audits caught, by who gave them": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Wrong results and how many fell, by strategy."""
    rows = []
    for strategy, own in results["results"][~results["results"]["right"]].groupby("strategy"):
        share, low, high = statistics.share_interval(int((own["fell by"] == "drawn").sum()), len(own))
        other = int(((own["fell by"] != "") & (own["fell by"] != "drawn")).sum())
        rows.append((strategy, len(own), share, low, high, own["stated"].mean(), other))
    columns = ["strategy", "wrong", "fell", "low", "high", "stated", "fell otherwise"]
    return {"Wrong results by who gave them": pd.DataFrame(rows, columns=columns)}
