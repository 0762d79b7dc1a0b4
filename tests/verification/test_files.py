"""Files that commands write: whole or not at all, past whatever lies in the way."""

import json

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
