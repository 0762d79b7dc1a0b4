"""Kill -9 at random moments of a running market, its beginning too: no event is lost, half made or made twice."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import toy_market
from toy_market import OPERATIONS

from verification.errors import Refusal
from verification.ledger.inspect import inspect
from verification.ledger.store import Ledger

ROOT = Path(__file__).parents[3]
EVENTS = 60


def run(path, delay: float | None = None, from_start: bool = False) -> tuple[bool, list[str]]:
    """Run the market, killed after a delay unless it ended before; whether it was, and what it printed.

    Args:
        delay: seconds, after the market was begun or, ``from_start``, after the process was.
    """
    command = [sys.executable, toy_market.__file__, str(path), str(EVENTS)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        begun = "" if from_start else process.stdout.readline()
        try:
            process.wait(delay)
            killed = False
        except subprocess.TimeoutExpired:
            process.kill()
            killed = True
        printed = begun + process.stdout.read()
    assert killed or process.returncode == 0
    return killed, [line for line in printed.split("\n")[:-1] if line != "begun"]


def events_of(path) -> list[tuple[str, bytes]]:
    """Name and bytes of the events in a file, all of which holds; none where the market was not begun yet."""
    try:
        with Ledger(path, OPERATIONS) as ledger:
            events = [(event.request.name, event.raw) for event in ledger.events()]
    except Refusal as refusal:
        if refusal.reason not in ("unavailable", "not-a-ledger"):  # there is no file, or it is empty
            raise
        return []
    assert inspect(path, OPERATIONS).wrong == ""
    return events


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The events of a market that nobody kills, and the seconds it takes."""
    path = tmp_path_factory.mktemp("undisturbed") / "ledger.db"
    began = time.perf_counter()
    killed, printed = run(path)
    seconds = time.perf_counter() - began
    assert not killed
    events = events_of(path)
    assert [line[1:] for line in printed if line[0] == "="] == [name for name, _ in events[1:]]
    return events, seconds


@pytest.mark.parametrize("kills", [12, pytest.param(500, marks=pytest.mark.slow)])
def test_kills_at_random_moments_leave_each_request_performed_or_not(kills, undisturbed, tmp_path, record_property):
    expected, seconds = undisturbed
    rng = random.Random(kills)
    done = inside = market = 0
    while done < kills:
        path, killed = tmp_path / f"{market}.db", True
        events: list = []
        while killed:
            from_start = done % 4 == 0
            delay = rng.uniform(0, 0.2 if from_start else seconds / 2)
            killed, printed = run(path, delay if done < kills else None, from_start)
            before, events = events, events_of(path)
            assert events == expected[: len(events)]
            made = [name for name, _ in events[max(1, len(before)) :]]
            acknowledged = [line[1:] for line in printed if line[0] == "="]
            begun = len(printed) > 0 and printed[-1][0] == "+"
            assert made[: len(acknowledged)] == acknowledged  # what was acknowledged is durable
            assert len(made) <= len(acknowledged) + begun  # and what was not was at most made once
            done += killed
            inside += killed and begun
        assert events == expected
        market += 1
    record_property("killed inside a request", inside)
    print(f"{done} kills, {inside} inside a request, {market} markets to their end")
    assert inside > kills // 10  # kills meet requests at all
