"""Whether slashing deters cheating: providers, auditors and rivals who learn what pays, against closed forms."""

import pandas as pd
from matplotlib.figure import Figure

from experiments import plots, statistics
from experiments.claims import Judgement, Results, Size, Verdict
from experiments.claims._prose import part
from experiments.claims.slashing_deters_cheating import coalitions, runs
from experiments.claims.slashing_deters_cheating.coalitions import OWNERS
from experiments.claims.slashing_deters_cheating.deterrence import MARKET, RULES
from experiments.claims.slashing_deters_cheating.runs import (
    AUDIT,
    FALSE_COST,
    LOT,
    MARGIN,
    OPEN,
    PROBABILITIES,
    RECKONED,
    STAKE,
    UNRECKONED,
    VOLUNTEERS,
    leaving,
)
from experiments.statistics import AMOUNT, REAL, SHARE
from verification.economics.deterrence import least_audit_probability

TITLE = "Slashing deters cheating"
PART = "verification"
SECTION = "5"
STATEMENT = (
    "If at any point there is a discrepancy between the challenged inference and the recomputed inference, the "
    "challenger and service providers are rewarded and the challenged service provider is punished. Punishments result "
    "in nefarious providers being removed from the network with prejudice and the invalid transaction being reversed."
)
SAFE = 0.05
MANY_OPEN = (12, 40)
LEAGUE = MARKET.coalition_share
VARIED = {
    "audit": "{one_lease.p:%}, and the market's",
    "stake": "{one_lease.ratio} times what deters",
    "open leases": "{open_leases.W}",
    "friends in the lot": "{friends.q:%}",
    "bond": "{griefing.bond} prices",
}
FIXED = {
    "agents": "imitate who fares better; no other learning",
    "detection": "exact: an audited cheat is found",
    "tasks": "of one price in the games",
}


def run(size: Size, block: int = 0) -> Results:
    """Every game, seed by seed."""
    return runs.play(size, block)


def unsafe(results: Results) -> dict[str, float]:
    """Share that cheats or griefs where the print leaves open what decides it, with the margin on one lease."""
    leases, puppets, friends = results["open_leases"], results["puppets"], results["friends"]
    auditors, griefing = results["auditors"], results["griefing"]
    one_stake = leases[leases["rule"] == RULES[0]].groupby("W")["cheat"].mean()
    returned = leases[leases["rule"] == RULES[2]].groupby("W")["cheat"].mean()
    few, many = MANY_OPEN
    unreckoned = friends[(friends["reckoned"] == UNRECKONED) & (friends["q"] == float(LEAGUE))]
    shares = {
        f"cheat with {few} open leases on one stake": one_stake[few],
        f"with {many}": one_stake[many],
        "with stakes that return when the key falls elsewhere": max(returned[few], returned[many]),
        f"with {part(float(LEAGUE))} of a lot that was thought to hold no friend": unreckoned["cheat"].mean(),
        "when their sock-puppet earns the stake": puppets[(puppets["share"] == 1) & (puppets["first"] == 1)][
            "cheat"
        ].mean(),
        "under auditors who live on catches": auditors[auditors["setting"] == VOLUNTEERS]["cheat"].mean(),
        "challenge without cause where no bond is asked": griefing[griefing["bond"] == 0]["griefs"].mean(),
    }
    return {what: float(share) for what, share in shares.items() if share >= SAFE}


def ruled(results: Results) -> float:
    """The largest share that cheats or griefs in any of these settings under what the market's rules say of it."""
    leases, friends = results["open_leases"], results["friends"]
    auditors, griefing = results["auditors"], results["griefing"]
    settings = (
        leases[leases["rule"] == RULES[1]].groupby("W")["cheat"].mean(),
        friends[(friends["reckoned"] == RECKONED) & (friends["q"] <= float(LEAGUE))].groupby("q")["cheat"].mean(),
        auditors[auditors["setting"] == LOT].groupby("setting")["cheat"].mean(),
        griefing[griefing["bond"] == float(MARKET.bond_prices)].groupby("bond")["griefs"].mean(),
    )
    return float(pd.concat(settings).max())


def check(results: Results) -> Verdict:
    """The criterion on the games."""
    one = results["one_lease"].groupby(["p", "ratio"], as_index=False)[["cheat", "cheat, own experience"]].mean()
    safe, weak = one[one["ratio"] >= float(MARGIN)], one[one["ratio"] < 1.0]
    failing = unsafe(results)
    verdict: Judgement = "refuted" if (safe["cheat"] >= SAFE).any() else "qualified" if failing else "upheld"
    league = results["coalitions"]
    league = league[(league["coalition"] == coalitions.BOTH) & (league["part"] == float(LEAGUE))].iloc[0]
    volunteers = results["auditors"][results["auditors"]["setting"] == VOLUNTEERS]["cheat"].mean()
    shares = ", ".join(f"{share:.0%} {what}" for what, share in failing.items())
    needed = least_audit_probability(LEAGUE, MARKET.sigma, MARKET.challenger_share)
    return Verdict(
        verdict,
        f"at most {safe['cheat'].max():.1%} cheat where p ((1 - q)(1 + S) - q κ) is {part(float(MARGIN - 1))} above κ, "
        f"at least {weak['cheat'].min():.0%} where it is below",
        "One lease at a time, comparison exact, audits by lot: the closed form holds, also with friends among the "
        "verifiers. What the print leaves open is "
        + (f"not safe with the same margin: {shares}. " if failing else "safe with the same margin. ")
        + f"Under the market's rules (stakes of {MARKET.sigma} prices a lease, {AUDIT} of results audited where "
        f"{float(needed):.3f} is needed, {MARKET.challenger_share} of a stake to the challenger, bonds of "
        f"{MARKET.bond_prices} prices) at most {ruled(results):.1%} do either. A provider that holds "
        f"{part(float(LEAGUE))} of the lot gains {league['gain']:.3f} prices a cheat ({league['gain, low']:.3f} to "
        f"{league['gain, high']:.3f}; closed form {league['gain, closed form']:.3f}), and {league['escaped']:.1%} "
        f"escape. Auditors who live on catches leave {volunteers:.1%} of the leases cheated on, never none.",
    )


def headline(results: Results) -> tuple[str, Figure]:
    """What the page's head says of it."""
    few = MANY_OPEN[0]
    leases = results["open_leases"]
    one_stake = float(leases[(leases["rule"] == RULES[0]) & (leases["W"] == few)]["cheat"].mean())
    shares = {f"one stake behind {few} open leases": one_stake, "a stake a lease": ruled(results)}
    said = (
        f"Slashing deters where every lease has its stake. As printed one stake stands behind all, and {one_stake:.0%} "
        "of the leases are cheated on."
    )
    return said, plots.bars(shares, [f"{share:.0%} cheated on" for share in shares.values()])


def figures(results: Results) -> dict[str, Figure]:
    """One lease; open leases; friends; auditors; sock-puppets and bonds; coalitions; false accusations; delay."""
    one, (left, right) = plots.canvas(2, width=10.0, sharey=True)
    for axes, column, title in (
        (left, "cheat", "who see how others fare"),
        (right, "cheat, own experience", "who see only their own payoffs"),
    ):
        shown = plots.colours(f"p = {float(p):g}" for p in PROBABILITIES)
        named = results["one_lease"].assign(name=results["one_lease"]["p"].map("p = {:g}".format))
        plots.means(axes, named, "ratio", "name", column, shown)
        axes.axvline(1.0, color=plots.MUTED, linestyle=":")
        axes.set(title=f"Providers {title}", xlabel="p ((1 - q)(1 + S) - q κ) / κ")
        plots.percent(axes)
    left.set_ylabel("leases cheated on")
    plots.legend(right)

    leases, (left, right) = plots.canvas(2, width=11.0, sharey=True)
    plots.means(left, results["open_leases"], "W", "rule", "cheat", plots.colours(RULES))
    left.set(xscale="log", xlabel="leases open at once", ylabel="leases cheated on", xticks=OPEN, xticklabels=OPEN)
    left.minorticks_off()
    plots.percent(left)
    plots.legend(left)
    friends = results["friends"].assign(stake=results["friends"]["reckoned"].map("stake reckoned with {}".format))
    plots.means(right, friends, "q", "stake", "cheat", plots.colours(friends["stake"].unique()))
    right.axvline(float(LEAGUE), color=plots.MUTED, linestyle=":")
    right.set(xlabel="part of the lot that the coalition holds")
    plots.percent(right, "both")
    plots.legend(right)

    audits, (left, right) = plots.canvas(2, width=10.0, height=3.0, sharey=True)
    means = results["auditors"].groupby("setting", sort=False).mean(numeric_only=True).iloc[::-1]
    for axes, column, label in ((left, "cheat", "leases cheated on"), (right, "look", "leases looked at by auditors")):
        axes.barh(means.index, means[column], color=plots.PALETTE[3], height=0.55, label="simulation")
        axes.plot(
            means[f"{column}, closed form"], means.index, "|", color=plots.INK, markersize=14, label="closed form"
        )
        axes.set_xlabel(label)
        axes.grid(axis="y", visible=False)
        plots.percent(axes, "x")
    plots.legend(right)

    money, (left, right) = plots.canvas(2, width=10.0)
    puppets = results["puppets"].assign(race=results["puppets"]["first"].map("it is first in {:.0%}".format))
    plots.means(left, puppets, "share", "race", "cheat", plots.colours(puppets["race"].unique()))
    left.set(xlabel="share of the stake to the challenger", ylabel="leases cheated on", title="A cheat's sock-puppet")
    left.legend()
    griefing = results["griefing"].assign(all="griefing")
    plots.means(right, griefing, "bond", "all", "griefs", {"griefing": plots.PALETTE[3]})
    right.axvline(griefing["threshold"].iloc[0], color=plots.MUTED, linestyle=":")
    right.set(xlabel="bond, prices of a lease", ylabel="providers who grief", title="Rivals without cause")
    plots.percent(left, "both")
    plots.percent(right)

    league, (left, right) = plots.canvas(2, width=10.0)
    found = results["coalitions"]
    shown = plots.colours(coalitions.ORDER)
    for name, own in found.groupby("coalition", sort=False):
        for axes, column in ((left, "escaped"), (right, "gain")):
            error = [own[column] - own[f"{column}, low"], own[f"{column}, high"] - own[column]]
            axes.errorbar(own["part"], own[column], error, fmt="o", markersize=4, color=shown[name], label=name)
            axes.plot(own["part"], own[f"{column}, closed form"], color=shown[name])
            axes.set_xlabel("part of the lot held; of the results looked at")
            plots.percent(axes, "both" if axes is left else "x")
    right.axhline(0.0, color=plots.MUTED, linestyle=":")
    left.set_ylabel("wrong results that stand")
    right.set_ylabel("gain of a wrong result, prices")
    league.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2)

    accused, (left, right) = plots.canvas(2, width=10.0)
    melted = results["accusations"].melt(["seed", "f"], ["honest", "cheat", "leave"], "option", "share")
    plots.means(left, melted, "f", "option", "share", plots.colours(("cheat", "leave", "honest")))
    left.axvline(float(leaving()), color=plots.MUTED, linestyle=":")
    left.set(xlabel="false accusations an audit", ylabel="providers", title="False accusations")
    left.legend(loc="center left")
    plots.percent(left, "both")
    delay = results["delay"]
    shown = plots.colours(delay["disputes"].unique())
    plots.means(right, delay, "k", "disputes", "minutes", shown, AMOUNT)
    for label in shown:
        own = delay[delay["disputes"] == label].drop_duplicates("k")
        right.plot(own["k"], own["closed form"], "_", color=plots.INK, markersize=10)
    right.set(xscale="log", yscale="log", xlabel="dishonest challengers", ylabel="minutes to a final result")
    right.set_title("Delay")
    right.legend()
    margin = part(float(MARGIN - 1))
    return {
        "One lease at a time: who still cheats; dotted, where the closed form puts the edge.": one,
        f"Where one lease alone is deterred with a margin of {margin}. Left: several leases at once. Right: friends "
        f"among the verifiers; dotted, {RECKONED}.": leases,
        "The verifier's dilemma: averages over time, and the closed form's equilibrium.": audits,
        "Left: the challenger's reward goes to the cheat's own sock-puppet. Right: challenging a rival bars it for a "
        "window; dotted, the bond at which that stops paying.": money,
        "Coalitions under the market's rules: lines in closed form, dots by the market's own draws, 95 % intervals.": (
            league
        ),
        "Left: honest providers accused falsely; dotted, where the closed form has them leave. Right: when a result is "
        "final, dashes being the closed form.": accused,
    }


OTHERS = {"gain": REAL, "spent": AMOUNT, "done": AMOUNT, "minutes": AMOUNT}
"""Measured columns that are no shares, by what they can be: more work may be done than arrives meanwhile."""


def _table(results: Results, name: str, by: list[str], measured: dict[str, str]) -> pd.DataFrame:
    """One row a setting; measured columns as mean and 95 % interval over seeds, the others, all equal, as they are."""
    rows = []
    for key, group in results[name].groupby(by, sort=False):
        row: dict[str, object] = dict(zip(by, key, strict=True))
        for column in group.columns.drop(["seed", *by], errors="ignore"):
            if column in measured:
                form = measured[column]
                mean, low, high = statistics.mean_interval(group[column], OTHERS.get(column, SHARE))
                row[column] = f"{mean:{form}} ({low:{form}} to {high:{form}})"
            else:
                row[column] = group[column].iloc[0]
        rows.append(row)
    return pd.DataFrame(rows)


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Every game, simulation beside closed form."""
    share = ".1%"
    q = part(float(LEAGUE))
    return {
        f"One lease at a time (κ = 1, q = {LEAGUE}): gain by cheating, and leases cheated on": _table(
            results, "one_lease", ["p", "ratio"], {"gain": ".3f", "cheat": share, "cheat, own experience": share}
        ),
        f"W open leases, p = {AUDIT}, one alone deterred with a margin of {part(float(MARGIN - 1))}: prices staked, "
        "the most a cheat gains a lease, whether the closed form deters, leases cheated on": _table(
            results, "open_leases", ["W", "rule"], {"cheat": share}
        ),
        f"Friends among the verifiers, p = {AUDIT}: stakes that reckon with {q} of the lot, and with none": _table(
            results, "friends", ["reckoned", "q"], {"cheat": share}
        ),
        f"Nobody orders the audits, stake {float(STAKE):.1f}: leases cheated on, looked at, and spent on audits and "
        "jackpots a lease": _table(results, "auditors", ["setting"], {"cheat": share, "look": share, "spent": ".3f"}),
        "A sock-puppet that challenges first: share of the stake to it, prices lost by the coalition, gain by "
        "cheating": _table(results, "puppets", ["first", "share"], {"cheat": share}),
        "Challenging a rival without cause: who does, arriving work that is done; harm to the rival, cost to the "
        "attacker, damage with recomputation over that cost, and the bond that ends it, in prices": _table(
            results, "griefing", ["bond"], {"griefs": share, "done": share}
        ),
        "Wrong results under the market's rules, drawn as the market draws: share that escapes and gain in prices, "
        f"with 95 % intervals beside closed forms; a part of {OWNERS} owners, or of the results looked at": (
            results["coalitions"]
        ),
        f"The fund, begun with {MARKET.fund_prices} largest prices: what an order brings it and the coalition, funds "
        "that ran out, and the bound for every strategy": results["funds"],
        f"False accusations at rate f, p = {AUDIT}, κ = {float(FALSE_COST):g}: payoffs a lease, the best of them, and "
        "what providers do": _table(results, "accusations", ["f"], {"honest": share, "cheat": share, "leave": share}),
        "Minutes to a final result with k dishonest challengers, who lose so many prices by it": _table(
            results, "delay", ["disputes", "k"], {"minutes": ".1f"}
        ),
    }
