"""Who watches in a terminal: the board that it was told, change by change."""

from msgspec import Raw
from rich.console import Console

from experiments.marketplace.live.watch import Watcher
from experiments.marketplace.messages import Board, Challenge, Hello, encode, from_peer

ROUND = {
    "tick": 4,
    "orders": 2,
    "offers": 1,
    "matched": 1,
    "solver": "bid_density",
    "welfare": "1500000",
    "bound": None,
}
DISPUTE = {"state": "asserter", "path": [{"level": "nodes", "size": 64, "low": 8, "high": 12}], "messages": [{}, {}]}


def printed(watcher, width=200):
    console = Console(width=width)
    with console.capture() as capture:
        console.print(watcher.shown())
    return capture.get()


def test_the_board_is_what_the_watcher_was_told_change_by_change():
    watcher = Watcher()
    [hello] = watcher.receive(encode(Challenge(1, "ab" * 32, "cd" * 32, Raw(b"{}"))), 0.0)
    assert from_peer(hello) == Hello(1, "watch")
    parts = {"totals": {"served": 3, "paid": "2500000"}, "rounds": {"1": ROUND}, "disputes": {"ef" * 32: DISPUTE}}
    watcher.receive(encode(Board(5, 7, "12" * 32, parts)), 0.0)
    shown = printed(watcher)
    assert "tick 5" in shown and "3 served" in shown and "paid 2.5" in shown and "nodes 8–12 of 64" in shown
    changes = {"rounds": {"1": ROUND | {"bound": "1700000"}}, "disputes": {"ef" * 32: None}}
    watcher.receive(encode(Board(6, 8, "34" * 32, changes)), 0.0)
    shown = printed(watcher)
    assert "tick 6" in shown and "1.7" in shown and "nodes" not in shown and "3 served" in shown
    watcher.reopened()
    assert not watcher.parts


def test_a_terminal_of_80_columns_shows_prices_and_how_far_what_is_computed_is():
    watcher = Watcher()
    lease = {"device": "ab" * 32, "price": "20541", "progress": 0.25}
    leases = {"01" * 32: lease | {"state": "final"}, "02" * 32: lease | {"state": "held"}}
    money = {"welfare": "40883", "bound": "40884", "prices": {"median": "20541"}}
    rounds = {"123": ROUND | {"tick": 12_345, "matched": 120, "orders": 200} | money}
    watcher.receive(encode(Board(5, 7, "12" * 32, {"rounds": rounds, "leases": leases})), 0.0)
    lines = printed(watcher, 80).splitlines()
    assert any("rounds by bid_density" in line for line in lines)
    [row] = [line.split() for line in lines if line.startswith(" 123")]
    assert row == ["123", "12345", "120", "of", "200", "1", "0.040883", "0.040884", "0.020541"]
    assert [line.split()[-1] for line in lines if " ab" in line] == ["25%", "–"]
