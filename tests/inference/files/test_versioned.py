"""A file that changes between its header and its tensors is refused in a line, whatever it is by then."""

import os

import pytest
from architecture_files import drawn, write_directory, write_gguf

from inference.files.reading import read_model


@pytest.fixture(params=["gguf", "safetensors"])
def read(request, tmp_path):
    """A model whose matrices were not read yet, and the file that holds them."""
    config, tensors = drawn("llama")
    if request.param == "gguf":
        path = write_gguf(tmp_path / "m.gguf", "llama", config, tensors)
        return read_model(path), path
    path = write_directory(tmp_path / "m", config, tensors)
    [file] = path.glob("*.safetensors")
    return read_model(path), file


def shortened(path):
    os.truncate(path, path.stat().st_size // 3)


def rewritten(path):
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    os.utime(path, ns=(0, 0))


def replaced(path):
    other, state = path.with_name("other"), path.stat()
    other.write_bytes(bytes(state.st_size))
    os.utime(other, ns=(state.st_atime_ns, state.st_mtime_ns))
    other.replace(path)


@pytest.mark.parametrize("change", [shortened, rewritten, replaced])
def test_another_file_is_not_read(read, change, refusal):
    checkpoint, path = read
    change(path)
    assert refusal(lambda: checkpoint.matrices["layer01.down"]) == f"{path}: it changed while it was read"


def test_a_file_that_is_gone_is_said(read, refusal):
    checkpoint, path = read
    path.unlink()
    assert refusal(lambda: checkpoint.matrices["layer01.down"]).startswith(f"{path}: cannot be read: ")
