"""Pieces run in other processes, in order; one that is killed takes no other along for good."""

import os

import pytest

from experiments import progress
from experiments.progress import WORKERS

PROCESS = "__import__('os').getpid()"
KILLED = "__import__('os')._exit(9)"
NESTED = "__import__('experiments.progress').progress.workers()"


@pytest.fixture
def two(monkeypatch):
    monkeypatch.setenv(WORKERS, "2")


def test_pieces_run_in_order_in_other_processes(two):
    *sums, process, nested = progress.parallel(eval, ["1 + 1", "2 + 2", "3 + 3", PROCESS, NESTED], "sums")
    assert sums == [2, 4, 6] and process != os.getpid() and nested == 1


def test_a_killed_piece_is_none_and_the_others_are_there(two):
    assert dict(progress.completed(eval, ["1 + 1", KILLED, "2 + 2"], 2)) == {"1 + 1": 2, KILLED: None, "2 + 2": 4}


def test_one_worker_is_a_loop_in_this_process():
    assert progress.parallel(eval, ["1 + 1", PROCESS], "sums") == [2, os.getpid()]
    assert dict(progress.completed(eval, ["1 + 1", PROCESS], 2)) == {"1 + 1": 2, PROCESS: os.getpid()}


def test_what_a_piece_raises_is_raised(two):
    with pytest.raises(ZeroDivisionError):
        progress.parallel(eval, ["1 / 0", "1"], "sums")
