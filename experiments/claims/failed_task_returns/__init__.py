"""Whether a failed task that returns with a higher v is served, what it pays, and whether failing can pay."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from auction import Market
from auction.market import MICRO, Float
from auction.rounds import NEVER, History
from experiments import plots, statistics
from experiments.claims import Judgement, Results, Size, Verdict
from experiments.claims.failed_task_returns import round_runs
from experiments.claims.failed_task_returns.round_runs import (
    ARRIVALS,
    NONE,
    ORDERS,
    PRINTED,
    RANKED,
    SECONDS,
    TENFOLD,
    Raise,
    Scene,
)
from experiments.progress import track
from experiments.statistics import AMOUNT, SHARE
from experiments.sweep import Draw, seed_range

TITLE = "A failed task returns with a higher v"
PART = "mechanism"
SECTION = "4"
STATEMENT = (
    "If the provider fails to complete the task within the allotted time, the task will be inserted back into the "
    "auction with a higher demand v_i."
)
FOLLOWED = 10  # rounds after the first failure; tasks that fail later than that before the end are not counted
RARE = 0.05

# tasks, providers, rounds, seeds, tasks a scene that are made to fail or misreport
GRID = {"tiny": (80, 8, 16, 1, 2), "small": (600, 50, 30, 6, 3), "full": (1600, 100, 40, 30, 6)}
FAMILIES = ("uniform", "classes", "marketplace")
SUPPLY = 1.5  # of marketplace: work offered in all rounds together over work demanded
FACTORS = (0.5, 0.8, 1.25, 2.0)  # reported v over the truth
RAISES = (1.5, 3.0, 10.0)  # of one v, to see what becomes of the order
RULES = (NONE, RANKED, PRINTED, TENFOLD)
PRINT_ORDER, BEST_ORDER = ORDERS
FAILURES = ("by whoever wins the task", "by sock-puppets of the user")
PUPPETS = 3  # a user, each of which fails once and is removed
VARIED = {
    "rule": "{returns.rule}",
    "order": "{returns.order}",
    "arrivals": "{returns.arrivals}",
    "family": "{returns.family}",
}
FIXED = {
    "chance that a provider misses its time": "10 % a round",
    "a round": "30 s",
    "raise": "by half, but in one table",
}


def scenes(size: Size, block: int = 0) -> list[Scene]:
    """Every family, way of arriving and seed."""
    tasks, providers, rounds, seeds, _ = GRID[size]
    options = {"marketplace": {"supply": SUPPLY / rounds}}
    return [
        Scene(Draw(family, tasks, providers, seed, options=options.get(family, {})), kind, rounds)
        for family in FAMILIES
        for kind in ARRIVALS
        for seed in seed_range(seeds, block)
    ]


def poisson_scenes(size: Size, block: int = 0) -> list[Scene]:
    return [scene for scene in scenes(size, block) if scene.arrivals == ARRIVALS[0]]


def returning(history: History, market: Market, rounds: int) -> pd.DataFrame:
    """One row a task that failed early enough to be followed: when it was served after that, what it paid too much."""
    task = np.flatnonzero((history.first_failed != NEVER) & (history.first_failed < rounds - FOLLOWED))
    after = np.where(history.served[task] == NEVER, np.inf, history.served[task] - history.first_failed[task])
    over = np.maximum(-history.utility[task], 0) / np.maximum(market.net_bid[task], 1)
    return pd.DataFrame({"task": task, "after": after, "soon": after <= FOLLOWED, "over": over})


def _raises(size: Size, block: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    returns, totals = [], []
    for scene in track(scenes(size, block), "failed tasks"):
        draw, market, arrival = scene.draw, scene.draw.market(), scene.arrival()
        perform = round_runs.failing(draw.providers, draw.seed)
        for (order, options), rule in product(ORDERS.items(), RULES):
            history = round_runs.hold(market, arrival, scene.rounds, perform, rule, options)
            rows = returning(history, market, scene.rounds)
            key = {
                "family": draw.family,
                "arrivals": scene.arrivals,
                "seed": draw.seed,
                "order": order,
                "rule": rule.label,
            }
            returns.append(rows.assign(**key))
            came = history.entered < scene.rounds
            figures = {
                "soon": rows["soon"].mean(),
                "served": (history.served != NEVER)[came].mean(),
                "starving": history.starving(FOLLOWED).size / np.count_nonzero(came),
                "welfare": history.welfare.sum() / MICRO,
                "in vain": history.in_vain.sum() / MICRO,
            }
            totals.append(key | figures)
    return pd.concat(returns, ignore_index=True), pd.DataFrame(totals)


def sampled(size: Size, block: int, what: str) -> Iterator[tuple[Scene, Market, Float, int, float]]:
    """Tasks of scenes with Poisson arrivals that can win and arrive early enough to be followed, and the mean bid."""
    for scene in track(poisson_scenes(size, block), what):
        market, arrival = scene.draw.market(), scene.arrival()
        able = np.flatnonzero((market.net_bid > 0) & (arrival < (scene.rounds - FOLLOWED) * SECONDS))
        mean_bid = float(market.net_bid[market.net_bid > 0].mean())
        for task in np.random.default_rng(scene.draw.seed).permutation(able)[: GRID[size][-1]].tolist():
            yield scene, market, arrival, task, mean_bid


def _on_purpose(size: Size, block: int) -> pd.DataFrame:
    """What a user gains, in utility over the mean bid and in rounds, when its task is made to fail; v_i only ranks."""
    rows = []
    for scene, market, arrival, task, mean_bid in sampled(size, block, "failures on purpose"):
        draw, joined = scene.draw, round_runs.with_puppets(market, task, PUPPETS)
        chances = round_runs.failing(draw.providers, draw.seed)
        for order, options in ORDERS.items():
            before, *plays = (
                round_runs.hold(there, arrival, scene.rounds, perform, RANKED, options)
                for there, perform in (
                    (market, chances),
                    (market, round_runs.failing_once(chances, task)),
                    (joined, round_runs.failing(draw.providers, draw.seed, PUPPETS)),
                )
            )
            for failure, after in zip(FAILURES, plays, strict=True):
                gain = int(after.utility[task] - before.utility[task]) / mean_bid
                sooner = int(before.waited[task] - after.waited[task])
                rows.append((draw.family, draw.seed, order, task, failure, gain, sooner))
    return pd.DataFrame(rows, columns=["family", "seed", "order", "task", "failure", "gain", "sooner"])


def _misreports(size: Size, block: int) -> pd.DataFrame:
    """What a user gains by another v_i under each rule, in true utility over the mean bid; the whitepaper's order."""
    rows = []
    for scene, market, arrival, task, mean_bid in sampled(size, block, "misreports of v"):
        draw, perform = scene.draw, round_runs.failing(scene.draw.providers, scene.draw.seed)
        for rule in (NONE, RANKED, PRINTED):
            utility = {}
            for factor in (1.0, *FACTORS):
                value = market.value.copy()
                value[task] = round(int(value[task]) * factor)
                lie = replace(market, value=value)
                history = round_runs.hold(lie, arrival, scene.rounds, perform, rule, ORDERS[PRINT_ORDER])
                won = history.served[task] != NEVER
                utility[factor] = int(market.net_bid[task] - history.payment[task]) if won else 0
            rows += [
                (draw.family, draw.seed, rule.label, task, f"{factor:g} v", (utility[factor] - utility[1.0]) / mean_bid)
                for factor in FACTORS
            ]
    return pd.DataFrame(rows, columns=["family", "seed", "rule", "task", "reported", "gain"])


def run(size: Size, block: int = 0) -> Results:
    """Tasks that fail under each rule; failures on purpose; misreports; what a raise does to the order."""
    returns, totals = _raises(size, block)
    draws = [scene.draw for scene in poisson_scenes(size, block)]
    queue = [(draw.family, draw.seed, *row) for draw in draws for row in round_runs.climbs(draw.market(), RAISES)]
    return {
        "returns": returns,
        "totals": totals,
        "on_purpose": _on_purpose(size, block),
        "misreports": _misreports(size, block),
        "queue": pd.DataFrame(queue, columns=["family", "seed", "whose", "factor", "climbed", "swapped"]),
    }


def helped(results: Results, order: str, rule: Raise) -> tuple[float, float, float]:
    """How much larger the share served within ``FOLLOWED`` rounds is than without a raise, and its interval."""
    totals = results["totals"][results["totals"]["order"] == order]
    soon = totals.pivot(index=["family", "arrivals", "seed"], columns="rule", values="soon").dropna()
    return statistics.mean_interval(soon[rule.label] - soon[NONE.label], (-1.0, 1.0)) if len(soon) else (0.0, 0.0, 0.0)


def overcharged(results: Results) -> pd.DataFrame:
    """Tasks served after a failure, whether each pays more than it is worth."""
    returns = results["returns"]
    return returns[np.isfinite(returns["after"])].assign(loses=lambda rows: (rows["over"] > 0).astype(float))


def check(results: Results) -> Verdict:
    """The criterion in the whitepaper's order."""
    ranks, charged = helped(results, PRINT_ORDER, RANKED), helped(results, PRINT_ORDER, PRINTED)
    over = overcharged(results)
    over = over[(over["order"] == PRINT_ORDER) & (over["rule"] == PRINTED.label)]
    loses = float(over["loses"].mean()) if len(over) else 0.0
    forced = results["on_purpose"]
    forced = forced[forced["order"] == PRINT_ORDER].groupby("failure", sort=False)
    gains = {failure: statistics.mean_interval(group["gain"]) for failure, group in forced}
    pays = any(low > 0 for _, low, _ in gains.values())
    helps = [low > 0 for _, low, _ in (ranks, charged)]
    verdict: Judgement = "qualified"
    if not any(helps):
        verdict = "refuted"
    elif all(helps) and loses <= RARE and not pays:
        verdict = "upheld"
    return Verdict(
        verdict,
        f"served within {FOLLOWED} rounds of failing: {_points(charged)} as printed, {_points(ranks)} if v only ranks",
        f"Charged, the raise makes {loses:.0%} of those served after a failure pay more than they are worth; if it "
        f"only ranks, nobody does. In the best order ranking adds {_points(helped(results, BEST_ORDER, RANKED))}. "
        + " ".join(
            f"A failure {failure} brings the user {mean:+.1%} ({low:+.1%} to {high:+.1%}) of the mean bid."
            for failure, (mean, low, high) in gains.items()
        ),
    )


def _points(interval: tuple[float, float, float]) -> str:
    mean, low, high = (100.0 * share for share in interval)
    return f"{mean:+.1f} points ({low:+.1f} to {high:+.1f})"


def figures(results: Results) -> dict[str, Figure]:
    """Waiting after the first failure, by rule and order; what the raise as printed costs."""
    returns, over = results["returns"], overcharged(results)
    figure, axes = plots.canvas(2, width=10.0, sharey=True)
    rounds = np.arange(FOLLOWED + 1)
    for (order, own), axis in zip(returns.groupby("order", sort=False), axes, strict=True):
        for label, colour in plots.colours([rule.label for rule in RULES]).items():
            share = statistics.profile(own[own["rule"] == label]["after"], rounds)
            axis.step(rounds, share, where="post", color=colour, label=label)
        axis.set(title=str(order), xlabel="rounds after the first failure", ylim=(0, 1.02))
        plots.percent(axis)
    axes[0].set_ylabel("share served")
    plots.legend(axes[1])

    price, (axis,) = plots.canvas()
    for (family, own), colour in zip(over.groupby("family", sort=False), plots.PALETTE, strict=False):
        paid = own[own["rule"] == PRINTED.label]["over"]
        x = np.linspace(0.0, 2.0, 201)
        axis.plot(x, 1.0 - statistics.profile(paid, x), color=colour, label=str(family))
    axis.set(
        xlabel="paid above its true bid, over the bid", ylabel="share of tasks served after a failure", ylim=(0, 1)
    )
    plots.percent(axis, "both")
    axis.legend()
    return {
        "Tasks served by round after their first failure.": figure,
        "What returning tasks pay too much where the raised v is charged.": price,
    }


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Shares served and rounds waited; totals; overcharges; what failing on purpose and misreports gain; the order."""
    totals, over, forced, queue = results["totals"], overcharged(results), results["on_purpose"], results["queue"]
    by = ["order", "rule"]
    sums = ["served", "starving", "welfare", "in vain"]
    return {
        f"Share of failed tasks served within {FOLLOWED} rounds": statistics.summary(
            totals.dropna(), ["family", *by], "soon", SHARE
        ),
        "Rounds from the first failure to service": statistics.summary(over, by, "after", AMOUNT),
        f"Of all tasks: share served, share that waited more than {FOLLOWED} rounds; tokens of welfare, and of slots "
        "taken in vain": totals.groupby(["family", "arrivals", *by], sort=False)[sums].mean().reset_index(),
        "Share that pays more than it is worth": statistics.summary(over, by, "loses", SHARE),
        "What is paid too much, over the bid": statistics.summary(over, by, "over", AMOUNT),
        "Gain by a failure on purpose, over the mean bid": statistics.summary(forced, ["failure", "order"], "gain"),
        "Rounds sooner by a failure on purpose": statistics.summary(forced, ["failure", "order"], "sooner"),
        "Gain by another v, over the mean bid": statistics.summary(results["misreports"], ["rule", "reported"], "gain"),
        "Share of the queue that a raised v climbs": statistics.summary(
            queue, ["family", "whose", "factor"], "climbed", SHARE
        ),
        "Share of the pairs of other tasks that change places": statistics.summary(
            queue, ["family", "whose", "factor"], "swapped", SHARE
        ),
    }
