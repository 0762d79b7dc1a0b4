"""Whether the algorithm as printed runs, and what each defect of the print does when all others are corrected."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from auction.printed import DEFECTS
from auction.printed.walk import WALK, beyond_slots, held, prices, returns, uncovered
from experiments import plots, statistics
from experiments.claims import Judgement, Results, Size, Verdict
from experiments.progress import track
from experiments.sweep import FAMILIES, Draw, seed_range

TITLE = "The printed algorithm"
PART = "mechanism"
SECTION = "4, 4.1, 4.2"
STATEMENT = "The main combinatorial double auction resource allocation algorithm is presented below."
MANY = 0.5  # of the markets

GRID = {"tiny": (8, 16, 1), "small": (20, 40, 5), "full": (100, 200, 10)}  # tasks, providers, seeds
LITERAL = WALK - {17}
FIGURES = {
    "line 27 is reached": returns,
    "allocated pairs that X still holds": held,
    "winners that lack requests": uncovered,
    "pairs beyond the provider's slots": beyond_slots,
}
VARIED = {
    "line of the print": "each as printed, all others corrected",
    "family": "{defects.family:count} families",
    "markets": "seeds",
}
FIXED = {
    "size": "20 tasks, 40 providers",
    "model types": "3",
    "alpha, beta": "the families' own",
}


def run(size: Size, block: int = 0) -> Results:
    """The literal run, and every defect as printed and corrected, on markets of every family from embedded data."""
    tasks, providers, seeds = GRID[size]
    literal, rows = [], []
    options = {"marketplace": {"data": "embedded"}}
    draws = [
        Draw(family, tasks, providers, seed, options=options.get(family, {}))
        for family in FAMILIES
        for seed in seed_range(seeds, block)
    ]
    for draw in track(draws, "the printed algorithm"):
        market = draw.market()
        for lines, printed in (("as printed, q_i set", LITERAL), ("corrected", frozenset[int]())):
            found = prices(market, printed)
            figures = {name: figure(market, found) for name, figure in FIGURES.items()}
            literal.append({"family": draw.family, "seed": draw.seed, "lines": lines, "passes": found.passes} | figures)
        for defect in DEFECTS:
            rows += [
                (draw.family, draw.seed, defect.number, name, *measure(market))
                for name, measure in defect.measures.items()
            ]
    columns = ["family", "seed", "number", "measure", "as printed", "corrected"]
    return {"literal": pd.DataFrame(literal), "defects": pd.DataFrame(rows, columns=columns)}


def shown(results: Results) -> pd.DataFrame:
    """One row a measure, by number: means over the markets that show it, and how many those are."""
    found = results["defects"].dropna()
    means = found.groupby(["number", "measure"], sort=False)[["as printed", "corrected"]].mean()
    markets = found.groupby(["number", "measure"], sort=False).size().rename("markets")
    return means.join(markets).reset_index()


def errata(results: Results) -> pd.DataFrame:
    """The table of defects; those that stand in the text alone have no figures."""
    texts = pd.DataFrame([(d.number, d.where, d.printed, d.trouble) for d in DEFECTS])
    texts.columns = pd.Index(["number", "where", "printed", "trouble"])
    return texts.merge(shown(results), how="left", on="number").fillna({"measure": "in the text alone"})


def check(results: Results) -> Verdict:
    """The criterion on the literal run."""
    literal = results["literal"]
    printed = literal[literal["lines"] != "corrected"]
    sound = (printed["line 27 is reached"] == 1) & (printed["winners that lack requests"].fillna(0) == 0)
    mean, low, high = statistics.share_interval(int(sound.sum()), len(sound))
    verdict: Judgement = "upheld" if sound.all() else "refuted" if mean < MANY else "qualified"
    table = shown(results)
    differing = table[~np.isclose(table["as printed"], table["corrected"])]["number"].unique()
    lacking, over = printed["winners that lack requests"].mean(), printed["pairs beyond the provider's slots"].mean()
    return Verdict(
        verdict,
        f"line 27 is reached, with winners covered, on {mean:.0%} ({low:.0%} to {high:.0%}) of {len(printed)} markets",
        f"Stopped after {printed['passes'].min():,} to {printed['passes'].max():,} passes through the label Price, X "
        f"holds {printed['allocated pairs that X still holds'].mean():.0%} of what was allocated, {lacking:.0%} of the "
        f"winners lack requests and {over:.0%} of the pairs have no slot. Of {len(DEFECTS)} defects "
        f"{table['number'].nunique()} can be run, the others corrected, and {len(differing)} of these change a figure.",
    )


def figures(results: Results) -> dict[str, Figure]:
    """What is a share in each defect's figures, as printed and corrected."""
    table = shown(results)
    table = table[table[["as printed", "corrected"]].max(axis=1).le(1) & (table["as printed"] != table["corrected"])]
    figure, (axes,) = plots.canvas(width=9.0, height=0.24 * len(table) + 1.0)
    place = np.arange(len(table))
    axes.hlines(place, table["corrected"], table["as printed"], color=plots.GRID, linewidth=3)
    for name, colour in plots.colours(["as printed", "corrected"]).items():
        axes.scatter(table[name], place, s=24, color=colour, label=name, zorder=3)
    axes.set_yticks(place, [f"{row.number}: {row.measure}" for row in table.itertuples()], fontsize=8)
    axes.invert_yaxis()
    axes.axvline(0, color=plots.INK, linewidth=0.8)
    plots.legend(axes)
    return {"Each defect as printed and corrected, everything else corrected; means over markets": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """The errata, and the literal run by family."""
    literal = results["literal"].groupby(["lines", "family"], sort=False)[["passes", *FIGURES]].mean().reset_index()
    return {
        "Defects of the print; figures are means over markets, the other lines corrected": errata(results),
        "PRICES line by line": literal,
    }
