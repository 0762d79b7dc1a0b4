"""The measurement runs and says what it measured; how fast is no test."""

import datetime
import json
import sys

import pytest

pytestmark = pytest.mark.any_stack


def test_bench_measures_both_arithmetics_and_every_kind_of_kernel(cli, stack):
    backend, adapter = stack
    code, out, _ = cli("bench", "--model", "tiny", "--rounds", 1, "--backend", backend, "--adapter", adapter, "--json")
    result = json.loads(out)
    assert code == 0 and result["adapter"] == adapter and "products" not in result
    assert [row["side"] for row in result["rates"]] == ["exact", "float32"]
    assert all(row[kind] > 0 for row in result["rates"] for kind in ("prefill", "decode", "batch"))
    assert {"attention", "rms_norm", "matmul_q4 down"} <= {row["op"] for row in result["kernels"]["1"]}


def test_peers_that_are_here_are_measured_and_the_others_named(cli, stack, monkeypatch):
    backend, adapter = stack
    monkeypatch.setattr("inference.measure.products.ROWS", (1,))
    for package in ("onnxruntime", "xllamacpp"):
        monkeypatch.setitem(sys.modules, package, None)
    options = ("--rounds", 1, "--backend", backend, "--adapter", adapter, "--json")
    code, out, err = cli("bench", "--model", "tiny", "--peers", *options)
    result = json.loads(out)
    assert code == 0 and [row["side"] for row in result["rates"]] == ["exact", "float32", "numpy"]
    assert [row["side"] for row in result["products"]] == ["exact", "float32", "OpenBLAS, float32"]
    assert len(result["absent"]) == 2 and err.splitlines()[-2:] == result["absent"]
    assert "the model tiny has no file" in err and "onnxruntime-webgpu" in err


def test_this_machine_as_a_provider(cli, stack, tmp_path):
    backend, adapter = stack
    options = ("--rounds", 1, "--backend", backend, "--adapter", adapter, "--json")
    code, out, _ = cli("bench", "--model", "tiny", "--devices", tmp_path / "d.json", "--memory", 2, *options)
    [device] = json.loads((tmp_path / "d.json").read_text())["devices"]
    [model] = device["models"]
    rate = json.loads(out)["rates"][0]
    assert code == 0 and device["adapter"] == adapter and device["memory_bytes"] == 2 * 2**30
    assert datetime.date.fromisoformat(device["date"])
    assert (model["name"], model["family"], model["arithmetic"]) == ("tiny", "llama", "exact")
    assert model["prefill_tokens_per_second"] == rate["prefill"]
    assert model["decode_tokens_per_second"] == rate["decode"]
    # Two layers of q, k, v, output, gate, up, down; a tied embedding; five gains.
    four_bits = 2 * (64 * 64 + 2 * 32 * 64 + 64 * 64 + 3 * 64 * 128)
    assert model["parameters"] == four_bits + 256 * 64 + 5 * 64
    assert model["weight_bytes"] == four_bits * 20 // 32 + 256 * 64 * 34 // 32


def test_bad_input(cli, tmp_path):
    for options, part in (
        (("--rounds", 0), "--rounds 0"),
        (("--memory", 0), "--memory 0"),
        (("--devices", tmp_path), "cannot be written"),
        (("--devices", tmp_path / "none" / "d.json"), "cannot be written"),
    ):
        code, _, err = cli("bench", "--model", "tiny", *options)
        assert code == 2 and part in err and err.count("\n") == 1
