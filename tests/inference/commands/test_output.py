"""Files that commands write: whole or not at all, past whatever lies in the way."""

from pathlib import Path

import pytest

from inference.commands import output
from inference.errors import InputError


def test_what_is_there_is_replaced_and_nothing_else_touched(tmp_path):
    path, mine, victim = tmp_path / "out.txt", tmp_path / "out.txt.tmp", tmp_path / "victim"
    victim.write_text("mine")
    mine.symlink_to(victim)
    for content in ("one", "two"):
        output.write(path, content)
        assert path.read_text() == content
    assert victim.read_text() == "mine" and mine.is_symlink()
    assert len(list(tmp_path.iterdir())) == 3


def test_a_planted_link_is_not_followed(tmp_path, monkeypatch):
    monkeypatch.setattr(output.secrets, "token_hex", lambda size: "0" * 2 * size)
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / f".out.txt.{'0' * 16}.tmp").symlink_to(victim)
    with pytest.raises(InputError, match="cannot be written: File exists"):
        output.write(tmp_path / "out.txt", "text")
    assert victim.read_text() == "mine"


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        output.write(tmp_path / ("x" * 250), "text")
    assert not list(tmp_path.iterdir())
    output.write(Path("/dev/null"), "text")
    assert not Path("/dev/null").is_file()
