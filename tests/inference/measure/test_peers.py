"""Peers compute what we compute, where they say they do; those that are absent are named in one line."""

import sys

import numpy as np
import pytest

from inference.device import adapters
from inference.errors import InputError
from inference.measure import peers, products

SMALL = {"width": 64, "hidden": 96, "pairs": 1}


@pytest.fixture
def ordinary(device):
    """The device a peer shares with us: the first that is not SwiftShader."""
    stacks = [stack for stack in adapters.stacks() if not adapters.is_swiftshader(stack[1])]
    if not stacks:
        pytest.skip("no WebGPU adapter; make adapter")
    return device(stacks[0])


def test_openblas_computes_the_chain():
    chain = products.chain(5, **SMALL)
    expected = chain.x @ chain.matrices[0].matrix().T @ chain.matrices[1].matrix().T
    assert np.allclose(peers.openblas(chain)(), expected, atol=1e-5)


@pytest.mark.parametrize("weights", ["4 bits", "float32"])
@pytest.mark.parametrize("rows", [1, 16])
def test_onnx_runtime_computes_the_chain_on_webgpu(ordinary, weights, rows):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    chain = products.chain(rows, **SMALL)
    output, expected = peers.onnx_runtime(chain, weights, ordinary)(), peers.openblas(chain)()
    assert np.linalg.norm(output - expected) < 0.02 * np.linalg.norm(expected)


def test_a_node_that_would_run_on_the_processor_is_refused(ordinary, monkeypatch, refusal):
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    chain = products.chain(1, **SMALL)
    node = onnx.helper.make_node("NonZero", ["x"], ["y"])  # the WebGPU provider has none
    ends = [onnx.helper.make_tensor_value_info(*end) for end in (("x", 1, (1, 64)), ("y", 7, (2, None)))]
    built = onnx.helper.make_graph([node], "elsewhere", ends[:1], ends[1:])
    opset = [onnx.helper.make_opsetid("", 21)]
    content = onnx.helper.make_model(built, opset_imports=opset, ir_version=10).SerializeToString()
    monkeypatch.setattr(peers, "_onnx_chain", lambda *_: content)
    assert "the peer ONNX Runtime failed" in refusal(peers.onnx_runtime, chain, "float32", ordinary)


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_onnx_runtime_is_named_where_it_is_absent(monkeypatch, refusal, package):
    monkeypatch.setitem(sys.modules, package, None)
    chain = products.chain(1, **SMALL)
    line = refusal(peers.onnx_runtime, chain, "4 bits", None)
    assert line.startswith("the peer ONNX Runtime needs the packages onnxruntime-webgpu and onnx")


def test_llama_cpp_is_named_where_it_is_absent(monkeypatch, refusal, tmp_path):
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    assert refusal(peers.llama_cpp, tmp_path) == "the peer llama.cpp needs the package xllamacpp"


def test_llama_cpp_takes_no_other_format(refusal, tmp_path):
    pytest.importorskip("xllamacpp")
    assert refusal(peers.llama_cpp, tmp_path) == f"the peer llama.cpp reads .gguf files, not {tmp_path}"


def test_absent_peers_leave_the_others():
    def absent():
        raise InputError("not here")

    assert peers.present({"a": lambda: 1, "b": absent}) == ({"a": 1}, ["not here"])


def test_numpy_takes_few_tokens(tiny_model):
    assert peers.numpy_reference(tiny_model("exact"))().keys() == {"prefill", "decode"}
