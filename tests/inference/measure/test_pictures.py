"""Pictures are measured side by side; the terrain model itself is not needed for it."""

import pytest
from small_network import network

onnx = pytest.importorskip("onnx")

from inference.errors import InputError  # noqa: E402
from inference.measure import pictures  # noqa: E402


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A small network in the terrain model's place."""
    net, output = network()
    path = tmp_path / "net.onnx"
    onnx.save(net.model(output), path)
    monkeypatch.setattr("inference.models.terrain.terrain_file", lambda: path)
    monkeypatch.setattr(pictures, "terrain_file", lambda: path)


def test_both_arithmetics_and_hashing_are_measured(small, device, stack):
    rows, absent = pictures.pictures(device(stack), 1, peers=False)
    assert [row["side"] for row in rows] == ["exact", "exact, leaves hashed", "float32"] and absent == []
    assert all(row["seconds"] > 0 and row["share"] is row["processor_share"] is None for row in rows)


def test_a_share_is_of_the_faster_peer(monkeypatch):
    clock = iter(range(1000))
    seconds = iter([0, 1, 2, 3, 5, 7] * 3)  # of sides in turn: 1, 1 and 2
    monkeypatch.setattr(pictures.time, "perf_counter", lambda: next(seconds))
    monkeypatch.setattr(pictures.time, "process_time", lambda: next(clock))
    sides = dict.fromkeys((*pictures.PEERS, "exact"), lambda: None)
    rows = pictures.measured(sides, 2)
    assert [row["share"] for row in rows] == [1, 1, 0.5] and {row["processor_share"] for row in rows} == {1}


def test_the_peer_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(InputError, match="ONNX Runtime is not installed"):
        pictures.onnx_runtime(None, 1)


def test_what_pictures_are_not_measured_with_is_refused(cli):
    code, _, err = cli("bench", "--model", "terrain", "-p", "8")
    assert code == 2 and "pictures are measured with --peers, --rounds and --json alone" in err
