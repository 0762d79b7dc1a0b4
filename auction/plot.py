"""Gap against time, a panel a market, a line a solver."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auction.outcome import Outcome
from auction.progress import Progress

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STYLE: Any = {
    "svg.fonttype": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "text.parse_math": False,
}
LINEAR = 1e-4  # gaps below this are drawn on a linear scale: 0, where the optimum is proved, has a place


def gap_over_time(outcome: Outcome, least: int | None) -> list[tuple[float, float]]:
    """Seconds and gap by then, at most 1, each time that either its welfare or its bound got better.

    Args:
        least: the bound to which the gap is where the solver has none of its own.
    """
    history = outcome.history or (Progress(outcome.seconds, outcome.welfare, outcome.bound),)
    points = []
    for known in history:
        gap = known.gap if outcome.bound is not None else Progress(known.seconds, known.welfare, least).gap
        if gap is not None:
            points.append((known.seconds, min(gap, 1.0)))
    return points


def gap_against_time(markets: Sequence[tuple[str, Sequence[tuple[str, Outcome]]]]) -> "Figure":
    """Steps of gap over seconds, both logarithmic, for outcomes of solvers on the same markets.

    The gap is that between a solver's own welfare and bound; of one without a bound, dashed, to the least bound that
    another has on the market. A dot is where a solver ended, a ring where it had proved the optimum.

    Args:
        markets: a title for each, and its outcomes by name; those without a gap are left out.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, NullFormatter

    names = list(dict.fromkeys(name for _, outcomes in markets for name, _ in outcomes))
    with rc_context(STYLE):
        figure = Figure(figsize=(1.0 + 5.0 * len(markets), 4.2), layout="constrained")
        panels = figure.subplots(1, len(markets), squeeze=False, sharey=True)[0]
        for axes, (title, outcomes) in zip(panels, markets, strict=True):
            least = min((one.bound for _, one in outcomes if one.bound is not None), default=None)
            for name, outcome in outcomes:
                if not (points := gap_over_time(outcome, least)):
                    continue
                seconds, gaps = zip(*points, (outcome.seconds, points[-1][1]), strict=True)
                colour = f"C{names.index(name) % 10}"
                line = "-" if outcome.bound is not None else "--"
                axes.plot(seconds, gaps, line, color=colour, drawstyle="steps-post", label=name)
                face = "white" if outcome.proven_optimal else colour
                axes.plot(seconds[-1], gaps[-1], "o", color=colour, markerfacecolor=face, clip_on=False)
            axes.set_xscale("log")
            axes.set_yscale("symlog", linthresh=LINEAR, linscale=0.3)
            axes.set_ylim(0.0, 1.0)
            low, high = axes.get_xlim()
            axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
            axes.xaxis.set_minor_formatter(axes.xaxis.get_major_formatter() if high < 10 * low else NullFormatter())
            axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share * 100:g}%"))
            axes.grid(color="#e3e7ec")
            axes.set_title(title, loc="left")
            axes.set_xlabel("seconds")
            if axes.lines:
                axes.legend()
        panels[0].set_ylabel("gap to the bound")
    return figure


def write(figure: "Figure", path: Path, kind: str) -> None:
    """Write it as ``svg``, ``png`` or ``pdf``; the same figure gives the same file."""
    from matplotlib import rc_context

    with rc_context(STYLE | {"svg.hashsalt": "distribute-lab"}):
        figure.savefig(path, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)
