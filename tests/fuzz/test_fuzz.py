"""Damaged files are read or refused with one line; and the fuzzer notices a reader that does neither."""

import os
import subprocess
import sys
from pathlib import Path

import fuzz
import pytest
import readers

INPUTS = 30


def test_damaged_files_are_read_or_refused_with_one_line(tmp_path):
    """The same few inputs of every reader, in one process for all."""
    found = {name: kinds for name, *_, kinds in fuzz.fuzz(list(readers.READERS), 0, INPUTS, 600, tmp_path)}
    assert found.keys() == readers.READERS.keys()
    assert not any(found.values()), [path.read_text() for path in tmp_path.glob("*/finding.txt")]


@pytest.mark.slow
@pytest.mark.parametrize("name", readers.READERS)
def test_thirty_seconds_of_damaged_files_are_read_or_refused(name, tmp_path):
    [(_, inputs, _, found)] = fuzz.fuzz([name], 1, 2**62, 30, tmp_path)
    assert inputs and not found, [path.read_text() for path in tmp_path.glob("*/finding.txt")]


# Two modules in the place of the fuzzer's own: its readers, and itself with a shorter limit.
READERS = """
import os
from types import SimpleNamespace

class InputError(ValueError):
    pass

def write(root):
    (root / "one").mkdir()
    (root / "one" / "file.bin").write_bytes(b"good")

def read(path):
    if (path / "file.bin").read_bytes() != b"good":
        {}

READERS = {{"broken": SimpleNamespace(seeds=write, read=read, errors=(InputError,))}}
"""
SHORTER = """
import fuzz

fuzz.SECONDS = 1
fuzz.__file__ = __file__
fuzz.main()
"""


@pytest.mark.parametrize(
    "fault, where",
    [
        ("raise KeyError(1)", "KeyError at"),
        ("raise InputError('one\\ntwo')", "InputError of 2 lines"),
        ("bytearray(2**31)", "MemoryError at"),
        ("while True: pass", "more than 1 s"),
        ("os.abort()", "it died: SIGABRT"),
        ("raise SystemExit(3)", "SystemExit at"),
    ],
)
def test_a_reader_that_fails_is_found_and_its_input_kept(fault, where, tmp_path):
    (tmp_path / "readers.py").write_text(READERS.format(fault))
    (tmp_path / "shorter.py").write_text(SHORTER)
    command = [sys.executable, tmp_path / "shorter.py", "--number", "2", "--findings", tmp_path / "kept"]
    environment = os.environ | {"PYTHONPATH": str(Path(fuzz.__file__).parent)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 1 and where in done.stdout, done.stdout + done.stderr
    first = min((tmp_path / "kept").iterdir())
    assert where in (first / "finding.txt").read_text() and (first / "file.bin").read_bytes() != b"good"


def test_inputs_are_the_same_by_seed_and_number_and_differ_from_the_good_ones(tmp_path):
    readers.READERS["devices"].seeds(tmp_path)
    good = fuzz.seeds(tmp_path)
    drawn = [fuzz.draw_input("devices", seed, number, good) for seed in (0, 1) for number in range(100)]
    assert drawn == [fuzz.draw_input("devices", seed, number, good) for seed in (0, 1) for number in range(100)]
    assert sum(files in good for files in drawn) < 20 and len({str(files) for files in drawn}) > 150
