"""Pieces in other processes as they end, of this machine and of a scheduler; one that is killed takes none along."""

import os
from pathlib import Path

import pytest

from auction.workers import WORKERS, completed

ROOT = Path(__file__).parents[2]
PROCESS = "__import__('os').getpid()"
KILLED = "__import__('os')._exit(9)"


@pytest.fixture
def two(monkeypatch):
    monkeypatch.setenv(WORKERS, "2")


def test_a_killed_piece_is_none_and_the_others_are_there(two):
    assert dict(completed(eval, ["1 + 1", KILLED, "2 + 2"])) == {"1 + 1": 2, KILLED: None, "2 + 2": 4}


def test_one_worker_is_a_loop_in_this_process(monkeypatch, two):
    assert dict(completed(eval, ["1 + 1", PROCESS], processes=1)) == {"1 + 1": 2, PROCESS: os.getpid()}
    monkeypatch.setenv(WORKERS, "1")
    assert dict(completed(eval, ["1 + 1", PROCESS])) == {"1 + 1": 2, PROCESS: os.getpid()}


def test_alone_is_one_after_another(two):
    found = dict(completed(eval, [PROCESS, PROCESS + " ", "3"], alone=True))
    assert found.pop("3") == 3 and len(set(found.values())) == 1 and os.getpid() not in found.values()
