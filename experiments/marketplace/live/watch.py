"""``market watch``: the board of a market in a terminal, as it changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from auction.commands.terminal import NONE, printable, table_of
from experiments.marketplace import messages
from experiments.marketplace.messages import Board, Challenge, Hello, Welcome, encode

ROWS = 8
"""Of a table, the newest."""
MICRO = 1_000_000
COMPUTED = ("offered", "held")
"""States of a lease whose progress says something: before its result came."""
STYLES = {"final": "green", "served": "green", "fallen": "red bold", "missed": "red", "disputed": "yellow"}


@dataclass
class Watcher:
    """Who watches, without input or output; what is shown is what it was told."""

    market: str = ""
    tick: int = 0
    number: int = 0
    head: str = ""
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def reopened(self) -> None:
        """Its connection was made anew: it will be told everything again."""
        self.parts = {}

    def receive(self, raw: bytes, now: float) -> Sequence[bytes]:
        """What a frame leads to.

        Raises:
            Refusal: malformed.
        """
        match messages.to_peer(raw):
            case Challenge() as told:
                self.market = told.market
                return [encode(Hello(messages.VERSION, "watch"))]
            case Welcome() as told:
                self.tick, self.number, self.head = told.tick, told.number, told.head
            case Board() as told:
                self._take(told)
            case _:
                pass
        return ()

    def _take(self, told: Board) -> None:
        self.tick, self.number, self.head = told.tick, told.number, told.head
        for name, entries in told.parts.items():
            known = self.parts.setdefault(name, {})
            for key, entry in entries.items():
                if entry is None:
                    known.pop(key, None)
                else:
                    known[key] = entry

    def shown(self) -> Group:
        """The board."""
        totals = self.parts.get("totals", {})
        money = ", ".join(f"{name} {_tokens(totals.get(name))}" for name in ("paid", "received", "burnt", "fund"))
        counts = ", ".join(f"{totals.get(name, 0)} {name}" for name in ("waiting", "leased", "served"))
        solver = {entry["solver"] for entry in self.parts.get("rounds", {}).values()}
        head = Text(f"market {self.market[:16]}  tick {self.tick:,}  event {self.number:,} {self.head[:16]}")
        return Group(
            head,
            Text(f"orders: {counts}{'    rounds by ' if solver else ''}{', '.join(sorted(solver))}"),
            Text(f"tokens: {money}"),
            _table("round", self.parts.get("rounds", {}), ROUNDS),
            _table("order", self.parts.get("orders", {}), ORDERS),
            _table("device", self.parts.get("devices", {}), DEVICES),
            _table("lease", self.parts.get("leases", {}), LEASES),
            _table("dispute", self.parts.get("disputes", {}), DISPUTES),
        )


def _tokens(amount: Any) -> str:
    return NONE if amount is None else f"{int(amount) / MICRO:g}"


def _path(entry: Mapping[str, Any]) -> str:
    """Where a dispute stands: at each level, which part is still in question."""
    return "  ".join(
        f"{each['level']} {each['low']}–{each['high']} of {each['size']}" for each in entry.get("path", [])
    )


ROUNDS = {
    "tick": lambda entry: str(entry["tick"]),
    "matched": lambda entry: f"{entry['matched']} of {entry['orders']}",
    "offers": lambda entry: str(entry["offers"]),
    "welfare": lambda entry: _tokens(entry["welfare"]),
    "at most": lambda entry: _tokens(entry.get("bound")),
    "price": lambda entry: _tokens((entry.get("prices") or {}).get("median")),
}
ORDERS = {
    "state": lambda entry: entry["state"],
    "requests": lambda entry: str(entry.get("requests", NONE)),
    "bid": lambda entry: _tokens(entry.get("bid")),
    "rank": lambda entry: str(entry.get("rank", NONE)),
    "why it waits": lambda entry: entry.get("reason") or "",
}
DEVICES = {
    "connected": lambda entry: "yes" if entry.get("connected") else "no",
    "models": lambda entry: ", ".join(entry.get("models", [])),
    "cost": lambda entry: _tokens(entry.get("cost")),
    "leased": lambda entry: str(entry.get("leased", 0)),
    "served": lambda entry: str(entry.get("served", 0)),
}
LEASES = {
    "state": lambda entry: entry["state"],
    "device": lambda entry: entry.get("device", "")[:12],
    "price": lambda entry: _tokens(entry.get("price")),
    "done": lambda entry: f"{entry.get('progress', 0):.0%}" if entry["state"] in COMPUTED else NONE,
}
DISPUTES = {
    "state": lambda entry: entry["state"],
    "messages": lambda entry: str(len(entry.get("messages", []))),
    "still in question": _path,
    "winner": lambda entry: entry.get("winner") or "",
    "reason": lambda entry: entry.get("reason") or "",
}


def _table(name: str, entries: Mapping[str, Any], columns: Mapping[str, Any]) -> Table:
    table = table_of(name, *columns)
    for key, entry in reversed(list(islice(entries.items(), max(0, len(entries) - ROWS), None))):
        style = STYLES.get(str(entry.get("state")), "")
        table.add_row(key[:16], *(printable(str(of(entry))) for of in columns.values()), style=style)
    return table
