"""The measurement runs and says what it measured; how fast is no test."""

import json


def test_bench_measures_both_arithmetics_and_every_kind_of_kernel(cli, stack):
    backend, adapter = stack
    code, out, _ = cli("bench", "--model", "tiny", "--rounds", 1, "--backend", backend, "--adapter", adapter, "--json")
    result = json.loads(out)
    assert code == 0 and result["adapter"] == adapter
    assert [row["side"] for row in result["rates"]] == ["exact", "float32"]
    assert all(row[kind] > 0 for row in result["rates"] for kind in ("prefill", "decode", "batch"))
    assert {"attention", "rms_norm", "matmul_q4 qkv"} <= {row["op"] for row in result["kernels"]["1"]}


def test_a_peer_needs_a_model_file(cli, stack):
    code, _, err = cli("bench", "--model", "tiny", "--peers")
    assert code == 2 and "the model tiny has no file" in err
