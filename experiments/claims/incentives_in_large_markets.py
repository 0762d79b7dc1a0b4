"""How regret and the loss of welfare fall as markets grow, under the whitepaper's prices, clearing and VCG."""

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from auction import solve
from auction.incentives import misreports
from auction.incentives.misreports import Kind
from auction.mechanisms import vcg
from experiments import plots, statistics
from experiments.claims import Judgement, Results, Size, Verdict
from experiments.claims import _mechanism_runs as mechanism_runs
from experiments.claims._mechanism_runs import BACKFILL, CLEARING, CORRECTED
from experiments.progress import track
from experiments.statistics import AMOUNT, SHARE
from experiments.sweep import Draw, seed_range

TITLE = "Incentives in large markets"
PART = "mechanism"
FINDING = "Does a user's influence on its price vanish as the market grows?"
FACTORS = (0.5, 0.8, 0.95, 2.0)
FLOOR = 1e-6  # of the mean bid: regrets below it count as that

SIZES = {"tiny": (20, 40, 80), "small": (100, 300, 1000, 3000), "full": (100, 300, 1000, 3000, 10_000, 30_000, 100_000)}
SAMPLE = {"tiny": (2, 2), "small": (4, 8), "full": (6, 20)}  # seeds, tasks that misreport
VCG_UP_TO = {"tiny": 20, "small": 300, "full": 3000}  # tasks: each payment is one more optimum
FAMILY, TYPES, OPTIONS = "classes", 2, {"classes": 20}
KINDS: tuple[Kind, ...] = ("value", "demand")
RULES = [CORRECTED, BACKFILL, CLEARING]
VCG = "VCG, one provider a task"  # the reading whose optimum can be proven at these sizes
RESAMPLES = 1000
VARIED = {
    "size": "{regrets.tasks} tasks, as many providers",
    "prices": "{regrets.rule}",
    "misreport": "0.5, 0.8, 0.95, 2 times the value, twice the demand",
}
FIXED = {
    "family": "{regrets.family}: 20 of agents",
    "model types": "2",
    "coalitions": "none: one task misreports",
}


def run(size: Size, block: int = 0) -> Results:
    """Regrets of sampled tasks, and welfare beside the certified bound."""
    seeds, tasks = SAMPLE[size]
    draws = [Draw(FAMILY, m, m, seed, TYPES, OPTIONS) for m in SIZES[size] for seed in seed_range(seeds, block)]
    regrets = mechanism_runs.misreported(draws, RULES, tasks, FACTORS, "incentives by size", KINDS)
    small = [draw for draw in draws if draw.tasks <= VCG_UP_TO[size]]
    vcg_regrets = pd.concat([_vcg_regrets(draw, tasks) for draw in track(small, "incentives under VCG")])
    welfare = mechanism_runs.settlements(draws, RULES, "welfare by size")[["rule", "tasks", "seed", "welfare"]]
    rows = []
    for draw in track(draws, "certified bounds"):
        market = draw.market()
        bound = solve(market, "column_generation", time_limit=60, options={"rows": "vectors"}).bound
        rows.append((draw.tasks, draw.seed, bound, solve(market, "assignment", reading="whole").welfare))
    bounds = pd.DataFrame(rows, columns=["tasks", "seed", "bound", "welfare"])
    welfare = pd.concat((welfare, bounds.drop(columns="bound").assign(rule=VCG)), ignore_index=True)
    welfare = welfare.merge(bounds.drop(columns="welfare"), on=["tasks", "seed"])
    loss = 1 - welfare["welfare"] / welfare["bound"]
    return {"regrets": pd.concat((regrets, vcg_regrets), ignore_index=True), "welfare": welfare.assign(loss=loss)}


def _vcg_regrets(draw: Draw, tasks: int) -> pd.DataFrame:
    """As ``mechanism_runs.misreported``, of each sampled task's payment alone."""
    market = draw.market()
    rows = []
    for task in mechanism_runs.sampled(market, draw.seed, tasks)[:, None]:
        most = misreports.regrets(
            market, partial(vcg.sampled, reading="whole", tasks=task, time_limit=60.0), task, FACTORS, KINDS
        )
        scale = mechanism_runs.mean_bid(market)
        rows += [(draw.tasks, draw.seed, VCG, kind, int(task[0]), gains[0] / scale) for kind, gains in most.items()]
    return pd.DataFrame(rows, columns=["tasks", "seed", "rule", "misreport", "task", "regret"])


def by_size(regrets: pd.DataFrame) -> pd.DataFrame:
    """Mean regret by rule, size and seed; a task's regret is the larger of those by value and by demand."""
    each = regrets.groupby(["rule", "tasks", "seed", "task"], sort=False)["regret"].max().reset_index()
    return each.groupby(["rule", "tasks", "seed"], sort=False)["regret"].mean().reset_index()


def exponent(regrets: pd.DataFrame, rule: str) -> tuple[float, float, float]:
    """Slope of log mean regret against log tasks, and its 95 % interval over resampled seeds."""
    table = by_size(regrets)
    table = table[table["rule"] == rule].pivot(index="tasks", columns="seed", values="regret")
    size, values = np.log(table.index.to_numpy(dtype=float)), table.to_numpy()
    rng = np.random.default_rng(0)

    def slope(mean: np.ndarray) -> float:
        return float(np.polyfit(size, np.log(np.maximum(mean, FLOOR)), 1)[0])

    drawn = [slope(np.array([rng.choice(row, row.size).mean() for row in values])) for _ in range(RESAMPLES)]
    low, high = np.quantile(drawn, (0.5 - statistics.CONFIDENCE / 2, 0.5 + statistics.CONFIDENCE / 2))
    return slope(values.mean(axis=1)), float(low), float(high)


def check(results: Results) -> Verdict:
    """The exponents of the whitepaper's best order and of clearing."""
    own, clearing = (exponent(results["regrets"], rule.label) for rule in (BACKFILL, CLEARING))
    largest = results["welfare"][results["welfare"]["tasks"] == results["welfare"]["tasks"].max()]
    loss = largest.groupby("rule")["loss"].mean()
    return Verdict(
        "found",
        f"regret's exponent {own[0]:+.2f} ({own[1]:+.2f} to {own[2]:+.2f})",
        f"Under the whitepaper's midpoint prices, at its best order; under clearing it is {clearing[0]:+.2f} "
        f"({clearing[1]:+.2f} to {clearing[2]:+.2f}). At {largest['tasks'].max():,} tasks the former lose "
        f"{loss[BACKFILL.label]:.1%} of the certified bound, clearing {loss[CLEARING.label]:.2g} of it.",
    )


def as_a_claim(results: Results) -> Judgement:
    """By the criterion of the claim that this was: that influence vanishes with size."""
    own, clearing = (exponent(results["regrets"], rule.label) for rule in (BACKFILL, CLEARING))
    return "upheld" if own[2] < 0 else "refuted" if clearing[2] < 0 else "qualified"


def figures(results: Results) -> dict[str, Figure]:
    """Mean regret and loss of welfare by size."""
    table, colours = by_size(results["regrets"]), plots.colours([*(rule.label for rule in RULES), VCG])
    figure, (left, right) = plots.canvas(2, width=10.0)
    for label, colour in colours.items():
        mean = table[table["rule"] == label].groupby("tasks")["regret"].mean()
        left.plot(mean.index, mean.clip(lower=FLOOR), marker="o", markersize=4, color=colour, label=label)
        lost = results["welfare"][results["welfare"]["rule"] == label].groupby("tasks")["loss"].mean()
        right.plot(lost.index, lost.clip(lower=FLOOR), marker="o", markersize=4, color=colour, label=label)
    left.set(title="mean regret over mean bid", xlabel="tasks = providers", xscale="log", yscale="log")
    right.set(title="welfare lost of the certified bound", xlabel="tasks = providers", xscale="log", yscale="log")
    plots.legend(right)
    caption = "What a task gains by misreporting, and what the rule costs, as the market grows; none is drawn at 10⁻⁶."
    return {caption: figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Exponents; regrets by kind of misreport; losses."""
    exponents = [(rule.label, *exponent(results["regrets"], rule.label)) for rule in RULES]
    return {
        "Exponent of the mean regret against tasks": pd.DataFrame(
            exponents, columns=["rule", "exponent", "low", "high"]
        ),
        "Regret over the mean bid": statistics.summary(
            results["regrets"], ["rule", "tasks", "misreport"], "regret", AMOUNT
        ),
        "Welfare lost of the certified bound": statistics.summary(results["welfare"], ["rule", "tasks"], "loss", SHARE),
    }
