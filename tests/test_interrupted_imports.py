"""Ctrl-C while modules are imported: by a command line, or by what native code calls."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
INTERRUPTING = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n"
START = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)  # background jobs ignore it
os.execv(sys.executable, [sys.executable, "-m", sys.argv[1]])
"""


@pytest.mark.parametrize("imported", ["numpy", "typer"])
@pytest.mark.parametrize("package", ["auction", "inference", "verification", "experiments"])
def test_an_interrupt_of_an_import_leaves_no_traceback(tmp_path, package, imported):
    (tmp_path / f"{imported}.py").write_text(INTERRUPTING)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, "-c", START, package]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


LOADING = """
import os, signal, sys
from auction import registry, solvers
signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore it
solvers.__path__.append(sys.argv[1])
try:
    registry.load(solvers, "swallowing", "solver")
except KeyboardInterrupt:
    print("interrupted", solvers.swallowing.complete)
"""
SWALLOWING = """
import os, signal
try:
    os.kill(os.getpid(), signal.SIGINT)
except KeyboardInterrupt:
    pass
complete = True
"""


def test_an_interrupt_of_an_import_is_raised_once_the_module_is_whole(tmp_path):
    (tmp_path / "swallowing.py").write_text(SWALLOWING)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", LOADING, str(tmp_path)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "interrupted True\n", "")
