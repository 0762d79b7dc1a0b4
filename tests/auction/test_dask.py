"""Pieces on a scheduler whose workers are processes of their own, one of them killed; what cannot be reached."""

import os
import signal
import threading
import time
from functools import partial

import pandas as pd
import pytest

from auction import sweep, workers
from auction.workers import WORKERS, completed

PROCESS = "__import__('os').getpid()"
NESTED = "__import__('auction.workers').workers.workers()"


def killing(flag, item):
    """The first to come here kills its process and leaves word of that."""
    try:
        flag.touch(exist_ok=False)
        os.kill(os.getpid(), signal.SIGKILL)
    except FileExistsError:
        pass
    return item, os.getpid()


def test_a_killed_worker_s_piece_is_done_by_another(scheduler, tmp_path):
    address, started = scheduler
    with workers.on(address):
        assert workers.remote()
        found = dict(completed(partial(killing, tmp_path / "killed"), range(20)))
        assert dict(completed(eval, [NESTED, PROCESS], alone=True))[NESTED] == 1
    assert not workers.remote()
    assert {item: done[0] for item, done in found.items()} == {item: item for item in range(20)}
    (dead,) = (process for process in started if process.poll() is not None)
    assert {done[1] for done in found.values()} == {process.pid for process in started} - {dead.pid}
    assert (tmp_path / "killed").exists()


def test_local_processes_come_and_go(monkeypatch):
    monkeypatch.setenv(WORKERS, "1")
    with workers.on("local"):
        found = dict(completed(eval, ["1 + 1", PROCESS, NESTED]))
        with pytest.raises(ZeroDivisionError):
            list(completed(eval, ["1 / 0"]))
    assert found["1 + 1"] == 2 and found[NESTED] == 1 and found[PROCESS] != os.getpid()


def test_what_cannot_be_reached_is_refused_in_one_line(refusal, monkeypatch):
    from auction import _dask

    monkeypatch.setattr(_dask, "TIMEOUT", 0.2)
    for address in ("tcp://127.0.0.1:1", "nonsense://here", "127.0.0.1:1"):
        message = refusal(workers.on(address).__enter__)
        assert message.startswith(f"scheduler {address!r} cannot be reached: ") and message.endswith("tcp://host:port")


@pytest.mark.slow
def test_a_sweep_whose_worker_dies_is_complete_and_as_it_is_here(scheduler, tmp_path):
    """A folder that is watched tells when the first cell has ended."""
    (address, started), out = scheduler, tmp_path / "cells"
    asked = (["uniform", "classes"], [(6, 10), (8, 12)], range(3), ["bid_density", "greedy", "lp_bound"])

    def die():
        while not any(out.glob("*.parquet")):
            time.sleep(0.01)
        started[0].kill()

    watch = threading.Thread(target=die, daemon=True)
    watch.start()
    found = sweep(*asked, out=out, scheduler=address)
    watch.join()
    started[0].wait(timeout=10)
    assert len(list(out.iterdir())) == len(found) == 36
    pd.testing.assert_frame_equal(found.drop(columns="seconds"), sweep(*asked).drop(columns="seconds"))
