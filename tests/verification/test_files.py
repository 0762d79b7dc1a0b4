"""Files of commands: read within a budget; written whole or not at all, past whatever lies in the way."""

import json
import os
from pathlib import Path

import pytest

from verification import files
from verification.errors import InputError


def test_what_is_there_is_replaced_and_nothing_else_touched(tmp_path):
    path, mine = tmp_path / "t.json", tmp_path / "t.json.tmp"
    victim = tmp_path / "victim"
    victim.write_text("mine")
    mine.symlink_to(victim)
    for content in ({"a": 1}, {"a": 2}):
        files.write(path, content)
        assert json.loads(path.read_text()) == content
    assert victim.read_text() == "mine" and mine.is_symlink() and not path.is_symlink()
    assert len(list(tmp_path.iterdir())) == 3


def test_a_planted_link_is_not_followed(tmp_path, monkeypatch):
    monkeypatch.setattr(files.secrets, "token_hex", lambda size: "0" * 2 * size)
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / f".t.json.{'0' * 16}.tmp").symlink_to(victim)
    with pytest.raises(InputError, match="cannot be written: File exists"):
        files.write(tmp_path / "t.json", {})
    assert victim.read_text() == "mine"


def test_what_fails_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        files.write(tmp_path / ("x" * 250), {})
    with pytest.raises(TypeError):
        files.write(tmp_path / "t.json", {"a": object()})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[" * 100_000, "nested too deep"),
        (b'{"a": ' * 100_000, "nested too deep"),
        (b"9" * 5000, "is not JSON"),
        (b'{"a": 1, "a": 1}', "a key is given twice"),
        (b'{"a": {"b": 1, "b": 2}}', "a key is given twice"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": -Infinity}', "-Infinity is no number"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b"", "is not JSON"),
        (b'{"b": 1}', "a letter is expected, an object with the keys a"),
        (b"[1]", "a letter is expected, an object with the keys a"),
        (b" " * (2**24 + 1), "16777217 bytes; a letter is expected, of at most 16777216"),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path, content, said):
    path = tmp_path / "file.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        files.read(path, {"a"}, "a letter")
    assert "\n" not in str(caught.value)


def test_what_has_no_end_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (Path("/dev/zero"), tmp_path / "pipe", tmp_path):
        with pytest.raises(InputError, match="not a regular file"):
            files.read(path, {"a"}, "a letter")
