"""Whether a market of devices that come and go serves as reliably as one data centre that is down as often."""

import pandas as pd
from matplotlib.figure import Figure

from experiments import plots, statistics
from experiments.claims import Judgement, Results, Size, Verdict, _market_runs
from experiments.marketplace.simulation.churn import Churn
from experiments.marketplace.simulation.fleet import ROUND
from experiments.progress import track
from experiments.statistics import SHARE

TITLE = "A market of devices that come and go serves reliably"
PART = "market"
SECTION = "1"
STATEMENT = (
    "This approach not only ensures cost-efficiency but also delivers reliability and performance to a broader "
    "spectrum of users."
)
LOST = 0.02
MARKET, CENTRE, ALWAYS = "market", "data centre", "never down"
AWAY = 180.0  # s, on the average, when a device leaves
UPTIMES = (1_800.0, 600.0)  # s, on the average, between two leaves
LONG = 10**9  # s, that nobody leaves in

# Orders, devices, seeds
GRID: dict[Size, tuple[int, int, int]] = {"tiny": (60, 40, 1), "small": (300, 40, 10), "full": (10_000, 600, 10)}
VARIED = {"where requests run": "{markets.where}", "of the time down": "{markets.down:each}"}
FIXED = _market_runs.FIXED | {
    "devices": "the same cards and slots in the market and in the data centre, all honest",
    "data centre": "all of it is down at once, in the middle, for as large a part of the time as a device is away",
}
CHANGED = _market_runs.CHANGED | {
    "markets": "3 of 600 orders before, +3.1 % (-2.1 to 8.4), qualified; 6 of 300 orders then, +3.2 % (0.7 to 5.7), "
    "upheld; then 10 of seeds from 1,000 on with orders of pictures, over which disputes failed, +2.4 % (1.4 to 3.3), "
    "upheld; 10 of texts alone from 2,000 on, +2.7 % (1.5 to 3.8), upheld; now 10 with pictures whose disputes end, "
    "fixed before the first of them ran",
}


def run(size: Size, block: int = 0) -> Results:
    """The share of orders served, and how soon, by where they run and how much of the time a device is away."""
    orders, devices, seeds = GRID[size]
    rows = []
    for seed in track(_market_runs.seeds(seeds, block), "markets with churn"):
        steady = _lives(seed, orders, devices, Churn(uptime=LONG))
        length = float(steady["placed"].max()) * ROUND
        rows.append((seed, ALWAYS, 0.0, *_told(steady)))
        for uptime in UPTIMES:
            down = AWAY / (uptime + AWAY)
            outage = Churn(outage=(ROUND + (1 - down) * length / 2, down * length))
            rows.append((seed, MARKET, down, *_told(_lives(seed, orders, devices, Churn(uptime=uptime, away=AWAY)))))
            rows.append((seed, CENTRE, down, *_told(_lives(seed, orders, devices, outage))))
    columns = ["seed", "where", "down", "served", "waited", "99 % within"]
    return {"markets": pd.DataFrame(rows, columns=columns)}


def _lives(seed: int, orders: int, devices: int, churn: Churn) -> pd.DataFrame:
    with _market_runs.ran(seed, orders, devices, 0.0, churn=churn) as world:
        return _market_runs.lives(world)


def _told(lives: pd.DataFrame) -> tuple[float, float, float]:
    """Share served; rounds to the first output, median and 99 %."""
    done = lives[lives["outcome"] == "served"]["output"]
    return len(done) / len(lives), float(done.median()), float(done.quantile(0.99))


def check(results: Results) -> Verdict:
    """The criterion on markets and data centres, pair by pair."""
    markets = results["markets"]
    by = markets.pivot_table(index=["seed", "down"], columns="where", values="served")[[MARKET, CENTRE]].dropna()
    more = statistics.mean_interval((by[MARKET] - by[CENTRE]).groupby("seed").mean(), (-1.0, 1.0))
    least = float(by[MARKET].groupby("down").mean().min())
    always = float(markets[markets["where"] == ALWAYS]["served"].mean())
    verdict: Judgement = "refuted"
    if least >= always - LOST:
        verdict = "upheld" if more[1] > 0 else "qualified"
    worst = by.groupby("down").mean().iloc[-1]
    down = by.index.get_level_values("down").max()
    late = markets.groupby(["where", "down"])["99 % within"].mean()
    soon, later = late[MARKET, down], late[CENTRE, down]
    return Verdict(
        verdict,
        f"{more[0]:+.1%} ({more[1]:+.1%} to {more[2]:+.1%}) more orders are served than by a data centre that is down "
        "as much of the time",
        f"Where a device is away {down:.0%} of the time the market serves {worst[MARKET]:.1%}, the data centre "
        f"{worst[CENTRE]:.1%}, one that is never down {always:.1%}; 99 % of the outputs are there within {soon:.1f} "
        f"and {later:.1f} rounds. A data centre with a spare one elsewhere is not looked at.",
    )


def at_each_rate(results: Results) -> Judgement:
    """The criterion by the words before: at each rate by itself, not on the mean over them."""
    found = check(results).verdict
    markets = results["markets"]
    by = markets.pivot_table(index=["seed", "down"], columns="where", values="served")[[MARKET, CENTRE]].dropna()
    gains = (by[MARKET] - by[CENTRE]).groupby("down")
    more = all(statistics.mean_interval(gain, (-1.0, 1.0))[1] > 0 for _, gain in gains)
    return "qualified" if found == "upheld" and not more else found


def figures(results: Results) -> dict[str, Figure]:
    """The share served by the part of the time that a device is away."""
    figure, (axes,) = plots.canvas()
    markets = results["markets"]
    plots.means(axes, markets, "down", "where", "served", plots.colours([MARKET, CENTRE]), SHARE)
    axes.axhline(markets[markets["where"] == ALWAYS]["served"].mean(), color=plots.MUTED, linewidth=1, label=ALWAYS)
    axes.set(xlabel="of the time that a device is away, or all are", ylabel="of the orders, served")
    plots.percent(axes, "both")
    plots.legend(axes)
    return {"Orders served by a market and by a data centre that are down as much of the time": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Means over seeds."""
    columns = ["served", "waited", "99 % within"]
    means = results["markets"].groupby(["where", "down"], sort=False)[columns].mean().reset_index()
    return {"Served, and rounds to the first output": means}
