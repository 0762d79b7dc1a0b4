"""The page of a simulation: welfare by rounds, latency, who cheated and when it was caught, where the money went."""

from html import escape
from importlib.resources import files
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from auction.market import MICRO
from experiments import plots
from experiments.marketplace.simulation.summary import (
    drawn_share,
    expected_share,
    losses_of_honest,
    waits,
)
from experiments.marketplace.simulation.world import World
from experiments.page import table_html

BLUE, GREEN, RED, SUN = plots.PALETTE[3], plots.PALETTE[4], plots.PALETTE[0], plots.PALETTE[1]


def page(world: World, rounds: pd.DataFrame, strategies: pd.DataFrame, found: dict[str, Any]) -> str:
    """HTML that stands alone."""
    here = files("experiments.marketplace")
    template = jinja2.Template(
        (here / "simulation" / "page.html.jinja").read_text("utf-8"), undefined=jinja2.StrictUndefined, autoescape=True
    )
    measures, money = world.measures, world.money()
    figures = {
        "Welfare of each round, beside its certified optimum": _welfare(rounds),
        "Share of the optimum, round by round": _share(rounds),
        "Orders that waited in each round, and those matched": _orders(rounds),
        "How long an order that is served waits": _latency(world),
        "When wrong results were given, and when they fell": _caught(world),
        "Where the money went": _money(money.by, found),
    }
    honest = losses_of_honest(measures) or {"nothing": 0.0}
    lost = pd.DataFrame({"for": list(honest), "tokens": list(honest.values())})
    disputes = pd.DataFrame(
        [(each.by, each.winner, each.reason, each.messages) for each in measures.disputes],
        columns=["whose claim", "winner", "reason", "messages"],
    )
    ends = disputes.groupby(["whose claim", "winner", "reason"], as_index=False).agg(
        disputes=("messages", "size"), messages=("messages", "mean")
    )
    tables = {
        "Who cheated, and what became of it": table_html(strategies),
        "How disputes ended": table_html(ends),
        "What honest owners lost of their stakes": table_html(lost),
    }
    return template.render(
        style=(here / "pages" / "style.css").read_text("utf-8") + _series(),
        lead=f"{len(world.providers):,} devices, {found['orders']:,} orders, seed {world.seed}; solver "
        f"{world.settings.solver}, mechanism {world.settings.mechanism}",
        tiles=_tiles(world, found),
        figures={caption: _picture(caption, figure) for caption, figure in figures.items()},
        tables=tables,
        head=found["head"],
    )


def _series() -> str:
    """The figures' colours, as the style sheet has its own."""
    return ":root {" + "".join(f" --{name}: {colour};" for name, colour in plots.THEME.items()) + " }"


def _picture(caption: str, figure: Figure) -> str:
    picture = plots.themed(plots.svg(figure)).replace("min-width", "--least", 1)
    return picture.replace("<svg ", f'<svg role="img" aria-label="{escape(caption)}" ', 1)


def _tiles(world: World, found: dict[str, Any]) -> list[dict[str, str]]:
    share, low, high = drawn_share(world.measures)
    expected = expected_share(world.measures)
    lost = found["right_parties_that_lost"]
    fund = found["paid"] - found["received"] - found["burnt"]
    return [
        _tile(f"{found['served'] / found['orders']:.1%}", f"of {found['orders']:,} orders served"),
        _tile(f"{found['welfare'] / max(1, found['certified_bound']):.2%}", "of the certified optimum of all rounds"),
        _tile(f"{found['caught']:,}", f"of {found['wrong_results']:,} wrong results fell"),
        _tile(
            f"{share:.1%}",
            f"of them by drawn audits (95 %: {low:.1%} to {high:.1%}); {expected:.1%} expected",
            "good" if low <= expected <= high else "bad",
        ),
        _tile(f"{len(world.measures.disputes):,}", "disputes, message by message"),
        _tile(str(lost), "parties that were right and lost", "bad" if lost else "good"),
        _tile(f"{found['paid'] / MICRO:,.0f}", "tokens paid"),
        _tile(
            f"{found['received'] / MICRO:,.0f}",
            f"received; {found['burnt'] / MICRO:,.0f} burnt, {fund / MICRO:,.0f} to the fund",
        ),
    ]


def _tile(value: str, name: str, kind: str = "") -> dict[str, str]:
    return {"value": value, "name": name, "kind": kind}


def _canvas() -> tuple[Figure, Axes]:
    figure, [axes] = plots.canvas(width=5.6, height=3.1)
    return figure, axes


def _welfare(rounds: pd.DataFrame) -> Figure:
    figure, axes = _canvas()
    minutes = rounds["tick"] / 60
    axes.plot(minutes, rounds["bound"] / MICRO, color=SUN, label="certified optimum")
    axes.plot(minutes, rounds["welfare"] / MICRO, color=BLUE, label="leased")
    axes.set(xlabel="minutes", ylabel="tokens a round", ylim=(0, None))
    axes.legend()
    return figure


def _share(rounds: pd.DataFrame) -> Figure:
    figure, axes = _canvas()
    some = rounds["bound"] > 0
    axes.plot(rounds["tick"][some] / 60, rounds["welfare"][some] / rounds["bound"][some], color=BLUE)
    axes.set(xlabel="minutes", ylabel="share of the optimum", ylim=(0, 1.02))
    plots.percent(axes)
    return figure


def _orders(rounds: pd.DataFrame) -> Figure:
    figure, axes = _canvas()
    minutes = rounds["tick"] / 60
    axes.plot(minutes, rounds["orders"], color=SUN, label="waited")
    axes.plot(minutes, rounds["matched"], color=BLUE, label="matched")
    axes.plot(minutes, rounds["devices"], color=GREEN, label="devices for them")
    axes.set(xlabel="minutes", ylim=(0, None))
    axes.legend()
    return figure


def _latency(world: World) -> Figure:
    figure, axes = _canvas()
    for to, label, colour in (("output", "first output", BLUE), ("over", "final", GREEN)):
        seconds = np.sort(waits(world.measures, to))
        if seconds.size:
            axes.step(seconds, np.arange(1, seconds.size + 1) / seconds.size, color=colour, label=label, where="post")
            middle, late = np.percentile(seconds, [50, 99])
            axes.plot([], [], " ", label=f"   median {middle:,.0f} s, 99 % {late:,.0f} s")
    axes.set(xlabel="seconds from the order", ylabel="orders served", ylim=(0, 1.02))
    plots.percent(axes)
    axes.legend(loc="lower right")
    return figure


def _caught(world: World) -> Figure:
    figure, axes = _canvas()
    wrong = [result for result in world.measures.results.values() if not result.right]
    kinds = sorted({result.strategy for result in wrong})
    for y, kind in enumerate(kinds):
        own = [result for result in wrong if result.strategy == kind]
        stands = [result.tick / 60 for result in own if not result.fell]
        fell = [result.fell / 60 for result in own if result.fell]
        axes.scatter(stands, np.full(len(stands), y - 0.12), s=12, color=SUN, alpha=0.5, linewidths=0)
        axes.scatter(fell, np.full(len(fell), y + 0.12), s=16, color=RED, alpha=0.7, linewidths=0)
    axes.scatter([], [], s=14, color=SUN, label="given, stands")
    axes.scatter([], [], s=14, color=RED, label="fell")
    axes.set_yticks(range(len(kinds)), kinds)
    axes.set(xlabel="minutes")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.16), ncols=2)
    return figure


def _money(by: dict[str, int], found: dict[str, Any]) -> Figure:
    figure, axes = _canvas()
    fund = found["paid"] - found["received"] - found["burnt"]
    rows = {**by, "the fund": fund, "burnt": found["burnt"]}
    names = sorted(rows, key=rows.__getitem__)
    values = np.array([rows[name] for name in names]) / MICRO
    axes.barh(names, values, color=[GREEN if value >= 0 else RED for value in values], height=0.6)
    for y, value in enumerate(values):
        axes.annotate(f"{value:,.0f}", (max(value, 0), y), xytext=(4, 0), textcoords="offset points", va="center")
    axes.axvline(0, color=plots.MUTED, linewidth=0.8)
    axes.margins(x=0.16)
    axes.set(xlabel="tokens gained")
    axes.grid(axis="y", visible=False)
    return figure
