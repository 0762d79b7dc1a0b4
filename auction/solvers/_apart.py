"""A process of its own for what can die or cannot be stopped: native solvers, and building what they are given.

``last`` runs a generator function there and returns the last value it yielded, whatever became of it. The process is
started on first use, kept for the next call and started anew after a death; it never outlives its parent.
"""

import atexit
import contextlib
import os
import pickle
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from auction._compiled import when_compiling
from auction.errors import InputError
from auction.search import Stop

GRACE = 0.5  # seconds that are left for an answer once it was told to stop

Function = Callable[..., Iterator[Any]]


def last(function: Function, stop: Stop, *arguments: Any) -> tuple[Any, str | None]:
    """The last value that a generator yields in a process of its own, and why it did not go on to its end.

    Args:
        function: a generator function at the top of a module, called as ``function(stop, *arguments)``; the stop it
            gets has the time that is left, is interrupted with the caller's and reports to it. Each value it yields
            takes the place of the one before: what was found so far is never lost. Time passes from when the process
            has started and imported it, and stands still while it compiles.
        stop: GRACE seconds after its limit, or after an interrupt, the process and all it started are killed.
        arguments: anything that pickles.

    Returns:
        the value (None before the first), and None where the generator ended by itself; otherwise in words what
        happened: 'time limit', 'interrupted', 'its process died of signal 11 (SIGSEGV)', 'MemoryError: ...'.

    Raises:
        InputError: raised by the function.
    """
    process = _idle.pop() if _idle else _Process()
    value = None
    try:
        for kind, sent in process.answers(stop, (function, arguments)):
            if kind == "value":
                value = sent
            elif kind == "report":
                stop.report(welfare=sent.welfare, bound=sent.bound)
            elif kind == "ended":
                _idle.append(process)
                return value, None
            elif kind == "raised":
                _idle.append(process)
                if isinstance(sent, InputError):
                    raise sent
                return value, sent
        process.end()
        return value, "interrupted" if stop.interrupted else "time limit"
    except ChildProcessError as died:
        process.end()
        return value, str(died)
    except BaseException as error:
        if not isinstance(error, InputError):
            process.end()
        raise


def start() -> None:
    """Have a process starting while the caller prepares what it will send."""
    if not _idle:
        _idle.append(_Process())


class _Process:
    """The parent's side of one process: pickles in, pickles out, one call at a time."""

    def __init__(self) -> None:
        self._folder = Path(mkdtemp(prefix="auction-"))  # what a solver writes there goes with its process
        self._printed = self._folder / "printed"  # by libraries: its last line says what ended them
        self._received: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._number = 0
        environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TMPDIR": str(self._folder)}
        with self._printed.open("wb") as printed:
            self._popen = subprocess.Popen(
                [sys.executable, "-c", f"from {__name__} import serve; serve({str(self._folder)!r})"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=printed,
                env=os.environ | environment,
                start_new_session=True,  # Ctrl-C is the parent's to handle; one signal reaches all that it started
            )
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self) -> None:
        assert self._popen.stdout is not None
        with self._popen.stdout as stream:
            try:
                while True:
                    self._received.put(pickle.load(stream))
            except (EOFError, pickle.UnpicklingError, OSError, ValueError):
                self._received.put(("gone", None))

    def _send(self, message: Any) -> None:
        assert self._popen.stdin is not None
        with contextlib.suppress(OSError, ValueError):  # it is gone: the receiver says so
            pickle.dump(message, self._popen.stdin)
            self._popen.stdin.flush()

    def answers(self, stop: Stop, call: Any) -> Iterator[tuple[str, Any]]:
        """What it sends on one call, until its time is over.

        Raises:
            ChildProcessError: it is gone; of what, in words.
        """
        self._number = number = self._number + 1

        def interrupt() -> None:
            self._send((number, None))
            self._received.put(("interrupted", number))

        paused, end, cut = time.perf_counter(), float("inf"), float("inf")
        self._send((number, (pickle.dumps(call), stop.remaining())))
        stop.on_interrupt(interrupt)
        while True:
            left = max(0.0, min(end, cut) - time.perf_counter())
            try:
                kind, sent = self._received.get(timeout=min(left, threading.TIMEOUT_MAX))
            except queue.Empty:
                return
            if kind == "gone":
                raise ChildProcessError(self._cause())
            if kind == "paused":  # it compiles: its clock stands still, and so does this one
                paused, end = time.perf_counter(), float("inf")
            elif kind == "begun":
                stop.postpone(time.perf_counter() - paused)
                if (remaining := stop.remaining()) is not None:
                    end = time.perf_counter() + remaining + GRACE
            elif kind != "interrupted":
                yield kind, sent
            elif sent == number:  # of this call, not of one that had its answer
                cut = min(cut, time.perf_counter() + GRACE)

    def _cause(self) -> str:
        code = self._popen.wait()
        if code < 0:
            return f"its process died of signal {-code} ({signal.Signals(-code).name})"
        lines = self._printed.read_text(errors="replace").split("\n")
        printed = next((line.strip() for line in reversed(lines) if line.strip()), "nothing printed")
        return f"its process ended with exit code {code}: {printed}"

    def end(self) -> None:
        """Kill it and all that it started, and remove what they wrote."""
        # Before as well: this process may itself be ended once the other is dead, and nobody is left to do it.
        shutil.rmtree(self._folder, ignore_errors=True)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        assert self._popen.stdin is not None
        with contextlib.suppress(OSError):
            self._popen.stdin.close()
        self._popen.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


_idle: list[_Process] = []
_of_parent: list[_Process] = []  # of the process that this one is a fork of: not ours to use or to end


@atexit.register
def _end() -> None:
    while _idle:
        _idle.pop().end()


def _disown() -> None:
    _of_parent.extend(_idle)
    _idle.clear()


os.register_at_fork(after_in_child=_disown)


def serve(folder: str) -> None:
    """The process's side: one call after the other, each with a stop that the parent can interrupt.

    Args:
        folder: its own, removed when the parent is gone.
    """
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)  # libraries print
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # unless a solver waits for it
    calls: queue.SimpleQueue[tuple[bytes, Stop]] = queue.SimpleQueue()
    answering = threading.Lock()

    def receive() -> None:
        current, stop = 0, Stop(None)
        try:
            while True:
                number, request = pickle.load(requests)
                if request is not None:
                    call, remaining = request
                    current, stop = number, Stop(remaining, partial(answer, "report"))
                    calls.put((call, stop))
                elif number == current:
                    stop.interrupt()
        finally:  # the parent is gone: and so goes all that was started here
            shutil.rmtree(folder, ignore_errors=True)
            os.killpg(0, signal.SIGKILL)

    def answer(kind: str, sent: Any = None) -> None:
        with answering:  # solvers report from threads of their own
            pickle.dump((kind, sent), answers)
            answers.flush()

    when_compiling(lambda compiling: answer("paused" if compiling else "begun"))
    threading.Thread(target=receive, daemon=True).start()
    while True:
        call, stop = calls.get()
        begun = time.perf_counter()
        try:
            function, arguments = pickle.loads(call)
            stop.postpone(time.perf_counter() - begun)
            answer("begun")
            for value in function(stop, *arguments):
                answer("value", value)
        except InputError as error:
            answer("raised", error)
        except BaseException as error:  # noqa: BLE001 - handed to the parent, in words
            answer("raised", " ".join(f"{type(error).__name__}: {error}".split()))
        else:
            answer("ended")
