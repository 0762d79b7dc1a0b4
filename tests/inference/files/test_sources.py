"""What Hugging Face directories and split GGUF files hold: all of it read, or refused by name."""

import json
import struct

import gguf
import numpy as np
import pytest
from architecture_files import LLAMA3, drawn, write_directory, write_gguf
from safetensors.numpy import save_file

from inference.files.reading import read_model
from inference.models._architecture import llama3


@pytest.fixture(scope="module")
def llama():
    return drawn("llama")


@pytest.fixture
def directory(tmp_path, llama):
    """Writes a Llama whose configuration and tensors are changed."""

    def directory(changes=(), more=(), leave=()):
        config, tensors = llama
        kept = {name: values for name, values in tensors.items() if name not in leave}
        return write_directory(tmp_path / "hf", config | dict(changes), kept | dict(more))

    return directory


LAYER = "model.layers.0.self_attn.q_proj"


@pytest.mark.parametrize(
    "changes, more, said",
    [
        ({"attention_bias": True}, {}, "attention_bias is True, which is not supported"),
        ({"mlp_bias": True}, {}, "mlp_bias is True, which is not supported"),
        ({"hidden_act": "gelu"}, {}, "the activation is 'gelu'; silu is allowed"),
        ({"rope_scaling": {"rope_type": "yarn", "factor": 4.0}}, {}, "rope scaling 'yarn' is not supported"),
        ({"rope_scaling": {"type": "dynamic", "factor": 4.0}}, {}, "rope scaling 'dynamic' is not supported"),
        ({"rope_scaling": LLAMA3 | {"factor": "x"}}, {}, "factor is 'x', not a positive number"),
        ({"rope_scaling": {"rope_type": "llama3"}}, {}, "the key factor is missing"),
        ({"rope_scaling": 4}, {}, "rope_scaling is 4, not an object"),
        ({"partial_rotary_factor": 0.5, "rope_scaling": {"partial_rotary_factor": 0.5}}, {}, "rotated in part"),
        ({"quantization_config": {"bits": 4}}, {}, "quantization_config is {'bits': 4}, which is not supported"),
        ({}, {f"{LAYER}.bias": np.zeros(128, np.float32)}, f"tensor {LAYER}.bias is not one of LlamaForCausalLM's"),
        ({"num_hidden_layers": 6}, {}, "is not one of LlamaForCausalLM's"),
        ({"tie_word_embeddings": False}, {}, "the tensor lm_head.weight is missing"),
        (
            {"tie_word_embeddings": True},
            {"lm_head.weight": np.ones((96, 64), np.float32)},
            "tensor lm_head.weight is not the embedding, to which config.json ties it",
        ),
        (
            {},
            {"model.norm.weight": np.ones(64, np.int32)},
            "tensor model.norm.weight is I32; F32, F16, BF16 are allowed",
        ),
    ],
)
def test_what_is_not_understood_is_refused_by_name(directory, refusal, changes, more, said):
    assert said in refusal(read_model, directory(changes, more))


def test_a_buffer_that_follows_from_the_configuration_is_no_other_tensor(directory):
    path = directory(more={"model.layers.0.self_attn.rotary_emb.inv_freq": np.ones(16, np.float32)})
    assert read_model(path).layers == 7


def test_rotations_are_read_in_either_layout(directory):
    scaled = read_model(directory()).rotation_factors
    assert scaled == llama3(5e5, 32, 8.0, 1.0, 4.0, 64.0) and scaled[0] == 1 and scaled[-1] == 8
    new = {"rope_theta": None, "rope_scaling": None, "rope_parameters": LLAMA3 | {"rope_theta": 5e5}}
    found = read_model(directory(new))
    assert (found.theta, found.rotation_factors) == (5e5, scaled)
    linear = read_model(directory({"rope_scaling": {"type": "linear", "factor": 2}}))
    assert linear.rotation_factors == (2.0,) * 16


def write_bf16(path, tensors):
    header, data, at = {}, [], 0
    for name, values in tensors.items():
        raw = (values.view(np.uint32) >> 16).astype("<u2").tobytes()
        header[name] = {"dtype": "BF16", "shape": list(values.shape), "data_offsets": [at, at + len(raw)]}
        data.append(raw)
        at += len(raw)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))


def test_bfloat16_is_the_upper_half_of_a_float32(directory, llama):
    path, (_, tensors) = directory(), llama
    write_bf16(path / "model.safetensors", tensors)
    gain = (tensors["model.norm.weight"].view(np.uint32) & 0xFFFF0000).view(np.float32)
    found = read_model(path)
    np.testing.assert_array_equal(found.gains["norm"], gain)
    embedding = tensors["model.embed_tokens.weight"]
    assert np.abs(found.matrices["embedding"].matrix() - embedding).max() < np.abs(embedding).max() / 64


def split(path, tensors):
    """Two files and their index."""
    names = sorted(tensors)
    parts = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
    (path / "model.safetensors").unlink()
    for file, of in parts.items():
        save_file({name: tensors[name] for name in of}, path / file)
    weight_map = {name: file for file, of in parts.items() for name in of}
    (path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    return weight_map


def test_an_index_s_files_are_read_and_no_others(directory, llama, refusal):
    path, (_, tensors) = directory(), llama
    whole, lost = dict(read_model(path).matrices), read_model(path)
    weight_map = split(path, tensors)
    assert "model.safetensors: cannot be read: No such file" in refusal(lambda: lost.matrices["layer00.up"])
    save_file({"consolidated": np.ones(3, np.float32)}, path / "consolidated.safetensors")
    found = read_model(path)
    assert found.matrices.keys() == whole.keys()
    assert all((found.matrices[name].q == matrix.q).all() for name, matrix in whole.items())
    index = path / "model.safetensors.index.json"
    first, second = min(weight_map, key=weight_map.__getitem__), max(weight_map.values())
    for changed, said in (
        ({"weight_map": weight_map | {"more": "model-00001-of-00002.safetensors"}}, "the tensor more is missing"),
        ({"weight_map": weight_map | {first: second}}, "is not there by"),
        ({"weight_map": weight_map | {"model.norm.weight": "../x.safetensors"}}, "no .safetensors file beside it"),
        ({"weight_map": []}, "it has no weight_map"),
        ([], "it has no weight_map"),
    ):
        index.write_text(json.dumps(changed))
        assert said in refusal(read_model, path)


def test_q4_k_blocks_are_kept_as_they_are(tmp_path):
    generator = np.random.default_rng(8)
    raw = generator.integers(0, 256, (64, 1, 144)).astype(np.uint8)
    raw[..., :4] = generator.uniform(-0.1, 0.1, (64, 1, 2)).astype(np.float16).view(np.uint8)
    kind, path = gguf.GGMLQuantizationType.Q4_K, tmp_path / "model.gguf"
    config, tensors = drawn("qwen3")
    config |= {"hidden_size": 256, "num_hidden_layers": 1, "intermediate_size": 64}
    shapes = {"embed": (96, 256), "q_proj": (128, 256), "k_proj": (64, 256), "v_proj": (64, 256), "o_proj": (256, 128)}
    shapes |= {"gate": (64, 256), "up": (64, 256), "down": (256, 64), "norm": (256,), "q_norm": (32,), "k_norm": (32,)}
    made = {}
    for name in tensors:
        if "layers" not in name or ".layers.0." in name:
            part = next(part for part in (*shapes, "norm") if part in name and (part != "norm" or "_norm" not in name))
            made[name] = generator.standard_normal(shapes[part]).astype(np.float32)
    write_gguf(path, "qwen3", config, made)
    reader = gguf.GGUFReader(path)
    writer = gguf.GGUFWriter(tmp_path / "k.gguf", "qwen3")
    for field in reader.fields.values():
        if not field.name.startswith(("GGUF", "general.")):
            writer.add_key_value(field.name, field.contents(), field.types[0])
    for tensor in reader.tensors:
        if tensor.name == "blk.0.ffn_up.weight":
            writer.add_tensor(tensor.name, raw.reshape(64, 144), raw_dtype=kind)
        else:
            writer.add_tensor(tensor.name, np.array(tensor.data))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    found = read_model(tmp_path / "k.gguf").matrices["layer00.up"]
    assert found.op == "matmul_q4"
    np.testing.assert_array_equal(found.matrix(), gguf.dequantize(raw.reshape(64, 144), kind))


def test_a_split_gguf_is_read_from_its_first_file(tmp_path, llama, refusal):
    config, tensors = llama
    whole = read_model(write_gguf(tmp_path / "whole.gguf", "llama", config, tensors))
    reader = gguf.GGUFReader(tmp_path / "whole.gguf")
    names = [tmp_path / f"part-{index:05d}-of-00002.gguf" for index in (1, 2)]
    for index, path in enumerate(names):
        writer = gguf.GGUFWriter(path, "llama")
        for field in reader.fields.values() if index == 0 else ():
            if not field.name.startswith(("GGUF", "general.")):
                writer.add_key_value(field.name, field.contents(), field.types[0])
        writer.add_uint16("split.count", 2)
        writer.add_uint16("split.no", index)
        for tensor in reader.tensors[index::2]:
            writer.add_tensor(tensor.name, np.array(tensor.data))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    found = read_model(names[0])
    assert found.matrices.keys() == whole.matrices.keys()
    assert all((found.matrices[name].q == whole.matrices[name].q).all() for name in whole.matrices)
    assert "one of 2 files; the first" in refusal(read_model, names[1])
    names[1].unlink()
    assert "part-00002-of-00002.gguf: cannot be read" in refusal(read_model, names[0])
