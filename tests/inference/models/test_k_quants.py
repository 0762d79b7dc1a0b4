"""Models whose blocks are llama.cpp's Q4_K, Q5_K and Q6_K: read to the bit, and multiplied as they are."""

from dataclasses import replace
from types import SimpleNamespace

import gguf
import numpy as np
import pytest
from architecture_files import drawn, k_quants, plain, write_gguf
from test_architectures import IDS, LARGEST, described, logits_of
from test_divided_tables import check_leaves

from inference.computation import Inference
from inference.device.runtime import Runtime
from inference.files.reading import read_model
from inference.generate import generate
from inference.measure.provider import provider
from inference.model import layer
from inference.models._exact import QKV, joined
from inference.models.llama import check, graph, model
from inference.planning.language import passes, shape, sketched
from inference.reference import Reference

SIZES = {"num_hidden_layers": 2, "hidden_size": 256, "num_attention_heads": 8, "num_key_value_heads": 4}
SIZES |= {"intermediate_size": 256}
MIXES = {
    "Q4_K_M": {"q": "Q4_K", "k": "Q4_K", "v": "Q6_K", "o": "Q4_K", "gate": "Q4_K", "up": "Q4_K", "down": "Q6_K"},
    "Q5_K_M": {"q": "Q5_K", "k": "Q5_K", "v": "Q6_K", "o": "Q5_K", "gate": "Q5_K", "up": "Q5_K", "down": "Q6_K"},
    "others": {"q": "Q6_K", "k": None, "v": "Q5_K", "o": "Q6_K", "gate": "Q4_K", "up": None, "down": "Q5_K"},
    "pure": dict.fromkeys(("q", "k", "v", "o", "gate", "up", "down"), "Q4_K"),
}
"""Formats of matrices; None: 8 bits."""
TABLES = {"pure": {"embed_tokens": "Q4_K", "lm_head": "Q4_K"}}
"""Of embedding and head, where they are others than Q6_K and Q5_K."""
OP = {"Q4_K": "matmul_q4", "Q5_K": "matmul_k", "Q6_K": "matmul_k", None: "matmul_q8"}


CASES = [("llama", mix) for mix in MIXES] + [("qwen3", "Q5_K_M"), ("qwen3", "pure")]


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def case(request, tmp_path_factory):
    """The formats, the model's file, its configuration and its tensors as gguf's own code dequantises them."""
    name, mix = request.param
    config, tensors = drawn(name, **SIZES, tie_word_embeddings=name == "qwen3")
    written, kinds = dict(tensors), {}
    tables = {"embed_tokens": "Q6_K", "lm_head": "Q5_K"} | TABLES.get(mix, {})
    for seed, (key, values) in enumerate(tensors.items()):
        format_ = {**tables, **MIXES[mix]}.get(key.split(".")[-2].removesuffix("_proj"))
        if values.ndim == 2 and format_:
            kinds[key] = gguf.GGMLQuantizationType[format_]
            written[key] = k_quants(format_, *values.shape, values.std(), seed)
            tensors[key] = gguf.dequantize(written[key], kinds[key])
    path = write_gguf(tmp_path_factory.mktemp(mix) / "model.gguf", name, config, written, kinds=kinds)
    return name, path, config, tensors, MIXES[mix], tables


def test_the_blocks_are_those_of_gguf_to_the_bit(case):
    name, path, config, tensors, formats, tables = case
    read = read_model(path)
    for index in range(config["num_hidden_layers"]):
        at = f"model.layers.{index}."
        for part, kind in formats.items():
            matrix = read.matrices[f"{layer(index)}.{'output' if part == 'o' else part}"]
            where = "mlp" if part in ("gate", "up", "down") else "self_attn"
            right = tensors[f"{at}{where}.{part}_proj.weight"]
            if part in ("q", "k"):  # read in pairs
                right = right.reshape(-1, 2, config["head_dim"] // 2, 256).swapaxes(1, 2).reshape(right.shape)
            assert matrix.op == OP[kind]
            if kind:
                np.testing.assert_array_equal(matrix.matrix(), right)
        together = joined(read, layer(index), QKV)
        each = [read.matrices[f"{layer(index)}.{part}"] for part in QKV]
        np.testing.assert_array_equal(together.matrix(), np.vstack([matrix.matrix() for matrix in each]))
    np.testing.assert_array_equal(read.matrices["embedding"].matrix(), tensors["model.embed_tokens.weight"])
    head = tables["embed_tokens" if name == "qwen3" else "lm_head"]
    assert [read.matrices[each].op for each in ("embedding", "head")] == [OP[tables["embed_tokens"]], OP[head]]


def test_none_of_them_is_brought_to_8_bits(case):
    _, path, _, _, formats, _ = case
    assert read_model(path).brought == (("F32",) if None in formats.values() else ())


@pytest.mark.parametrize("arithmetic", ["float32", "exact"])
def test_logits_are_those_of_the_published_formulas(case, arithmetic):
    name, path, config, tensors, *_ = case
    found, right = logits_of(read_model(path), arithmetic), plain(name, config, tensors, IDS)
    error = np.sqrt(((found - right) ** 2).mean(1)) / right.std(1)
    assert np.median(error) < LARGEST[arithmetic]


def test_every_stack_gives_the_reference_s_digest(case, stack, device):
    made = model("case", read_model(case[1]), "exact")
    check(made)
    found = [generate(backend, IDS, limit=4).digest for backend in (Reference(made), Runtime(made, device(stack)))]
    assert found[0] == found[1]


def test_every_leaf_of_a_pass_is_derived(case):
    made = model("case", read_model(case[1]), "exact")
    check_leaves(Inference(Reference(made), IDS[:2], limit=1), ("embedding", "embedding_q4", "matmul_k", "matmul_q4"))


def test_a_plan_has_the_nodes_and_the_weights_of_the_model(case):
    path = case[1]
    of, built = shape(str(path)), model("case", read_model(path), "exact")
    planned, right = (graph(each, 7, capacity=64, first=6) for each in (sketched(of), built))
    assert described(planned) == described(right)
    shapes = {name: (constant.dtype, constant.shape) for name, constant in sketched(of).constants.items()}
    packed = {name: (c.dtype, c.shape) for name, c in built.constants.items() if name.endswith((".q", ".blocks"))}
    assert {name: shapes[name] for name in packed} == packed
    taken = passes(of, 64, {"token": 1})[0].weights
    assert taken["weight layer00.down.blocks pack_blocks"] == 256 * 8 * (4 if case[4]["down"] == "Q4_K" else 8)


def test_a_provider_tells_the_bytes_of_its_weights(case):
    read, rates = read_model(case[1]), {"side": "exact", "prefill": 1, "decode": 1}
    alone = replace(read, matrices={"down": read.matrices["layer00.down"], "embedding": read.matrices["embedding"]})
    [told] = provider(SimpleNamespace(name="", backend=""), "model", alone, rates, memory=1)["models"]
    block = 20 if case[4]["down"] == case[5]["embed_tokens"] == "Q4_K" else 40
    assert told["weight_bytes"] == (256 + 96) * 256 * block // 32
