"""Derived models are kept by what they follow from, and only that is loaded."""

import os

import pytest
from architecture_files import drawn, write_directory

from inference.files import cache
from inference.files import derived as kept
from inference.files.derived import derived
from inference.files.reading import read_model
from inference.models.llama import model


@pytest.fixture
def directory(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "folder", lambda kind: tmp_path / "cache" / kind)
    return write_directory(tmp_path / "hf", *drawn("llama"))


def make(path, arithmetic="exact"):
    return lambda: (model("small", read_model(path), arithmetic), {"tokenizer.json": "{}"})


def never():
    raise AssertionError


def files(directory):
    return sorted((directory.parent / "cache").rglob("*.npz"))


def test_what_was_derived_is_loaded_again(directory):
    first, fields = derived(directory, "exact", make(directory))
    again, said = derived(directory, "exact", never)
    assert (again.digest, said) == (first.digest, fields)
    assert derived(directory, "float32", make(directory, "float32"))[0].arithmetic == "float32"
    assert len(files(directory)) == 2


@pytest.mark.parametrize("changed", ["file", "code", "kept"])
def test_what_has_changed_is_derived_anew(directory, monkeypatch, changed):
    derived(directory, "exact", make(directory))
    if changed == "file":
        os.utime(directory / "config.json", ns=(1, 1))
    elif changed == "code":
        monkeypatch.setattr(kept, "_code", lambda: "other")
    else:
        [file] = files(directory)
        file.write_bytes(file.read_bytes()[:-300])
    with pytest.raises(AssertionError):
        derived(directory, "exact", never)
    assert derived(directory, "exact", make(directory))[0].name == "small"


def test_the_oldest_goes_where_there_is_no_room(directory, monkeypatch):
    derived(directory, "exact", make(directory))
    [old] = files(directory)
    monkeypatch.setattr(kept, "MOST", old.stat().st_size)
    derived(directory, "float32", make(directory, "float32"))
    assert old not in files(directory)
    monkeypatch.setattr(kept, "MOST", 100)
    assert derived(directory, "exact", make(directory))[0].arithmetic == "exact"
    assert old not in files(directory)


def test_a_place_that_may_not_be_written_keeps_nothing(directory):
    (directory.parent / "cache").write_text("a file")
    assert derived(directory, "exact", make(directory))[0].name == "small"


def test_what_changed_while_it_was_derived_is_not_kept(directory):
    def meanwhile():
        made = make(directory)()
        config = directory / "config.json"
        config.write_text(config.read_text() + "\n")
        return made

    derived(directory, "exact", meanwhile)
    assert not files(directory)
