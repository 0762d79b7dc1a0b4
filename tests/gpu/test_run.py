"""What a GPU is to run, run without one: every step ends, and the summary says what was found."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from inference.device import adapters

SCRIPT = Path(__file__).parent / "run.sh"


@pytest.mark.slow
@pytest.mark.skipif(not adapters.stacks(), reason="no WebGPU adapter; make adapter")
def test_the_script_runs_without_a_gpu(tmp_path):
    environment = os.environ | {"PYTHON": sys.executable}
    done = subprocess.run(["bash", SCRIPT, tmp_path], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = (tmp_path / "summary.md").read_text()
    assert "one digest" in summary and "| answer 2 | 2 | float32 |" in summary
    assert not (tmp_path / "failed.txt").exists()


def test_a_directory_is_asked_for():
    done = subprocess.run(["bash", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr == "usage: bash tests/gpu/run.sh OUT\n"
