"""Whether several verifiers need full trust: one, all in agreement, a majority, and any one who challenges."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import stats

from auction.market import Int
from experiments import plots, statistics
from experiments.claims import Judgement, Results, Size, Verdict
from experiments.progress import track

TITLE = "Several verifiers require full trust"
PART = "verification"
SECTION = "5"
STATEMENT = (
    "Note that using multiple providers to verify the challenged inference requires full trust since 1-of-n dishonest "
    "parties nullifies the correctness of the proof."
)
VERIFIERS = (1, 3, 5, 9, 15)
CRITERION = (
    "Of n verifiers m are dishonest: they pass a wrong result and attack a right one. Upheld if with m = 1 every "
    "protocol that uses several verifiers lets some wrong result stand or some right one fall, for n of "
    f"{VERIFIERS[1]} to {VERIFIERS[-1]}. Refuted if a protocol judges every result rightly with m = n - 1. Qualified "
    "if one does with m = 1, none with n - 1."
)

# Trials of each setting with a right and with a wrong result
GRID = {"tiny": 30, "small": 400, "full": 5000}
STEPS = 64  # of the computation that is verified
TABLED = (1, 3, 9)
SHARES = (0.1, 0.3, 0.5, 0.7)
LOOKING = (1.0, 0.5, 0.1)  # how often an honest verifier recomputes, where any one may challenge
ONE, ALL, MAJORITY, ANY = "one verifier", "all must agree", "majority", "any one may challenge"


Flags = NDArray[np.bool_]


class Judged(NamedTuple):
    """What came of a result."""

    stands: bool
    steps: int
    """recomputed by verifiers and referee"""


def trace(start: int, fault: int | None = None) -> Int:
    """(STEPS + 1,) states of a small computation; from ``fault`` on, of one that goes wrong there."""
    states = [start]
    for step in range(STEPS):
        states.append(advance(states[-1]) ^ (step == fault))
    return np.array(states)


def advance(state: int) -> int:
    """One step: a linear congruence modulo 2^32 (Numerical Recipes)."""
    return (1664525 * state + 1013904223) % 2**32


def votes(honest: Flags, wrong: bool) -> Flags:
    """Who says that the result is wrong: the honest if it is, the others if it is not."""
    return honest == wrong


def one(claimed: Int, honest: Flags, wrong: bool, rng: Generator) -> Judged:
    """The whitepaper's: a single provider, drawn among the verifiers, recomputes everything and is believed."""
    return Judged(not votes(honest, wrong)[rng.integers(honest.size)], STEPS)


def unanimous(claimed: Int, honest: Flags, wrong: bool, rng: Generator) -> Judged:
    """A result falls if all say that it is wrong."""
    return Judged(not votes(honest, wrong).all(), STEPS * honest.size)


def majority(claimed: Int, honest: Flags, wrong: bool, rng: Generator) -> Judged:
    """A result falls if more than half say that it is wrong."""
    return Judged(2 * int(votes(honest, wrong).sum()) <= honest.size, STEPS * honest.size)


def challenge(claimed: Int, honest: Flags, wrong: bool, rng: Generator, looking: float = 1.0) -> Judged:
    """Anyone may challenge with a trace of its own; a referee recomputes the step at which the two part.

    Who is honest looks with probability ``looking`` and challenges what differs from its own; the others never
    challenge what is wrong and always what is right, with a fault made up at random.
    """
    steps = 0
    for verifier in honest:
        if verifier:
            if rng.random() >= looking:
                continue
            steps += STEPS
            own = trace(int(claimed[0]))
        elif wrong:
            continue
        else:
            own = trace(int(claimed[0]), int(rng.integers(STEPS)))
        if (own == claimed).all():
            continue
        agreed, parted = 0, STEPS  # one step of a bijection: traces that part stay apart, so that bisection is sound
        while parted - agreed > 1:
            middle = (agreed + parted) // 2
            agreed, parted = (middle, parted) if own[middle] == claimed[middle] else (agreed, middle)
        steps += 1
        if advance(int(claimed[agreed])) != claimed[parted]:
            return Judged(False, steps)
    return Judged(True, steps)


PROTOCOLS: dict[str, Callable[[Int, Flags, bool, Generator], Judged]] = {
    ONE: one,
    ALL: unanimous,
    MAJORITY: majority,
    ANY: challenge,
}


def expected(protocol: str, n: int, q: float, looking: float = 1.0) -> tuple[float, float]:
    """Probability that a wrong result stands and that a right one falls, each of n being dishonest with probability q.

    One: q, q. All: 1 - (1 - q)^n, q^n. Majority: P(B >= n / 2), P(B > n / 2) with B ~ Bin(n, q). Any one may
    challenge: (1 - (1 - q) looking)^n, 0.
    """
    if protocol == ONE:
        return q, q
    if protocol == ALL:
        return 1 - (1 - q) ** n, q**n
    if protocol == MAJORITY:
        return float(stats.binom.sf(np.ceil(n / 2) - 1, n, q)), float(stats.binom.sf(n // 2, n, q))
    return (1 - (1 - q) * looking) ** n, 0.0


def trial(protocol: Callable[..., Judged], honest: Flags, wrong: bool, rng: Generator, **options: float) -> Judged:
    """A result, right or with a fault at a random step, before these verifiers."""
    claimed = trace(int(rng.integers(2**32)), int(rng.integers(STEPS)) if wrong else None)
    return protocol(claimed, honest, wrong, rng, **options)


def run(size: Size) -> Results:
    """Each protocol with m dishonest of n, with a share of dishonest ones, and with verifiers who seldom look."""
    trials, rng = GRID[size], np.random.default_rng(0)
    counted, shares, lazy = [], [], []
    for n in track(VERIFIERS, "verifiers"):
        for name, protocol in PROTOCOLS.items():
            for m in sorted({1, (n - 1) // 2, n - 1} - {0}) if n > 1 else ():
                honest = np.arange(n) >= m
                for wrong in (True, False):
                    stand = [trial(protocol, rng.permutation(honest), wrong, rng).stands for _ in range(trials)]
                    counted.append((name, n, m, wrong, np.mean(np.array(stand) == wrong)))
            for q in SHARES:
                shares += _draws(name, protocol, n, q, trials, rng)
        for looking in LOOKING:
            for q in SHARES[1:3]:
                made = [trial(challenge, rng.random(n) >= q, True, rng, looking=looking) for _ in range(trials)]
                stands, steps = np.mean(made, axis=0)
                lazy.append((n, q, looking, stands, expected(ANY, n, q, looking)[0], steps / STEPS))
    return {
        "counted": pd.DataFrame(counted, columns=["protocol", "n", "dishonest", "wrong", "misjudged"]),
        "shares": pd.DataFrame(
            shares, columns=["protocol", "n", "q", "wrong", "misjudged", "closed form", "recomputations"]
        ),
        "lazy": pd.DataFrame(lazy, columns=["n", "q", "looking", "stands", "closed form", "recomputations"]),
    }


def _draws(
    name: str, protocol: Callable[..., Judged], n: int, q: float, trials: int, rng: Generator
) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for wrong, closed in zip((True, False), expected(name, n, q), strict=True):
        for _ in range(trials):
            judged = trial(protocol, rng.random(n) >= q, wrong, rng)
            rows.append((name, n, q, wrong, float(judged.stands == wrong), closed, judged.steps / STEPS))
    return rows


def tolerates(results: Results) -> dict[str, bool]:
    """Of the protocols with several verifiers: whether all results are judged rightly with m = 1, and with n - 1."""
    counted = results["counted"][results["counted"]["protocol"] != ONE]
    single = counted[counted["dishonest"] == 1].groupby("protocol")["misjudged"].max()
    most = counted[counted["dishonest"] == counted["n"] - 1].groupby("protocol")["misjudged"].max()
    return {"one": bool((single == 0).any()), "all but one": bool((most == 0).any())}


def check(results: Results) -> Verdict:
    """The criterion on the trials."""
    tolerance = tolerates(results)
    verdict: Judgement = "refuted" if tolerance["all but one"] else "qualified" if tolerance["one"] else "upheld"
    shares = results["shares"]
    wrong = shares[shares["wrong"] & (shares["q"] == 0.3) & (shares["n"] == 9)].groupby("protocol")["misjudged"].mean()
    right = shares[~shares["wrong"] & (shares["q"] == 0.3) & (shares["n"] == 9)]
    costs = right.groupby("protocol")["recomputations"].mean()
    return Verdict(
        verdict,
        f"with 30 % of nine verifiers dishonest a wrong result stands in {wrong[ANY]:.1%} of trials if any one may "
        f"challenge, {wrong[MAJORITY]:.0%} under majority, {wrong[ONE]:.0%} with one verifier, {wrong[ALL]:.0%} if "
        "all must agree",
        "The sentence is true where all must agree, and of the single verifier that the whitepaper assigns, who must "
        "be trusted wholly. Where anyone may challenge and a referee recomputes the one step in dispute, one honest "
        "verifier who looks is enough and no false challenge wins: n - 1 of n may be dishonest. The referee's one step "
        f"is what is trusted, and anyone can repeat it. A right result costs {costs[ANY]:.1f} recomputations if every "
        f"honest verifier looks, {costs[MAJORITY]:.0f} under majority, {costs[ONE]:.0f} with one verifier.",
    )


def figures(results: Results) -> dict[str, Figure]:
    """Misjudged results by number of verifiers and protocol; and with verifiers who seldom look."""
    figure, axes = plots.canvas(3, width=11.0)
    colour = plots.colours(PROTOCOLS)
    shares = results["shares"]
    for axis, wrong, title in zip(axes, (True, False), ("A wrong result stands", "A right result falls"), strict=False):
        for name in PROTOCOLS:
            own = shares[(shares["protocol"] == name) & (shares["q"] == 0.3) & (shares["wrong"] == wrong)]
            line = own.groupby("n")[["misjudged", "closed form"]].mean()
            axis.plot(line.index, line["closed form"], color=colour[name], label=name)
            axis.plot(line.index, line["misjudged"], "o", markersize=5, color=colour[name])
        axis.set(title=title, xlabel="verifiers, 30 % of them dishonest", xticks=VERIFIERS)
        plots.percent(axis)
    lazy = results["lazy"][results["lazy"]["q"] == 0.3]
    for shade, (looking, own) in zip(("-", "--", ":"), lazy.groupby("looking", sort=False), strict=False):
        axes[2].plot(own["n"], own["closed form"], shade, color=colour[ANY], label=f"honest ones look {looking:.0%}")
        axes[2].plot(own["n"], own["stands"], "o", markersize=5, color=colour[ANY])
    axes[2].set(title="A wrong result stands", xlabel="verifiers, any one may challenge", xticks=VERIFIERS)
    axes[2].set_ylim(axes[0].get_ylim())
    plots.percent(axes[2])
    axes[2].legend(fontsize=8)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return {"Results misjudged: lines in closed form, dots in simulation.": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Exactly m dishonest; a share dishonest; verifiers who seldom look."""
    counted = results["counted"].pivot_table("misjudged", ["protocol", "n", "dishonest"], "wrong", sort=False)
    shares = statistics.summary(results["shares"], ["protocol", "n", "q", "wrong", "closed form"], "misjudged")
    shares["recomputations"] = (
        results["shares"].groupby(["protocol", "n", "q", "wrong"], sort=False)["recomputations"].mean().to_numpy()
    )
    shares = shares[shares["n"].isin(TABLED) & (shares["q"] < 0.7)]
    columns = ["protocol", "n", "q", "closed form", "mean", "low", "high", "recomputations"]
    return {
        "Share misjudged with exactly so many dishonest verifiers": counted.rename(
            columns={True: "wrong result stands", False: "right result falls"}
        ).reset_index(),
        "Wrong results that stand, each verifier being dishonest with probability q; recomputations of the whole": (
            shares[shares["wrong"]][columns]
        ),
        "Right results that fall": shares[~shares["wrong"]][columns],
        "Any one may challenge, honest verifiers look now and then: a wrong result stands": results["lazy"],
    }
