"""Pieces run in other processes, in order."""

import os

import pytest

from auction.workers import WORKERS
from experiments import progress

PROCESS = "__import__('os').getpid()"
NESTED = "__import__('auction.workers').workers.workers()"


@pytest.fixture
def two(monkeypatch):
    monkeypatch.setenv(WORKERS, "2")


def test_pieces_run_in_order_in_other_processes(two):
    *sums, process, nested = progress.parallel(eval, ["1 + 1", "2 + 2", "3 + 3", PROCESS, NESTED], "sums")
    assert sums == [2, 4, 6] and process != os.getpid() and nested == 1


def test_one_worker_or_one_piece_is_a_loop_in_this_process(two, monkeypatch):
    assert progress.parallel(eval, [PROCESS], "sums") == [os.getpid()]
    monkeypatch.setenv(WORKERS, "1")
    assert progress.parallel(eval, ["1 + 1", PROCESS], "sums") == [2, os.getpid()]


def test_what_a_piece_raises_is_raised(two):
    with pytest.raises(ZeroDivisionError):
        progress.parallel(eval, ["1 / 0", "1"], "sums")


def test_a_piece_that_is_killed_again_and_again_is_named(two):
    with pytest.raises(MemoryError, match="sums: piece 1 of 2 was killed"):
        progress.parallel(eval, ["1", "__import__('os')._exit(9)"], "sums")
