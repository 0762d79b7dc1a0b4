"""The gap on the marketplace of real cards, prices and requests, and what it is sensitive to."""

import pandas as pd
from matplotlib.figure import Figure

from auction.data.traces import data_directory
from experiments import plots, statistics, sweep
from experiments.claims import Judgement, Results, Size, Verdict
from experiments.claims._gap_verdict import judged
from experiments.statistics import SHARE
from experiments.sweep import BEST_VARIANT, COLOURS, GREEDY, MAIN, PRINTED, VARIANTS, Draw, Plan, seed_range

TITLE = "The gap on real input"
PART = "allocation"
SECTION = "4.2"
STATEMENT = (
    "Following Zhai et. al. (2018) and Jiang et. al. (2021), our scheduling mechanism invokes a bid density (bd) "
    "mechanism to push bids for efficient allocations."
)

# Tasks, providers, seeds and seconds at the defaults; the same for each setting varied
GRID = {
    "tiny": ((10, 20, 2, 2.0), (6, 12, 1, 1.0)),
    "small": ((100, 200, 10, 8.0), (40, 80, 6, 3.0)),
    "full": ((200, 400, 20, 60.0), (100, 200, 20, 20.0)),
}
SETTINGS = {
    "markup": (1.1, 1.5, 2.0, 3.0),
    "extra_cost_share": (0.1, 0.2, 0.4, 0.8),
    "supply": (0.25, 0.5, 1.0, 2.0, 4.0),
}
NAMES = {
    "markup": "median mark-up",
    "extra_cost_share": "e / v at the median task",
    "supply": "work on offer / work demanded",
}
VARIED = {NAMES[option]: ", ".join(map(str, values)) for option, values in SETTINGS.items()}
FIXED = {
    "model types": "{base.types}; the printed gap runs from 49 % to 73 % over 1 to 6",
    "length of a round": "30 s; the best variant's gap runs from 9 % to 75 % over it",
    "size": "{base.tasks} tasks, {base.providers} providers; varied settings on {varied.tasks} and {varied.providers}",
    "speeds of cards": "a roofline",
}


def run(size: Size, block: int = 0) -> Results:
    """The gap at the defaults, and with one setting varied at a time."""
    (m, n, seeds, limit), (small_m, small_n, small_seeds, small_limit) = GRID[size]
    base = _gaps([Draw("marketplace", m, n, seed) for seed in seed_range(seeds, block)], limit, "marketplace")
    varied = [
        _gaps(
            [
                Draw("marketplace", small_m, small_n, s, 3, {option: v})
                for v in values
                for s in seed_range(small_seeds, block)
            ],
            small_limit,
            f"marketplace, {option}",
        )
        .rename(columns={f"option_{option}": "setting"})
        .assign(option=option)
        for option, values in SETTINGS.items()
    ]
    return {
        "base": base.assign(data="trace files" if data_directory("") else "embedded quantiles of the traces"),
        "varied": pd.concat(varied, ignore_index=True),
    }


def _gaps(draws: list[Draw], limit: float, what: str) -> pd.DataFrame:
    plans = [*VARIANTS, *GREEDY, *sweep.exact(limit, ["ilp_pulp"]), Plan("LP relaxation", "lp_bound", {}, limit)]
    runs = sweep.with_best_variant(sweep.run(draws, plans, "bundle", what))
    return runs[(runs["best"] > 0) & (runs["solver"] != "LP relaxation")]


def _mean(runs: pd.DataFrame, solver: str) -> tuple[float, float, float]:
    return statistics.mean_interval(runs[runs["solver"] == solver]["gap"], SHARE)


def _verdict(runs: pd.DataFrame) -> Judgement:
    return judged(_mean(runs, PRINTED.label)[0], _mean(runs, BEST_VARIANT)[0])


def check(results: Results) -> Verdict:
    """The criterion at the defaults and at every setting."""
    base, varied = results["base"], results["varied"]
    verdicts = {_verdict(base)} | {_verdict(own) for _, own in varied.groupby(["option", "setting"])}
    printed, best, greedy = (_mean(base, label) for label in MAIN)
    worst = base["gap_bound"][base["solver"] == PRINTED.label].mean()
    settings = varied[varied["solver"] == PRINTED.label].groupby(["option", "setting"])["gap"].mean()
    return Verdict(
        verdicts.pop() if len(verdicts) == 1 else "qualified",
        f"{printed[0]:.1%} ({printed[1]:.1%} to {printed[2]:.1%}) of the optimal welfare is lost",
        f"On {base['market'].nunique()} markets of {base['tasks'].max()} tasks and {base['providers'].max()} providers "
        f"({base['data'].iloc[0]}); against the proven bound {worst:.1%}. Best variant with hindsight: {best[0]:.1%} "
        f"({best[1]:.1%} to {best[2]:.1%}); greedy by value per unit of demand: {greedy[0]:.1%}. Over mark-up, extra "
        f"cost and scarcity the printed auction's mean gap runs from {settings.min():.0%} to {settings.max():.0%}.",
    )


def figures(results: Results) -> dict[str, Figure]:
    """Profiles at the defaults; the mean gap over each setting."""
    base = results["base"]
    profile, (axes,) = plots.canvas(width=9.0)
    plots.profiles(axes, base, "solver", "gap", COLOURS)
    axes.set(xlabel="gap at most", ylabel="share of markets")
    plots.legend(axes)

    sensitivity, panels = plots.canvas(3, width=10.5, sharey=True)
    for axes, (option, values) in zip(panels, SETTINGS.items(), strict=True):
        own = results["varied"][results["varied"]["option"] == option]
        plots.means(axes, own, "setting", "solver", "gap", MAIN)
        axes.set(xlabel=NAMES[option], xscale="log", ylim=(0, 1.02))
        axes.set_xticks(values, [f"{value:g}" for value in values])
        axes.minorticks_off()
    plots.percent(panels[0])
    panels[0].set_ylabel("mean gap")
    plots.legend(panels[2])
    size = f"{base['tasks'].max()} × {base['providers'].max()}"
    return {
        f"Performance profile on marketplaces of {size}: in what share of them is the gap at most x?": profile,
        "How the mean gap moves with what nobody has published: mark-up, alpha, scarcity": sensitivity,
    }


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Gaps at the defaults, to the best known welfare and to the bound, and over the settings."""
    base, varied = results["base"], results["varied"]
    shown = varied[varied["solver"].isin(MAIN)]
    return {
        "Gap at the defaults, to the best known welfare": statistics.summary(base, ["solver"], "gap", SHARE),
        "Gap at the defaults, to the proven bound": statistics.summary(base, ["solver"], "gap_bound", SHARE),
        "Gap over mark-up, extra cost and scarcity": statistics.summary(
            shown, ["option", "setting", "solver"], "gap", SHARE
        ),
    }
