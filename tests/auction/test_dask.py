"""Pieces on a scheduler whose workers are processes of their own, one of them killed; what cannot be reached."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from auction import workers
from auction.workers import WORKERS, completed

distributed = pytest.importorskip("distributed")
ROOT = Path(__file__).parents[2]
PROCESS = "__import__('os').getpid()"
NESTED = "__import__('auction.workers').workers.workers()"
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def scheduler(tmp_path):
    """The address of a scheduler with two workers of one thread, each a process of its own, and those processes."""
    file = tmp_path / "scheduler.json"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}

    def begin(command, *arguments):
        whole = [sys.executable, "-m", f"distributed.cli.dask_{command}", "--scheduler-file", str(file), *arguments]
        return subprocess.Popen(whole, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    master = begin("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    alone = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0")
    started = [begin("worker", *alone, "--name", name) for name in ("first", "second")]
    try:
        with distributed.Client(scheduler_file=file, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
            address = client.scheduler.address
        yield address, started
    finally:
        for process in (*started, master):
            process.kill()
            process.wait()


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
