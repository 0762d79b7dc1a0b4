"""Whether several verifiers need full trust: one, all in agreement, a majority, and any one who wins a dispute."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.random import Generator

from experiments import plots, statistics
from experiments.claims import Judgement, Results, Size, Verdict
from experiments.claims.several_verifiers_require_full_trust.chain import STEPS
from experiments.claims.several_verifiers_require_full_trust.protocols import (
    ABSENT,
    ALL,
    ANY,
    MAJORITY,
    ONE,
    PROTOCOLS,
    challenge,
    expected,
)
from experiments.progress import track
from experiments.statistics import SHARE

TITLE = "Several verifiers require full trust"
PART = "verification"
SECTION = "5"
STATEMENT = (
    "Note that using multiple providers to verify the challenged inference requires full trust since 1-of-n dishonest "
    "parties nullifies the correctness of the proof."
)
VERIFIERS = (1, 3, 5, 9, 15)

# Trials of each setting with a right and with a wrong result: by votes, and by disputes
GRID = {"tiny": (30, 3), "small": (400, 100), "full": (5000, 1000)}
DISPUTED = (ANY, ABSENT)
TABLED = (1, 3, 9)
SHARES = (0.1, 0.3, 0.5, 0.7)
LOOKING = (1.0, 0.5, 0.1)  # how often an honest verifier recomputes, where any one may challenge
VARIED = {
    "verifiers": "{shares.n}",
    "dishonest share": "{shares.q:%}",
    "rule": "{shares.protocol}",
    "how often an honest one looks": "{lazy.looking:%}",
}
FIXED = {
    "computation": "a chain of 64 steps",
    "dishonest verifiers": "collude, with one other result",
}


def run(size: Size, block: int = 0) -> Results:
    """Each protocol with m dishonest of n, with a share of dishonest ones, and with verifiers who seldom look."""
    rng = np.random.default_rng(block)
    counted, shares, lazy = [], [], []
    for n in track(VERIFIERS, "verifiers"):
        for name, protocol in PROTOCOLS.items():
            trials = GRID[size][name in DISPUTED]
            for m in sorted({1, (n - 1) // 2, n - 1} - {0}) if n > 1 else ():
                honest = np.arange(n) >= m
                for wrong in (True, False):
                    stand = [protocol(rng.permutation(honest), wrong, rng).stands for _ in range(trials)]
                    counted.append((name, n, m, wrong, np.mean(np.array(stand) == wrong)))
            for q in SHARES:
                shares += _draws(name, n, q, trials, rng)
        for looking in LOOKING:
            for q in SHARES[1:3]:
                made = [challenge(rng.random(n) >= q, True, rng, looking) for _ in range(GRID[size][1])]
                stands, steps = np.mean(made, axis=0)
                lazy.append((n, q, looking, stands, expected(ANY, n, q, looking)[0], steps / STEPS))
    return {
        "counted": pd.DataFrame(counted, columns=["protocol", "n", "dishonest", "wrong", "misjudged"]),
        "shares": pd.DataFrame(
            shares, columns=["protocol", "n", "q", "wrong", "misjudged", "closed form", "recomputations"]
        ),
        "lazy": pd.DataFrame(lazy, columns=["n", "q", "looking", "stands", "closed form", "recomputations"]),
    }


def _draws(name: str, n: int, q: float, trials: int, rng: Generator) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for wrong, closed in zip((True, False), expected(name, n, q), strict=True):
        for _ in range(trials):
            judged = PROTOCOLS[name](rng.random(n) >= q, wrong, rng)
            rows.append((name, n, q, wrong, float(judged.stands == wrong), closed, judged.steps / STEPS))
    return rows


def tolerates(results: Results) -> dict[str, bool]:
    """Of the protocols with several verifiers: whether all results are judged rightly with m = 1, and with n - 1."""
    counted = results["counted"][results["counted"]["protocol"] != ONE]
    single = counted[counted["dishonest"] == 1].groupby("protocol")["misjudged"].max()
    most = counted[counted["dishonest"] == counted["n"] - 1].groupby("protocol")["misjudged"].max()
    return {"one": bool((single == 0).any()), "all but one": bool((most == 0).any())}


def whoever_is_offline(results: Results) -> Judgement:
    """The criterion by the words before: results whose provider is offline are results of the same protocol."""
    counted = results["counted"].replace({"protocol": {ABSENT: ANY}})
    return _judged(tolerates(results | {"counted": counted}))


def _judged(tolerance: dict[str, bool]) -> Judgement:
    return "refuted" if tolerance["all but one"] else "qualified" if tolerance["one"] else "upheld"


def check(results: Results) -> Verdict:
    """The criterion on the trials."""
    verdict = _judged(tolerates(results))
    shares = results["shares"]
    wrong = shares[shares["wrong"] & (shares["q"] == 0.3) & (shares["n"] == 9)].groupby("protocol")["misjudged"].mean()
    right = shares[~shares["wrong"] & (shares["q"] == 0.3) & (shares["n"] == 9)]
    right_of = right.groupby("protocol")["misjudged"].mean()
    costs = right.groupby("protocol")["recomputations"].mean()
    return Verdict(
        verdict,
        f"with 30 % of nine verifiers dishonest a wrong result stands in {wrong[ANY]:.1%} of trials if any one may "
        f"challenge, {wrong[MAJORITY]:.0%} under majority, {wrong[ONE]:.0%} with one verifier, {wrong[ALL]:.0%} if "
        "all must agree",
        "The sentence is true where all must agree, and of the single verifier that the whitepaper assigns, who must "
        "be trusted wholly. Where anyone may challenge and a referee recomputes the one step at which two traces part, "
        "one honest verifier who looks is enough and no false challenge wins: where the provider answers, n - 1 of n "
        "may be dishonest. The referee's one step is what is trusted, and anyone repeats it from the record. A right "
        "result whose provider is offline falls if both deputies that are drawn are dishonest, here in "
        f"{right_of[ABSENT]:.1%} of trials, and no coordinator can recompute it. A right result costs "
        f"{costs[ANY]:.1f} recomputations if every honest verifier looks, {costs[MAJORITY]:.0f} under majority, "
        f"{costs[ONE]:.0f} with one verifier.",
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
    shares = statistics.summary(results["shares"], ["protocol", "n", "q", "wrong", "closed form"], "misjudged", SHARE)
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
