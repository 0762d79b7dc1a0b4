"""What is shown while something runs: on a terminal alone, on standard error, nothing obeyed."""

import threading

import pytest

from verification.commands import progress as command_progress
from verification.commands.progress import progress, working


@pytest.fixture
def terminal(monkeypatch):
    """Standard error as if it were a terminal."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")


def show():
    with working("reading the \x1b[2J model [red]"):
        pass
    with progress("hashing") as advance:
        advance(3, 7)
        print("told")


def test_it_says_what_and_how_far(terminal, capfd):
    show()
    out, err = capfd.readouterr()
    assert out == "told\n"
    assert r"reading the \x1b[2J model [red]" in err and "\x1b[2J" not in err
    assert "hashing" in err and "3/7" in err


def test_where_nobody_sees_it_nothing_is_shown(monkeypatch, capfd):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    show()
    assert capfd.readouterr() == ("told\n", "")


def test_where_nobody_sees_it_a_line_is_written_once_it_takes_long(monkeypatch, capfd):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setattr(command_progress, "PATIENCE", 0.0)
    with working("hashing \x1b[2J"):
        for thread in threading.enumerate():
            if isinstance(thread, threading.Timer):
                thread.join()
    assert capfd.readouterr() == ("", "hashing \\x1b[2J ...\n")
