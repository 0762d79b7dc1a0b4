"""Whether orders whose device failed are served in the market that runs, its loop closed: by another, and how soon."""

import pandas as pd
from matplotlib.figure import Figure

from experiments import plots, statistics
from experiments.claims import Judgement, Results, Size, Verdict, _market_runs, undecided
from experiments.marketplace.simulation.churn import Churn
from experiments.progress import track

TITLE = "A failed order returns and is served, in the market that runs"
PART = "market"
SECTION = "4"
STATEMENT = (
    "If the provider fails to complete the task within the allotted time, the task will be inserted back into the "
    "auction with a higher demand v_i."
)
SERVED = 0.95
UPTIME = 600.0  # s, on the average

# Orders, devices, seeds
GRID: dict[Size, tuple[int, int, int]] = {"tiny": (150, 40, 1), "small": (1_200, 120, 4), "full": (10_000, 1_000, 10)}
DISHONEST = 0.2
VARIED = {"dishonest devices": "those who are slow, who vanish, and who cheat; 20 % of all"}
FIXED = _market_runs.FIXED | {
    "churn": "each device is away after 10 minutes, for three, on the average; every second one without a word",
}
CHANGED = _market_runs.CHANGED | {
    "churn": "away after 20 minutes on the average at first: 97.9 % (92.5 to 99.7), qualified; then after 10: "
    "94.1 % (89.1 to 97.3), qualified",
}


def run(size: Size, block: int = 0) -> Results:
    """Every order of markets with churn and cheats: what failed it, when it was back, and whether it was served."""
    orders, devices, seeds = GRID[size]
    frames = []
    for seed in track(_market_runs.seeds(seeds, block), "markets with failures"):
        with _market_runs.ran(seed, orders, devices, DISHONEST, churn=Churn(uptime=UPTIME)) as world:
            frames.append(_market_runs.lives(world).assign(seed=seed))
    return {"orders": pd.concat(frames, ignore_index=True)}


def check(results: Results) -> Verdict:
    """The criterion on the orders that came back."""
    orders = results["orders"]
    back = orders[orders["back"].notna()]
    if back.empty:
        return undecided("No device failed an order.")
    served = back["outcome"] == "served"
    share, low, high = statistics.share_interval(int(served.sum()), len(back))
    others = float((orders[orders["back"].isna()]["outcome"] == "served").mean())
    verdict: Judgement = "upheld" if low >= SERVED else "qualified" if high >= SERVED else "refuted"
    again = back[served]
    waited = float((again["over"] - again["back"]).median())
    return Verdict(
        verdict,
        f"{share:.1%} ({low:.1%} to {high:.1%}) of {len(back):,} orders that came back were served",
        f"Of those that no device failed {others:.1%}. From coming back to the final mark it was {waited:.1f} rounds "
        f"on the median; at most {back['failed'].max()} devices failed one order, none of them twice.",
    )


def figures(results: Results) -> dict[str, Figure]:
    """From placing to the final mark, by how often a device failed the order."""
    figure, (axes,) = plots.canvas()
    served = results["orders"][results["orders"]["outcome"] == "served"]
    for colour, (failed, own) in zip(plots.PALETTE, served.groupby("failed"), strict=False):
        ordered = own["over"].sort_values()
        shares = (pd.RangeIndex(len(ordered)) + 1) / len(ordered)
        axes.step(ordered, shares, where="post", color=colour, label=f"failed by {failed}")
    axes.set(xlabel="rounds from placing to the final mark", ylabel="of the orders served", ylim=(0, 1.02))
    plots.percent(axes)
    plots.legend(axes)
    return {"How soon orders are over, by how many devices failed them": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Outcomes and waiting by how many devices failed an order."""
    rows = []
    for failed, own in results["orders"].groupby("failed"):
        share, low, high = statistics.share_interval(int((own["outcome"] == "served").sum()), len(own))
        rows.append((failed, len(own), share, low, high, own["over"].median(), own["over"].quantile(0.99)))
    columns = ["failed by", "orders", "served", "low", "high", "median rounds", "99 % within"]
    return {"Orders by how many devices failed them": pd.DataFrame(rows, columns=columns)}
