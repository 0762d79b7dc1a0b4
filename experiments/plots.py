"""The look of every figure, and the few kinds of figure the claims share."""

import re
from collections.abc import Iterable, Mapping
from io import StringIO

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from experiments import statistics

INK, MUTED, GRID = "#1c2430", "#6b7686", "#e3e7ec"
PALETTE = ("#c8402f", "#e39b2b", "#7a5aa6", "#2b6ca3", "#3a9a72", "#8a6d4b", "#5b6673", "#b84f86")
THEME = {f"series-{place}": colour for place, colour in enumerate(PALETTE)}

matplotlib.rcParams.update(
    {
        "svg.fonttype": "none",
        "svg.hashsalt": "distribute-lab",
        "font.size": 10,
        "text.color": INK,
        "axes.edgecolor": GRID,
        "axes.labelcolor": MUTED,
        "axes.titlesize": 11,
        "axes.titlelocation": "left",
        "axes.titleweight": "bold",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": GRID,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "legend.frameon": False,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
    }
)


def canvas(columns: int = 1, width: float = 8.0, height: float = 3.6, **subplots: object) -> tuple[Figure, list[Axes]]:
    """A figure with one row of axes."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(1, columns, squeeze=False, **subplots)  # type: ignore[call-overload]
    return figure, list(axes[0])


def svg(figure: Figure) -> str:
    """The figure as an SVG element to put into a page."""
    buffer = StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def themed(text: str) -> str:
    """An SVG for a page: CSS variables for its colours, and no smaller than 0.9 of its size: its text stays legible.

    Where the page is narrower the picture is scrolled.
    """
    for name, colour in {"ink": INK, "muted": MUTED, "line": GRID, **THEME}.items():
        text = text.replace(colour, f"var(--{name})")
    points = float(re.search(r'width="([\d.]+)pt"', text)[1])  # type: ignore[index]
    return text.replace("<svg ", f'<svg style="min-width: {0.9 * points / 0.75:.0f}px" ', 1)


def bars(shares: Mapping[str, float], told: Iterable[str]) -> Figure:
    """A small picture for a page's head: a bar a share, what it is above it and its figure beside it."""
    figure = Figure(figsize=(3.8, 0.75 * len(shares) + 0.1), layout="constrained")
    axes = figure.subplots()
    for y, ((label, share), text, colour) in enumerate(zip(shares.items(), told, PALETTE, strict=False)):
        axes.barh(y, max(share, 0.004), height=0.42, color=colour)
        axes.text(0, y - 0.33, label, va="bottom", fontsize=11)
        axes.text(max(share, 0.004) + 0.015, y, text, va="center", fontsize=11.5, fontweight="bold")
    axes.set(xlim=(0, 1.5), ylim=(len(shares) - 0.65, -0.75))
    axes.set_axis_off()
    return figure


def colours(labels: Iterable[str]) -> dict[str, str]:
    """A colour for each label, in order."""
    return dict(zip(labels, PALETTE, strict=False))


def strips(axes: Axes, frame: pd.DataFrame, group: str, series: str, value: str, shown: Mapping[str, str]) -> None:
    """For each group a line of dots a series, one a market, with a bar at the mean; groups by mean of the first."""
    first = frame[frame[series] == next(iter(shown))]
    groups = list(first.groupby(group)[value].mean().reindex(frame[group].unique()).sort_values().index)
    jitter = np.random.default_rng(0)
    for s, (label, colour) in enumerate(shown.items()):
        offset = 0.28 * (s - (len(shown) - 1) / 2)
        axes.scatter([], [], s=12, color=colour, label=label)
        for g, name in enumerate(groups):
            values = frame[(frame[group] == name) & (frame[series] == label)][value].to_numpy(dtype=float)
            if not values.size:
                continue
            y = g - offset + jitter.uniform(-0.06, 0.06, values.size)
            axes.scatter(values, y, s=12, color=colour, alpha=0.35, linewidths=0)
            axes.plot([values.mean()] * 2, [g - offset - 0.12, g - offset + 0.12], color=colour, linewidth=2.5)
    axes.set_yticks(range(len(groups)), [str(name).replace("_", " ") for name in groups])
    axes.grid(axis="y", visible=False)


def profiles(axes: Axes, frame: pd.DataFrame, series: str, value: str, shown: Mapping[str, str]) -> None:
    """Performance profiles: the share of markets in which each series' value is at most x."""
    x = np.linspace(0.0, 1.0, 401)
    for label, colour in shown.items():
        axes.step(
            x, statistics.profile(frame[frame[series] == label][value], x), where="post", color=colour, label=label
        )
    axes.set_ylim(0, 1.02)
    percent(axes, "both")


def means(
    axes: Axes,
    frame: pd.DataFrame,
    x: str,
    series: str,
    value: str,
    shown: Mapping[str, str],
    within: statistics.Range = statistics.SHARE,
) -> None:
    """Mean and 95 % interval of each series over x; ``within``: see ``statistics.mean_interval``."""
    for label, colour in shown.items():
        own = statistics.summary(frame[frame[series] == label].sort_values(x), [x], value, within)
        axes.plot(own[x], own["mean"], marker="o", markersize=4, color=colour, label=label)
        axes.fill_between(own[x].astype(float), own["low"], own["high"], color=colour, alpha=0.15, linewidth=0)


def legend(axes: Axes) -> None:
    """A legend to the right of the axes, where it hides nothing."""
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), markerscale=2)


def percent(axes: Axes, which: str = "y") -> None:
    """Show shares as percentages."""
    if which in ("x", "both"):
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    if which in ("y", "both"):
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
