"""Kill -9 at random moments of a running market: no unit, payment or task is lost or made twice."""

import json
import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from verification.first.accounts import OUTSIDE, escrow_of, free
from verification.first.crash_scene import next_step
from verification.first.ledger import Ledger
from verification.first.tasks import WAITING

ROOT = Path(__file__).parents[2]
SEED, TASKS = 5, 24
LIVE = ("assigned", "committed", "opened", "challenged")


def start(path) -> subprocess.Popen:
    command = [sys.executable, "-m", "verification.first.crash_scene", str(path), str(SEED), str(TASKS)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def ends(path, delay: float | None = None) -> tuple[bool, list[str]]:
    """Run the market, killed after a delay unless it ended before; whether it was killed, and what it printed."""
    with start(path) as process:
        try:
            process.wait(delay)
            killed = False
        except subprocess.TimeoutExpired:
            process.kill()
            killed = True
        printed = process.stdout.read()
    assert killed or process.returncode == 0
    return killed, [line for line in printed.split("\n")[:-1] if line]


def audited(path) -> list:
    """The events of a ledger's file, after everything that must hold of it was summed from the moves alone."""
    with Ledger(path) as ledger:
        state, events = ledger.state, list(ledger.events())
    sums, paid = Counter(), Counter()
    final = Counter(arguments[0] for _, name, arguments, _ in events if name == "finalise")
    for _, name, arguments, moves in events:
        for source, target, amount in moves:
            assert amount > 0
            sums[source] -= amount
            sums[target] += amount
            if name == "finalise" and source == escrow_of(arguments[0]):
                paid[arguments[0]] += 1
    outside = -sums.pop(OUTSIDE, 0)
    assert sum(sums.values()) == outside == state.deposited - state.withdrawn
    assert {account: held for account, held in sums.items() if held} == state.balances
    assert min(sums.values(), default=0) >= 0
    posted = [arguments[0] for _, name, arguments, _ in events if name == "post"]
    for task in posted:
        now = state.facts[f"task:{task}"]["state"]
        assert now in (*WAITING, *LIVE, "finalised")
        assert final[task] == paid[task] == (now == "finalised")
        assert (escrow_of(task) in state.balances) == (now in LIVE)
    return events


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The events of a market that nobody kills, and the seconds it takes."""
    path = tmp_path_factory.mktemp("undisturbed") / "ledger.db"
    began = time.perf_counter()
    killed, printed = ends(path)
    seconds = time.perf_counter() - began
    assert not killed
    events = audited(path)
    assert [line[1:] for line in printed if line[0] == "="] == [operation for operation, *_ in events]
    return events, seconds


def test_an_undisturbed_market_shows_every_fate_of_a_result(undisturbed):
    events, _ = undisturbed
    names = Counter(name for _, name, _, _ in events)
    winners = Counter(arguments[2] for _, name, arguments, _ in events if name == "verdict")
    assert names["finalise"] == TASKS
    assert min(winners["asserter"], winners["challenger"], names["miss"]) > 0
    assert names["reveal"] < names["pledge"]


def test_the_market_imports_no_numpy():
    code = "import sys, verification.first.crash_scene; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("kills", [20, pytest.param(500, marks=pytest.mark.slow)])
def test_kills_at_random_moments_lose_nothing_and_pay_nothing_twice(kills, undisturbed, tmp_path, record_property):
    expected, seconds = undisturbed
    rng = random.Random(kills)
    done = inside = market = 0
    while done < kills:
        path, killed = tmp_path / f"{market}.db", True
        events: list = []
        while killed:
            killed, printed = ends(path, rng.uniform(0, seconds) if done < kills else None)
            before, events = events, audited(path)
            assert events == expected[: len(events)]
            acknowledged = [line[1:] for line in printed if line[0] == "="]
            made = [operation for operation, *_ in events[len(before) :]]
            begun = len(printed) > 0 and printed[-1][0] == "+"
            assert made[: len(acknowledged)] == acknowledged  # what was acknowledged is durable
            assert len(made) <= len(acknowledged) + begun  # and what was not was at most made once
            done += killed
            inside += killed and begun
        assert events == expected
        market += 1
    record_property("killed inside an operation", inside)
    print(f"{done} kills, {inside} inside an operation, {market} markets to their end")
    assert inside > kills // 4


def test_a_payment_made_twice_would_be_seen(undisturbed, tmp_path):
    """The check itself: a ledger into which a second payment of the first final task was written."""
    path = tmp_path / "ledger.db"
    ends(path)
    events = audited(path)
    task, moves = next((arguments[0], moves) for _, name, arguments, moves in events if name == "finalise")
    provider = next(target for source, target, _ in moves if source == escrow_of(task))
    user = next(arguments[1] for _, name, arguments, _ in events if name == "post" and arguments[0] == task)
    again = json.dumps([[free(user), provider, moves[0][2]]])
    outside = sqlite3.connect(path)
    row = (len(events) + 1, "again", json.dumps(["finalise", task, 10**6]), again, "{}")
    outside.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", row)
    outside.commit()
    outside.close()
    with pytest.raises(AssertionError):
        audited(path)


def test_the_market_is_a_function_of_the_ledger_and_the_seed(undisturbed, tmp_path):
    expected, _ = undisturbed
    with Ledger(":memory:") as ledger:
        while step := next_step(ledger.state, SEED, TASKS):
            ledger.perform(step[0], step[1], *step[2])
        assert list(ledger.events()) == expected
