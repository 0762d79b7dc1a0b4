"""A simulation in numbers: what the command prints, a table of its rounds, and what its page shows."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from auction import solvers
from auction.market import MICRO
from experiments.marketplace.simulation.measures import Measures
from experiments.marketplace.simulation.world import RULES, Round, World
from experiments.progress import track


def bound_of(taken: Round) -> int:
    """The most welfare that a round could have had, micro-tokens: each order is of one request, which one device serves
    alone, so the assignment is the optimum."""
    bound = solvers.solve(taken.market, "assignment", reading="whole").bound
    assert bound is not None, "an assignment is proved"
    return bound


def rounds_of(world: World) -> pd.DataFrame:
    """A row a round; money in micro-tokens."""
    bounds = [bound_of(each) for each in track(world.rounds, "bounds of the rounds")]
    rows = [
        {
            "round": each.number,
            "tick": each.tick,
            "orders": each.market.tasks,
            "devices": each.market.providers,
            "matched": each.matched,
            "welfare": each.welfare,
            "bound": bound,
            "paid": each.paid,
        }
        for each, bound in zip(world.rounds, bounds, strict=True)
    ]
    return pd.DataFrame(rows)


def caught(measures: Measures) -> tuple[int, int]:
    """Wrong results, and how many of them fell."""
    wrong = [result for result in measures.results.values() if not result.right]
    return len(wrong), sum(bool(result.fell) for result in wrong)


def expected_share(measures: Measures) -> float:
    """p d of the wrong results on the average: drawn with chance p, and not by who comes to the same root."""
    same = [result.alike for result in measures.results.values() if not result.right]
    return float(RULES.audit) * (1 - float(np.mean(same))) if same else float(RULES.audit)


def drawn_share(measures: Measures) -> tuple[float, float, float]:
    """Share of the wrong results that drawn audits caught, with its 95 % interval (Clopper and Pearson)."""
    wrong = [result for result in measures.results.values() if not result.right]
    many = sum(result.by == "drawn" for result in wrong)
    if not wrong:
        return 0.0, 0.0, 1.0
    interval = binomtest(many, len(wrong)).proportion_ci()
    return many / len(wrong), float(interval.low), float(interval.high)


def summary(world: World, rounds: pd.DataFrame) -> dict[str, Any]:
    """As ``market simulate --json`` prints it; money in micro-tokens."""
    measures, money = world.measures, world.money()
    wrong, fell = caught(measures)
    number, head = world.ledger.head
    return {
        "orders": len(measures.lives),
        "served": sum(life.outcome == "served" for life in measures.lives.values()),
        "welfare": int(rounds["welfare"].sum()),
        "certified_bound": int(rounds["bound"].sum()),
        "wrong_results": wrong,
        "caught": fell,
        "right_parties_that_lost": len(measures.right_that_lost),
        "paid": money.paid,
        "received": money.received,
        "burnt": money.burnt,
        "head": f"{number}:{head}",
    }


def by_strategy(world: World) -> pd.DataFrame:
    """A row a strategy: devices, results, which were wrong and fell, after how many ticks (median), and in tokens what
    stakes and bonds its owners lost, and what they gained in all."""
    measures, gained = world.measures, world.money().by
    devices = Counter(provider.plan.strategy.name for provider in world.providers)
    rows = []
    for name, count in devices.most_common():
        results = [result for result in measures.results.values() if result.strategy == name]
        wrong = [result for result in results if not result.right]
        waits = [result.fell - result.tick for result in wrong if result.fell]
        lost = sum(amount for (who, _), amount in measures.lost.items() if who == name)
        rows.append(
            {
                "strategy": name,
                "devices": count,
                "results": len(results),
                "wrong": len(wrong),
                "caught": len(waits),
                "ticks to fall": float(np.median(waits)) if waits else np.nan,
                "lost": lost / MICRO,
                "gained": gained.get(name, 0) / MICRO,
            }
        )
    return pd.DataFrame(rows)


def waits(measures: Measures, to: str) -> Sequence[int]:
    """Ticks from an order to its first output, or to its end, of those served."""
    served = [life for life in measures.lives.values() if life.outcome == "served"]
    return [getattr(life, to) - life.placed for life in served]


def losses_of_honest(measures: Measures) -> dict[str, float]:
    """What honest owners' stakes and bonds lost, tokens, by the event."""
    return {kind: amount / MICRO for (who, kind), amount in measures.lost.items() if who == "honest"}
