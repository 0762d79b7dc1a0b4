"""What is shown while a model is loaded and a prompt read: on standard error, nothing obeyed, gone before the text."""

import subprocess
import sys
import threading

import pytest

from inference.commands import progress
from inference.commands.progress import working

RUN = ("run", "--model", "tiny", "--backend", "numpy", "--prompt", "Hi", "--max-tokens", "2")


def test_a_terminal_is_told_what_is_done_before_the_first_token(cli, monkeypatch):
    code, plain, _ = cli(*RUN)
    monkeypatch.setenv("FORCE_COLOR", "1")
    again, out, err = cli(*RUN)
    assert (code, out) == (again, plain) == (0, plain)
    assert err.index("loading tiny ...") < err.index("reading the prompt ...") < err.index("2 tokens on numpy")


def test_one_token_has_no_rate(cli):
    code, _, err = cli(*RUN[:-1], "1")
    assert code == 0 and "1 token on numpy (numpy): digest " in err


@pytest.mark.parametrize("patience, said", [(0.0, "reading \\x1b[2J ...\n"), (3600.0, "")])
def test_elsewhere_a_line_is_written_once_it_takes_long(monkeypatch, capfd, patience, said):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setattr(progress, "PATIENCE", patience)
    with working("reading \x1b[2J"):
        for thread in threading.enumerate():
            if isinstance(thread, threading.Timer) and not patience:
                thread.join()
    assert capfd.readouterr() == ("", said)


def test_the_command_line_starts_without_what_only_reading_a_file_or_a_device_needs():
    """Seconds of importing, before a run of a kept model says its first token."""
    slow = {"gguf", "wgpu", "jinja2", "minijinja", "onnx", "fastapi", "starlette"}
    code = f"import sys, inference.commands.cli; print(*({slow!r} & sys.modules.keys()))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split() == []
