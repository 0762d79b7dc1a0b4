"""The criterion on speed judges as it reads, whatever is absent; how fast is no test."""

import pandas as pd
import pytest

from experiments.claims import kernel_speed
from experiments.claims.kernel_speed import ANSWER, GEMM, GEMV, PROMPT
from inference.device import adapters
from inference.errors import InputError
from inference.measure import peers

RATES = {
    (GEMM, "exact"): 9.0,
    (GEMM, "float32"): 3.0,
    (GEMM, "OpenBLAS, float32"): 10.0,
    (GEMM, "ONNX Runtime, 4 bits"): 1.0,
    (GEMM, "ONNX Runtime, float32"): 1.5,
    (GEMV, "exact"): 2.0,
    (GEMV, "float32"): 4.0,
    (GEMV, "OpenBLAS, float32"): 2.0,
    (GEMV, "ONNX Runtime, 4 bits"): 0.5,
    (GEMV, "ONNX Runtime, float32"): 0.1,
    (PROMPT, "exact"): 90.0,
    (PROMPT, "llama.cpp"): 100.0,
    (ANSWER, "exact"): 80.0,
    (ANSWER, "llama.cpp"): 100.0,
}


def results(changed=None, without=(), kind="CPU", processors=1.9, absent=""):
    rates = {key: rate for key, rate in (RATES | (changed or {})).items() if not key[1].startswith(tuple(without))}
    rows = [(*key, rate, "GMAC/s", processors) for key, rate in rates.items()]
    machine = {"implementation": "wgpu", "adapter": "soft", "type": kind, "processors": 2, "absent": absent}
    columns = ["what", "side", "rate", "unit", "processors"]
    return {"rates": pd.DataFrame(rows, columns=columns), "machine": pd.DataFrame([machine])}


def test_shares_are_of_the_native_program_and_leads_of_the_faster_peer():
    rates = results()["rates"]
    assert kernel_speed.shares(rates).to_dict() == {GEMM: 0.9, GEMV: 2.0, PROMPT: 0.9, ANSWER: 0.8}
    assert list(kernel_speed.shares(rates).index) == [GEMM, GEMV, PROMPT, ANSWER]
    assert kernel_speed.lead(rates) == 6.0


@pytest.mark.parametrize(
    "changed, verdict",
    [
        ({}, "upheld"),
        ({(ANSWER, "exact"): 79.0}, "qualified"),
        ({(PROMPT, "exact"): 20.0}, "qualified"),
        ({(PROMPT, "exact"): 19.0}, "refuted"),
        ({(GEMM, "exact"): 1.0, (GEMM, "float32"): 1.9}, "refuted"),
        ({(GEMM, "ONNX Runtime, 4 bits"): 99.0}, "upheld"),
    ],
)
def test_the_least_share_decided_while_it_was_a_claim(changed, verdict):
    assert kernel_speed.as_a_claim(results(changed)) == verdict
    assert kernel_speed.check(results(changed)).verdict == "found"


def test_the_figure_is_every_share():
    verdict = kernel_speed.check(results())
    shares = f"{GEMM} 90%, {GEMV} 200%, {PROMPT} 90%, {ANSWER} 80%"
    assert verdict.figure == f"of native programs: {shares}"
    assert "Ours are at least 6.0 times as fast as ONNX Runtime's on it." in verdict.explanation


def test_openblas_decides_from_80_percent_of_the_processors():
    assert kernel_speed.check(results(processors=1.6)).verdict == "found"
    assert kernel_speed.check(results(processors=1.59)).verdict == "undecided"
    assert kernel_speed.as_a_claim(results(processors=1.59)) == "undecided"


@pytest.mark.parametrize("how", [{"kind": "DiscreteGPU"}, {"processors": 1.5}])
def test_a_gpu_and_a_busy_machine_decide_nothing(how):
    verdict = kernel_speed.check(results({(PROMPT, "exact"): 1.0}, **how))
    assert verdict.verdict == "undecided" and not verdict.figure


def test_without_the_optional_peers_openblas_is_beside_it():
    lacking = results(without=("llama.cpp", "ONNX"), absent="no llama.cpp")
    lacking["rates"] = lacking["rates"][lacking["rates"]["what"].isin((GEMM, GEMV))]
    verdict = kernel_speed.check(lacking)
    assert verdict.verdict == "found" and "Absent: no llama.cpp." in verdict.explanation
    assert "ONNX" not in verdict.explanation
    assert kernel_speed.figures(lacking) and len(kernel_speed.tables(lacking)) == 2


def test_without_an_adapter_nothing_is_measured(monkeypatch):
    monkeypatch.setattr(kernel_speed, "stacks", list)
    found = kernel_speed.run("small")
    verdict = kernel_speed.check(found)
    assert verdict.verdict == "undecided" and "there is no WebGPU adapter" in verdict.explanation
    assert kernel_speed.figures(found) and len(kernel_speed.tables(found)) == 1


def test_the_model_is_left_out_where_llama_cpp_is_absent(monkeypatch):
    def absent(_):
        raise InputError("no llama.cpp")

    monkeypatch.setattr(peers, "llama_cpp", absent)
    assert kernel_speed._model(None, 1) == ([], ["no llama.cpp"])


def test_a_run_names_its_machine(tiny):
    found = tiny("kernel_speed")
    stacks = [stack for stack in adapters.stacks() if not adapters.is_swiftshader(stack[1])]
    assert len(found["machine"]) == 1
    if stacks:
        assert {"exact", "float32", "OpenBLAS, float32"} <= set(found["rates"]["side"])
        assert tuple(found["machine"].iloc[0][["implementation", "adapter"]]) == stacks[0]
