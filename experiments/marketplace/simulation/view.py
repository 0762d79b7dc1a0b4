"""What a terminal shows while a simulation runs, and when it is over."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from auction.commands.terminal import announced
from auction.market import MICRO

if TYPE_CHECKING:
    import pandas as pd

    from experiments.marketplace.simulation.world import World


@contextmanager
def watching() -> Iterator[Callable[["World"], None]]:
    """A table on standard error that follows the rounds, where that is a terminal; else a line, once it takes long."""
    console = Console(stderr=True)
    if not console.is_terminal:
        with announced("simulating"):
            yield lambda world: None
        return
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        yield lambda world: live.update(_now(world))


def _now(world: "World") -> Table:
    last, measures = world.rounds[-1], world.measures
    outcomes = [life.outcome for life in measures.lives.values()]
    table = Table(title=f"round {last.number}, tick {last.tick}", show_header=False, min_width=46)
    table.add_column(style="dim")
    table.add_column(justify="right")
    rows = {
        "orders that have come": f"{len(outcomes):,} of {len(world.asked):,}",
        "served": f"{outcomes.count('served'):,}",
        "waited in this round": f"{last.market.tasks:,}",
        "matched": f"{last.matched:,} by {last.market.providers:,} devices",
        "wrong results": f"{sum(not result.right for result in measures.results.values()):,}",
        "of them caught": f"{sum(bool(result.fell) for result in measures.results.values()):,}",
        "disputes ended": f"{len(measures.disputes):,}",
        "events": f"{world.ledger.head[0]:,}",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def told(found: Mapping[str, Any], strategies: "pd.DataFrame", disputes: int, expected: float) -> Group:
    """The end, for people.

    Args:
        expected: share of the wrong results that drawn audits catch on the average.
    """
    table = Table(box=SIMPLE_HEAD, caption="tokens: lost of stakes and bonds, gained in all; a tick is a second")
    for name in strategies:
        table.add_column(name, justify="left" if name == "strategy" else "right")
    for row in strategies.itertuples(index=False):
        cells = [value if isinstance(value, str) else f"{value:,.0f}" if value == value else "–" for value in row]
        table.add_row(*cells)
    return Group(table, _sentences(found, disputes, expected))


def _sentences(found: Mapping[str, Any], disputes: int, expected: float) -> str:
    share = found["welfare"] / max(1, found["certified_bound"])
    tokens = {name: f"{found[name] / MICRO:,.0f}" for name in ("paid", "received", "burnt")}
    fund = (found["paid"] - found["received"] - found["burnt"]) / MICRO
    return (
        f"{found['served']:,} of {found['orders']:,} orders served; welfare {share:.2%} of the certified optimum.\n"
        f"{found['caught']:,} of {found['wrong_results']:,} wrong results caught; audits drawn by lot catch "
        f"{expected:.1%} on the average.\n"
        f"{disputes:,} disputes; who was right lost {found['right_parties_that_lost']} of them.\n"
        f"{tokens['paid']} tokens paid = {tokens['received']} received + {tokens['burnt']} burnt + {fund:,.0f} to the "
        f"fund.\nhead {found['head']}"
    )
