"""A process of its own: what it found comes back, whatever became of it."""

import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from auction.errors import InputError
from auction.search import Stop
from auction.solvers import _apart
from auction.solvers._apart import last

FUNCTIONS = """
import os, signal
from numba.core.event import trigger_event
from auction.errors import InputError

def count(stop, to):
    yield from range(to)

def die(stop, number):
    yield 1
    os.kill(os.getpid(), number)
    yield 2

def leave(stop):
    os.system("echo last words; exit 0")
    os._exit(3)
    yield

def fail(stop):
    yield 1
    raise MemoryError("too\\nbig")

def descend(stop):
    yield from descend(stop)

def refuse(stop):
    yield 1
    raise InputError("not this")

def report(stop):
    stop.report(welfare=1, bound=9)
    stop.report(welfare=1)
    yield 1
    stop.report(bound=5)

def hold(stop):
    yield os.getpid()
    while True:
        stop.wait(1e6)

def give_way(stop):
    yield "before"
    while not stop.now:
        stop.wait(0.01)
    yield "interrupted" if stop.interrupted else "out of time"

def compile(stop):
    with trigger_event("numba:compile"):
        stop.wait(1.5)
    yield stop.now
"""


@pytest.fixture(scope="module")
def functions(tmp_path_factory):
    """A module that processes started here can import; the processes end with these tests."""
    folder = tmp_path_factory.mktemp("functions")
    (folder / "functions_apart.py").write_text(FUNCTIONS)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setattr(_apart, "_idle", [])
        patch.setattr(_apart, "GRACE", 0.2)
        yield importlib.import_module("functions_apart")
        _apart._end()


def gone(pid):
    """Whether the process is no more; one that nobody has waited for yet is as good."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[-1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_the_last_value_of_a_generator_that_ends(functions):
    assert last(functions.count, Stop(None), 3) == (2, None)
    assert last(functions.count, Stop(60), 0) == (None, None)


def test_one_process_serves_all_calls(functions):
    last(functions.count, Stop(None), 1)
    (process,) = _apart._idle
    for to in range(1, 100):
        assert last(functions.count, Stop(None), to) == (to - 1, None)
    assert _apart._idle == [process]


def test_reports_reach_the_caller(functions):
    heard = []
    outer = Stop(None, heard.append)
    assert last(functions.report, Stop(60, outer=outer), *()) == (1, None)
    assert [tuple(point)[1:] for point in heard] == [(1, 9), (1, 5)]
    assert 0 < heard[0].seconds <= heard[1].seconds <= outer.elapsed


@pytest.mark.parametrize("number, name", [(signal.SIGSEGV, "SIGSEGV"), (signal.SIGABRT, "SIGABRT")])
def test_a_death_is_said_and_keeps_what_was_found(functions, number, name):
    assert last(functions.die, Stop(None), number) == (1, f"its process died of signal {number} ({name})")
    assert last(functions.count, Stop(None), 3) == (2, None)


def test_failures_are_said_in_one_line(functions):
    assert last(functions.leave, Stop(None)) == (None, "its process ended with exit code 3: last words")
    assert last(functions.fail, Stop(None)) == (1, "MemoryError: too big")
    assert last(functions.descend, Stop(None))[1].startswith("RecursionError: ")


def test_a_refusal_is_raised_and_the_process_kept(functions):
    last(functions.count, Stop(None), 1)
    (process,) = _apart._idle
    with pytest.raises(InputError, match="^not this$"):
        last(functions.refuse, Stop(None))
    assert _apart._idle == [process]


def test_what_does_not_stop_is_killed(functions):
    pid, ending = last(functions.hold, Stop(0.1))
    assert ending == "time limit" and gone(pid)
    stop = Stop(None)
    threading.Timer(0.1, stop.interrupt).start()
    pid, ending = last(functions.hold, stop)
    assert ending == "interrupted" and gone(pid)


def test_time_stands_still_while_it_compiles(functions):
    stop = Stop(1.0)
    assert last(functions.compile, stop) == (False, None)
    assert stop.postponed > 1.4 and not stop.now


def test_a_limit_and_an_interrupt_reach_the_function(functions, monkeypatch):
    monkeypatch.setattr(_apart, "GRACE", 60)
    assert last(functions.give_way, Stop(0.05)) == ("out of time", None)
    stop = Stop(None)
    stop.interrupt()
    assert last(functions.give_way, stop) == ("interrupted", None)
    stop.interrupt()  # of a call that is over: the next one is not its
    assert last(functions.count, Stop(None), 3) == (2, None)


def test_calls_of_two_threads_have_a_process_each(functions):
    found = []
    threads = [threading.Thread(target=lambda: found.append(last(functions.give_way, Stop(0.3)))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [("out of time", None)] * 2


def test_it_does_not_outlive_its_parent(functions):
    code = """
import os, signal, threading, functions_apart
from auction.search import Stop
from auction.solvers import _apart
_apart.last(functions_apart.count, Stop(None), 1)
(process,) = _apart._idle
threading.Thread(target=_apart.last, args=(functions_apart.hold, Stop(None)), daemon=True).start()
print(process._popen.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    deadline = time.monotonic() + 10
    while not gone(int(ended.stdout)) and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    assert gone(int(ended.stdout))


ENDED_WHILE_ENDING = """
import os
from auction.solvers import _apart

kill = os.killpg
def end_all(group, number):
    kill(group, number)
    os._exit(1)  # as a worker of multiprocessing that has its SIGTERM while it ends
os.killpg = end_all
_apart.start()
"""


def test_whoever_is_ended_while_it_ends_a_process_leaves_no_folder(tmp_path):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TMPDIR": str(tmp_path)}
    ended = subprocess.run([sys.executable, "-c", ENDED_WHILE_ENDING], env=environment, timeout=60, check=False)
    assert ended.returncode == 1 and not list(tmp_path.glob("auction-*"))
