"""Whether slashing deters cheating: providers, auditors and rivals who learn what pays, against closed forms."""

import pandas as pd
from matplotlib.figure import Figure

from experiments import plots, statistics
from experiments.claims import Judgement, Results, Size, Verdict
from experiments.claims._prose import number, part, percent
from experiments.claims.slashing_deters_cheating import runs
from experiments.claims.slashing_deters_cheating.challengers import Delay
from experiments.claims.slashing_deters_cheating.deterrence import RULES
from experiments.claims.slashing_deters_cheating.runs import (
    AUDIT,
    COST,
    DETECTION,
    MARGIN,
    OPEN,
    PROBABILITIES,
    STAKE,
    VOLUNTEERS,
    leaving,
)

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
CRITERION = (
    f"Agents choose by experienced payoff; a setting is safe if fewer than {percent(SAFE)} of tasks are cheated on, or "
    "of providers challenge without cause. Refuted if one task at a time, audited by the system and with the whole "
    f"stake lost, is not safe somewhere although p d (P + S) is {part(MARGIN - 1)} or more above kappa. Upheld if, "
    f"with that margin, what the print leaves open is safe too: {' and '.join(map(number, MANY_OPEN))} open tasks on "
    "one stake, the stake paid to whoever challenges first, auditors who live on the cheats they catch, and challenges "
    "without a bond. Qualified otherwise."
)


def run(size: Size) -> Results:
    """Every game, seed by seed."""
    return runs.play(size)


def unsafe(results: Results) -> dict[str, float]:
    """Share that cheats or griefs where the print leaves open what decides it, with a quarter's margin on one task."""
    tasks, puppets = results["open_tasks"], results["puppets"]
    auditors, griefing = results["auditors"], results["griefing"]
    one_stake = tasks[tasks["rule"] == RULES[0]].groupby("W")["cheat"].mean()
    reward = puppets[(puppets["burnt"] == 0) & (puppets["first"] == 1)]["cheat"].mean()
    few, many = MANY_OPEN
    shares = {
        f"cheat with {few} open tasks on one stake": one_stake[few],
        f"with {many}": one_stake[many],
        "when their sock-puppet earns the stake": reward,
        "under auditors who live on catches": auditors[auditors["setting"] == VOLUNTEERS]["cheat"].mean(),
        "challenge without cause where no bond is asked": griefing[griefing["bond"] == 0]["griefs"].mean(),
    }
    return {what: float(share) for what, share in shares.items() if share >= SAFE}


def check(results: Results) -> Verdict:
    """The criterion on the games."""
    one = results["one_task"].groupby(["p", "ratio"], as_index=False)[["cheat", "cheat, own experience"]].mean()
    safe, weak = one[one["ratio"] >= MARGIN], one[one["ratio"] < 1.0]
    failing = unsafe(results)
    verdict: Judgement = "refuted" if (safe["cheat"] >= SAFE).any() else "qualified" if failing else "upheld"
    tasks = results["open_tasks"]
    every = tasks[tasks["rule"] != RULES[0]]["cheat"].groupby([tasks["W"], tasks["rule"]]).mean().max()
    auditors = results["auditors"]
    volunteers = auditors[auditors["setting"] == VOLUNTEERS]["cheat"].mean()
    return Verdict(
        verdict,
        f"at most {safe['cheat'].max():.1%} cheat where p d (P + S) is a quarter above kappa, at least "
        f"{weak['cheat'].min():.0%} where it is below",
        "One task at a time, stake burnt, audits by the system: the closed form holds. What the print leaves open is "
        + (
            f"not safe with the same margin: {', '.join(f'{share:.0%} {what}' for what, share in failing.items())}. "
            if failing
            else "safe with the same margin. "
        )
        + f"A stake per open task, or auditing all that a caught provider has open, brings cheating to {every:.1%} at "
        "most; so do burning the stake and a bond above what a barred rival's tasks are worth. Auditors who live on "
        f"catches leave {volunteers:.1%} of the tasks cheated on, never none.",
    )


def figures(results: Results) -> dict[str, Figure]:
    """One task; open tasks; auditors; sock-puppets and bonds; false accusations; delay."""
    one, (left, right) = plots.canvas(2, width=10.0, sharey=True)
    for axes, column, title in (
        (left, "cheat", "who see how others fare"),
        (right, "cheat, own experience", "who see only their own payoffs"),
    ):
        shown = plots.colours(f"p = {p:g}" for p in PROBABILITIES)
        named = results["one_task"].assign(name=results["one_task"]["p"].map("p = {:g}".format))
        plots.means(axes, named, "ratio", "name", column, shown)
        axes.axvline(1.0, color=plots.MUTED, linestyle=":")
        axes.set(title=f"Providers {title}", xlabel="p d (P + S) / κ")
        plots.percent(axes)
    left.set_ylabel("tasks cheated on")
    plots.legend(right)

    tasks, (axes,) = plots.canvas(width=9.0)
    plots.means(axes, results["open_tasks"], "W", "rule", "cheat", plots.colours(RULES))
    axes.set(xscale="log", xlabel="tasks open at once", ylabel="tasks cheated on", xticks=OPEN, xticklabels=OPEN)
    axes.minorticks_off()
    plots.percent(axes)
    plots.legend(axes)

    audits, (left, right) = plots.canvas(2, width=10.0, height=3.0, sharey=True)
    means = results["auditors"].groupby("setting", sort=False).mean(numeric_only=True).iloc[::-1]
    for axes, column, label in ((left, "cheat", "tasks cheated on"), (right, "look", "tasks looked at by auditors")):
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
    plots.means(left, puppets, "burnt", "race", "cheat", plots.colours(puppets["race"].unique()))
    left.set(xlabel="share of the stake that is burnt", ylabel="tasks cheated on", title="A cheat's sock-puppet")
    left.legend()
    griefing = results["griefing"].assign(all="griefing")
    plots.means(right, griefing, "bond", "all", "griefs", {"griefing": plots.PALETTE[3]})
    right.axvline(griefing["threshold"].iloc[0], color=plots.MUTED, linestyle=":")
    right.set(xlabel="bond, payments of a task", ylabel="providers who grief", title="Rivals without cause")
    plots.percent(left, "both")
    plots.percent(right)

    accused, (left, right) = plots.canvas(2, width=10.0)
    melted = results["accusations"].melt(["seed", "f"], ["honest", "cheat", "leave"], "option", "share")
    plots.means(left, melted, "f", "option", "share", plots.colours(("cheat", "leave", "honest")))
    left.axvline(leaving(), color=plots.MUTED, linestyle=":")
    left.set(xlabel="false accusations an audit", ylabel="providers", title="False accusations")
    left.legend(loc="center left")
    plots.percent(left, "both")
    delay = results["delay"]
    shown = plots.colours(delay["disputes"].unique())
    plots.means(right, delay, "k", "disputes", "minutes", shown)
    for label in shown:
        own = delay[delay["disputes"] == label].drop_duplicates("k")
        right.plot(own["k"], own["closed form"], "_", color=plots.INK, markersize=10)
    right.axvline(Delay(1, True).bound / Delay(1, True).reply, color=plots.MUTED, linestyle=":")
    right.set(xscale="log", yscale="log", xlabel="dishonest challengers", ylabel="minutes to a final result")
    right.set_title("Delay")
    right.legend()
    return {
        "One task at a time: who still cheats; dotted, where the closed form puts the edge.": one,
        "Several tasks at once, where one alone would be deterred with a quarter's margin.": tasks,
        "The verifier's dilemma: averages over time, and the closed form's equilibrium.": audits,
        "Left: the challenger's reward goes to the cheat's own sock-puppet. Right: challenging a rival bars it for a "
        "window; dotted, the bond at which that stops paying.": money,
        "Left: honest providers accused falsely; dotted, where the closed form has them leave. Right: when a result is "
        "final, dashes being the closed form; right of the dotted line an honest asserter misses its bound when all "
        "disputes run at once.": accused,
    }


def _table(results: Results, name: str, by: list[str], measured: dict[str, str]) -> pd.DataFrame:
    """One row a setting; measured columns as mean and 95 % interval over seeds, the others, all equal, as they are."""
    rows = []
    for key, group in results[name].groupby(by, sort=False):
        row: dict[str, object] = dict(zip(by, key, strict=True))
        for column in group.columns.drop(["seed", *by], errors="ignore"):
            if column in measured:
                mean, low, high = statistics.mean_interval(group[column])
                form = measured[column]
                row[column] = f"{mean:{form}} ({low:{form}} to {high:{form}})"
            else:
                row[column] = group[column].iloc[0]
        rows.append(row)
    return pd.DataFrame(rows)


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Every game, simulation beside closed form."""
    share = ".1%"
    given = f"P = 1, kappa = {COST:g}, d = {DETECTION:g}"
    return {
        f"One task at a time ({given}): gain by cheating, and tasks cheated on": _table(
            results, "one_task", ["p", "ratio"], {"gain": ".3f", "cheat": share, "cheat, own experience": share}
        ),
        f"W open tasks, p = {AUDIT:g}, one task alone deterred with a quarter's margin: stake, the most a cheat gains "
        "a task, whether the closed form deters, tasks cheated on": _table(
            results, "open_tasks", ["W", "rule"], {"cheat": share}
        ),
        f"Nobody orders the audits, stake {STAKE:.1f}: tasks cheated on, looked at, and spent on audits and jackpots "
        "a task": _table(results, "auditors", ["setting"], {"cheat": share, "look": share, "spent": ".3f"}),
        "A sock-puppet that challenges first: share burnt, stake lost by the coalition, gain by cheating": _table(
            results, "puppets", ["first", "burnt"], {"cheat": share}
        ),
        "Challenging a rival without cause: who does, arriving work that is done; harm to the rival, cost to the "
        "attacker, damage with recomputation over that cost, and the bond that ends it, in payments": _table(
            results, "griefing", ["bond"], {"griefs": share, "done": share}
        ),
        f"False accusations at rate f, p = {AUDIT:g}: payoffs a task, the best of them, and what providers do": _table(
            results, "accusations", ["f"], {"honest": share, "cheat": share, "leave": share}
        ),
        "Minutes to a final result with k dishonest challengers, and how often an honest asserter is late": _table(
            results, "delay", ["disputes", "k"], {"minutes": ".1f", "late": ".0%"}
        ),
    }
