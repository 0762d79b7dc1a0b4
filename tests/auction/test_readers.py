"""Files that were written to hang, to fill memory or to say two things at once: one line each, at once."""

import io
import json
import os
import struct
import time
import zipfile

import numpy as np
import pytest

from auction import readers
from auction.files import read_certificate, read_market, read_outcome, write_market
from auction.market import FIELDS


@pytest.fixture
def members(tmp_path, generate):
    """The members of a market.npz."""
    path = tmp_path / "good.npz"
    write_market(path, generate("uniform", 3, 4))
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def npz(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def header(descr, shape):
    text = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode()
    text += b" " * (117 - len(text)) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


DTYPES = ("<i8", "|O", "<f8", "|V99999999", "|V0", "|S0", "<U0", "<U1000000", "|b1", "<c16", "(9,)<i8", [("a", "<i8")])
SHAPES = ((10**12,), (10**18,), (2**63,), (-1,), (0,), (3, -2), (10**9, 10**9), (), (0, 10**18), (-1, -1))


@pytest.mark.parametrize("name", ["value", "alpha", "demand"])
def test_headers_that_state_what_is_not_there(tmp_path, refusal, members, name):
    for descr in DTYPES:
        for shape in SHAPES:
            path = npz(tmp_path / "market.npz", members | {f"{name}.npy": header(descr, shape)})
            assert refusal(read_market, path).startswith(f"{path}: ")


@pytest.mark.parametrize("value", [np.ones(3, bool), np.ones(3, complex), np.array(["1", "2", "3"])])
def test_arrays_of_what_is_no_number(tmp_path, refusal, members, value):
    file = io.BytesIO()
    np.save(file, value)
    path = npz(tmp_path / "market.npz", members | {"value.npy": file.getvalue()})
    assert f"value.npy holds {value.dtype}; numbers are needed" in refusal(read_market, path)


@pytest.mark.parametrize(
    "start", [b"\x93NUMPY\x02\x00", b"\x93NUMPY\x03\x00", b"\x93NUMPY\x01\x00\xff\xff", b"PK", b""]
)
def test_headers_of_other_versions_and_none(tmp_path, refusal, members, start):
    path = npz(tmp_path / "market.npz", members | {"value.npy": start + struct.pack("<I", 2**31) + b"(" * 9000})
    assert refusal(read_market, path).startswith(f"{path}: not a readable npz file (")


def test_arrays_by_columns_are_read(tmp_path, members):
    path = npz(tmp_path / "market.npz", members)
    market = read_market(path)
    np.savez(path, **{name: np.asarray(getattr(market, name), order="F") for name in FIELDS})
    assert read_market(path).digest == market.digest


def test_packed_arrays_are_read_and_bombs_are_not(tmp_path, refusal, members, monkeypatch):
    path = npz(tmp_path / "market.npz", members, zipfile.ZIP_DEFLATED)
    read_market(path)
    bomb = members | {"value.npy": header("<i8", (500_000,)) + bytes(4_000_000)}
    monkeypatch.setattr(readers, "LARGEST_ARRAYS", 1_000_000)
    path = npz(tmp_path / "market.npz", bomb, zipfile.ZIP_DEFLATED)
    assert "bytes; at most 1000000 are read" in refusal(read_market, path)
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        assert "stored or deflated" in refusal(read_market, npz(path, members, method))


def test_names_are_looked_at_before_anything_is_unpacked(tmp_path, refusal, members, monkeypatch):
    path = npz(tmp_path / "market.npz", members | {"junk.npy": b""})
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("unpacked"))
    assert "has an unknown field 'junk'" in refusal(read_market, path)


def test_archives_of_many_members(tmp_path, refusal, members):
    path = npz(tmp_path / "market.npz", {f"x{i}.npy": b"" for i in range(20_000)})
    assert "not a readable npz file (a part of " in refusal(read_market, path)
    with zipfile.ZipFile(npz(path, members), "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("value.npy", members["value.npy"])
    assert "an array occurs twice" in refusal(read_market, path)


@pytest.mark.parametrize("read", [read_market, read_outcome, read_certificate])
def test_keys_that_occur_twice(tmp_path, refusal, read):
    path = tmp_path / "market.json"
    path.write_text('{"value": [1], "options": {"a": 1, "b": 2, "a": 3}}')
    assert refusal(read, path) == f"{path}: not valid JSON (the key 'a' occurs twice)"


@pytest.mark.parametrize(
    "text", ["[" * 10**6, '{"a":' * 10**6, "9" * 10**6, json.dumps({"value": "x" * 10**6}), "[" + "1," * 10**5], ids=len
)
def test_deep_long_and_endless_json(tmp_path, refusal, text):
    path = tmp_path / "market.json"
    path.write_text(text)
    assert len(refusal(read_market, path)) < 400


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_what_never_ends_is_not_opened(tmp_path, refusal, suffix):
    pipe, zero, large = (tmp_path / f"{name}{suffix}" for name in ("pipe", "zero", "large"))
    os.mkfifo(pipe)
    zero.symlink_to("/dev/zero")
    with large.open("wb") as file:
        file.truncate(2**31)
    began = time.perf_counter()
    for path in (pipe, zero):
        assert refusal(read_market, path) == f"{path}: is not a regular file"
    assert refusal(read_market, large).startswith(f"{large}: has {2**31} bytes; at most ")
    assert time.perf_counter() - began < 5
