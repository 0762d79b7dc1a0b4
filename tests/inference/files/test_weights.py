"""Model files: what is read is what was written; damaged, foreign and incomplete files are refused in one line."""

import json
import os
import struct
from contextlib import suppress
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from inference import models
from inference.errors import InputError
from inference.files.reading import read_model
from inference.models.llama import ARCHITECTURE
from inference.models.tiny import tiny

file_name = ARCHITECTURE.in_gguf


def write_gguf(
    path,
    *,
    architecture="llama",
    leave=(),
    keys=(),
    special=(),
    more=(),
    reshape=None,
    scale=1.0,
    kind=gguf.GGMLQuantizationType.F32,
):
    llama, writer = tiny(), gguf.GGUFWriter(path, architecture)
    settings = {
        "block_count": llama.layers,
        "embedding_length": llama.width,
        "attention.head_count": llama.heads,
        "attention.head_count_kv": llama.kv_heads,
        "feed_forward_length": llama.hidden,
        "context_length": llama.context,
    }
    for key, value in (settings | dict(keys)).items():
        if key not in leave:
            writer.add_uint32(f"{architecture}.{key}", value)
    writer.add_float32(f"{architecture}.attention.layer_norm_rms_epsilon", llama.epsilon)
    for name, token in dict(special).items():
        writer.add_uint32(name, token)
    tensors = {
        name: np.float32(scale) * matrix.matrix() for name, matrix in llama.matrices.items() if name != "head"
    } | llama.gains
    for name, values in dict(more).items():
        writer.add_tensor(name, values)
    for name, values in tensors.items():
        if name in leave:
            continue
        if name == reshape:
            writer.add_tensor(file_name(name), values[:-32])
        elif values.ndim == 2 and kind != gguf.GGMLQuantizationType.F32:
            writer.add_tensor(file_name(name), gguf.quantize(values, kind), raw_dtype=kind)
        else:
            writer.add_tensor(file_name(name), values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_directory(path, *, config=None, leave=()):
    llama = tiny()
    path.mkdir(exist_ok=True)
    measures = {
        "architectures": ["LlamaForCausalLM"],
        "num_hidden_layers": llama.layers,
        "hidden_size": llama.width,
        "num_attention_heads": llama.heads,
        "num_key_value_heads": llama.kv_heads,
        "intermediate_size": llama.hidden,
        "vocab_size": llama.vocabulary,
        "max_position_embeddings": llama.context,
        "rms_norm_eps": 1e-5,
        "eos_token_id": 3,
    }
    (path / "config.json").write_text(json.dumps(measures | (config or {})))
    names = {"embedding": "model.embed_tokens", "norm": "model.norm", "attention_norm": "input_layernorm"}
    names |= {"feed_forward_norm": "post_attention_layernorm", "output": "self_attn.o_proj"}
    names |= {part: f"self_attn.{part}_proj" for part in "qkv"} | {p: f"mlp.{p}_proj" for p in ("gate", "up", "down")}
    tensors = {}
    for name, values in ({n: m.matrix() for n, m in llama.matrices.items() if n != "head"} | llama.gains).items():
        halves = (
            values.reshape(-1, 16, 2, 64).swapaxes(1, 2).reshape(values.shape)
            if name.endswith((".q", ".k"))
            else values
        )
        prefix, _, part = name.rpartition(".")
        tensors[(f"model.layers.{int(prefix[5:])}." if prefix else "") + names[part] + ".weight"] = (
            np.ascontiguousarray(halves)
        )
    save_file({name: values for name, values in tensors.items() if name not in leave}, path / "model.safetensors")
    return path


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return write_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


def test_a_gguf_of_floats_is_read_at_8_bits(good):
    llama, expected = read_model(good), tiny()
    assert (llama.layers, llama.width, llama.heads, llama.kv_heads, llama.head_width) == (2, 64, 2, 1, 32)
    assert (llama.hidden, llama.vocabulary, llama.context, llama.theta) == (128, 256, 512, 10000.0)
    for name, matrix in expected.matrices.items():
        steps = np.abs(expected.matrices[name].matrix()).reshape(*matrix.d.shape, -1).max(2) / 127
        error = np.abs(llama.matrices[name].matrix() - matrix.matrix()).reshape(*matrix.d.shape, -1).max(2)
        assert (error <= 0.51 * steps + 2e-3 * 127 * steps).all(), name
    for name, gain in expected.gains.items():
        np.testing.assert_array_equal(llama.gains[name], gain)


@pytest.mark.parametrize("name", ["Q4_0", "Q4_1", "Q5_0", "Q8_0"])
def test_blocks_of_a_gguf_are_kept_as_they_are(tmp_path, name):
    kind = gguf.GGMLQuantizationType[name]
    llama = read_model(write_gguf(tmp_path / "blocks.gguf", kind=kind))
    for matrix in ("layer00.q", "layer01.down", "embedding"):
        written = gguf.dequantize(gguf.quantize(tiny().matrices[matrix].matrix(), kind), kind)
        np.testing.assert_allclose(llama.matrices[matrix].matrix(), written, rtol=0, atol=1e-6)
    for matrix in ("layer00.q", "embedding"):
        assert llama.matrices[matrix].op == ("matmul_q8" if name in ("Q5_0", "Q8_0") else "matmul_q4")
    assert llama.brought == ()


def test_safetensors_give_the_same_model_as_gguf(good, tmp_path):
    ours, theirs = read_model(write_directory(tmp_path / "hf")), read_model(good)
    for name, matrix in theirs.matrices.items():
        np.testing.assert_array_equal(ours.matrices[name].matrix(), matrix.matrix(), err_msg=name)
    assert ours.end == (3,)


@settings(max_examples=40)
@given(st.floats(0, 1, exclude_max=True))
def test_a_truncated_gguf_is_refused_wherever_it_is_cut(good, refusal, tmp_path_factory, part):
    content = good.read_bytes()
    cut = tmp_path_factory.mktemp("cut") / "cut.gguf"
    cut.write_bytes(content[: int(part * len(content))])
    assert str(cut) in refusal(read_model, cut)


@settings(max_examples=60)
@given(st.integers(0, 1500), st.integers(0, 255))
def test_a_damaged_header_is_read_or_refused_never_a_traceback(good, tmp_path_factory, at, byte):
    content = bytearray(good.read_bytes())
    content[at] = byte
    damaged = tmp_path_factory.mktemp("damaged") / "damaged.gguf"
    damaged.write_bytes(content)
    with suppress(InputError):
        read_model(damaged)


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"architecture": "bert"}, "the architecture is 'bert'; gemma3, llama, qwen2, qwen3 are allowed"),
        ({"leave": ("layer01.down",)}, "the tensor blk.1.ffn_down.weight is missing"),
        ({"leave": ("embedding",)}, "the tensor token_embd.weight is missing"),
        ({"leave": ("block_count",)}, "the key llama.block_count is missing"),
        ({"keys": {"block_count": 3}.items()}, "the tensor blk.2.attn_q.weight is missing"),
        ({"keys": {"block_count": 1}.items()}, "tensor blk.1.attn_k.weight is not one of a llama model's"),
        ({"keys": {"block_count": 10**9}.items()}, "layers is 1000000000; 1 to 1024 is allowed"),
        ({"keys": {"attention.head_count_kv": 3}.items()}, "2 heads do not share 3 key heads evenly"),
        ({"keys": {"attention.head_count": 0}.items()}, "heads is 0; 1 to 1024 is allowed"),
        ({"keys": {"feed_forward_length": 100}.items()}, "hidden is 100; multiples of 32 are allowed"),
        ({"reshape": "layer00.q"}, "tensor blk.0.attn_q.weight has shape (32, 64), not (64, 64)"),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path, refusal, changes, said):
    path = write_gguf(tmp_path / "bad.gguf", **changes)
    assert said in refusal(read_model, path)


def test_unknown_quantisation_is_refused_by_name(tmp_path, refusal, monkeypatch):
    path = write_gguf(tmp_path / "q.gguf", kind=gguf.GGMLQuantizationType.Q5_1)
    monkeypatch.setattr("gguf.dequantize", _unknown)
    assert "quantisation Q5_1, which is unknown here" in refusal(read_model, path)


def _unknown(*_):
    raise NotImplementedError


def test_values_that_are_not_finite_are_refused(tmp_path, refusal):
    path = tmp_path / "nan"
    write_directory(path)
    tensors = load_file(path / "model.safetensors")
    tensors["model.norm.weight"] = np.full(64, np.nan, np.float32)
    save_file(tensors, path / "model.safetensors")
    assert "tensor model.norm.weight has values that are not finite" in refusal(read_model, path)


def test_directories_that_do_not_fit_are_refused(tmp_path, refusal):
    path = tmp_path / "hf"
    path.mkdir()
    assert "config.json: cannot be read" in refusal(read_model, path)
    write_directory(path, config={"architectures": ["BertModel"]})
    assert "LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM are allowed" in refusal(
        read_model, path
    )
    write_directory(path, config={"num_hidden_layers": "two"})
    assert "num_hidden_layers is 'two', not an integer" in refusal(read_model, path)
    write_directory(path, leave=("model.norm.weight",))
    assert "the tensor model.norm.weight is missing" in refusal(read_model, path)
    write_directory(path, config={"vocab_size": 128})
    assert "tensor model.embed_tokens.weight has shape (256, 64), not (128, 64)" in refusal(read_model, path)
    (path / "model.safetensors").write_bytes(b"\xff" * 40)
    assert "a damaged safetensors file" in refusal(read_model, path)


def test_no_file_and_no_gguf_are_refused(tmp_path, refusal):
    assert "there is no such model" in refusal(read_model, tmp_path / "none.gguf")
    (tmp_path / "text.gguf").write_text("hello")
    assert "not a GGUF file" in refusal(read_model, tmp_path / "text.gguf")


def test_names_find_models(refusal):
    assert models.find("tiny").width == 64
    assert "there is no such model" in refusal(models.find, "gpt5")


@pytest.mark.parametrize("factors", [np.ones(8), np.ones(20), np.zeros(16), -np.ones(16)])
def test_divisors_of_angles_that_do_not_fit_are_refused(tmp_path, refusal, factors):
    path = write_gguf(tmp_path / "rope.gguf", more={"rope_freqs.weight": factors.astype(np.float32)})
    assert "rope_freqs" in refusal(read_model, path)


def test_divisors_of_angles_are_read(tmp_path):
    factors = np.linspace(1, 32, 16, dtype=np.float32)
    path = write_gguf(tmp_path / "rope.gguf", more={"rope_freqs.weight": factors})
    assert read_model(path).rotation_factors == tuple(factors.tolist())


@pytest.mark.parametrize("key", ["eos", "bos"])
def test_special_tokens_beyond_the_vocabulary_are_refused(tmp_path, refusal, key):
    name = f"tokenizer.ggml.{key}_token_id"
    path = write_gguf(tmp_path / "end.gguf", special={name: 256})
    assert f"{name} names 256; tokens are 0 to 255" in refusal(read_model, path)
    directory = write_directory(tmp_path / "hf", config={f"{key}_token_id": -1})
    assert f"{key}_token_id names -1" in refusal(read_model, directory)
    directory = write_directory(tmp_path / "hf", config={f"{key}_token_id": [3, "x"]})
    assert f"{key}_token_id names 'x'" in refusal(read_model, directory)


@pytest.mark.parametrize(("said", "end"), [(None, ()), (3, (3,)), ([3, 4, 3], (3, 4)), ([], ())])
def test_a_model_has_no_one_or_several_ends(tmp_path, said, end):
    assert read_model(write_directory(tmp_path / "hf", config={"eos_token_id": said})).end == end


def test_weights_beyond_the_step_of_a_block_are_refused(tmp_path, refusal):
    path = write_gguf(tmp_path / "large.gguf", scale=1e8)
    assert "blocks hold up to 8.32e+06" in refusal(lambda: read_model(path).matrices["embedding"])
    write_directory(tmp_path / "hf")
    tensors = load_file(tmp_path / "hf/model.safetensors")
    tensors["model.layers.0.mlp.up_proj.weight"][3, 4] = 1e8
    save_file(tensors, tmp_path / "hf/model.safetensors")
    read = read_model(tmp_path / "hf")
    assert "mlp.up_proj.weight has a weight of 1e+08" in refusal(lambda: read.matrices["layer00.up"])


def test_a_directory_keeps_what_its_tokenizer_says(tmp_path):
    write_directory(tmp_path / "hf")
    assert read_model(tmp_path / "hf").tokenizer == {}
    (tmp_path / "hf/tokenizer.json").write_text("{}")
    assert read_model(tmp_path / "hf").tokenizer == {"tokenizer.json": "{}"}


def test_what_has_no_end_is_not_read(tmp_path, refusal):
    assert "not a regular file" in refusal(read_model, Path("/dev/zero"))
    os.mkfifo(tmp_path / "pipe.gguf")
    assert "not a regular file" in refusal(read_model, tmp_path / "pipe.gguf")
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        path = write_directory(tmp_path / name)
        (path / name).unlink(missing_ok=True)
        (path / name).symlink_to("/dev/zero")
        assert f"{name}: not a regular file" in refusal(read_model, path)


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, "none.gguf"])
def test_names_that_no_file_has_are_refused(refusal, name):
    assert name.replace("\0", "\\x00")[:100] in refusal(read_model, Path(name))


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("[" * 100_000, "nested too deep"),
        ('{"a": 1, "a": 2}', "a key is given twice"),
        ('{"a": NaN}', "NaN is no number"),
        ("9" * 5000, "not JSON"),
        ("[]", "not a JSON object"),
        ('{"architectures": 5}', "the architecture is 5"),
        ('{"architectures": [[]]}', "the architecture is [[]]"),
        (" " * 2**21, "2097152 bytes; at most 1048576 are read"),
    ],
)
def test_configurations_that_are_none_are_refused(tmp_path, refusal, config, said):
    (tmp_path / "config.json").write_text(config)
    assert said in refusal(read_model, tmp_path)


@pytest.mark.parametrize(
    ("head", "tail", "said"),
    [
        (b"", b"", "its header does not end in it"),
        (struct.pack("<Q", 2**63), b"{}", "its header does not end in it"),
        (struct.pack("<Q", 2**24 + 1), bytes(2**24 + 1), "a header of 16777217 bytes"),
        (struct.pack("<Q", 24), b'{"t":{"dtype":"F\\n32"}}  ', "unknown variant `F\\n32`"),
    ],
)
def test_headers_of_safetensors_are_bounded(tmp_path, refusal, head, tail, said):
    write_directory(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(head + tail)
    assert said in refusal(read_model, tmp_path)


def test_no_memory_is_taken_for_tensors_that_are_missing(tmp_path, refusal, monkeypatch):
    monkeypatch.setattr("inference.files.safetensors_file.eight_bits", _unknown)
    monkeypatch.setattr("inference.files.gguf_file.eight_bits", _unknown)
    directory = write_directory(tmp_path / "hf", leave=("model.layers.1.mlp.down_proj.weight",))
    assert "the tensor model.layers.1.mlp.down_proj.weight is missing" in refusal(read_model, directory)
    path = write_gguf(tmp_path / "short.gguf", leave=("layer01.down",))
    assert "the tensor blk.1.ffn_down.weight is missing" in refusal(read_model, path)


def test_a_tensor_in_two_files_is_refused(tmp_path, refusal):
    write_directory(tmp_path)
    save_file({"model.norm.weight": np.ones(64, np.float32)}, tmp_path / "other.safetensors")
    assert "tensor model.norm.weight is there twice" in refusal(read_model, tmp_path)
