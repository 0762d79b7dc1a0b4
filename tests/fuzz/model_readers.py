"""Readers of models: weights, tokenizers, chat templates."""

import json
from pathlib import Path
from unittest.mock import patch

import gguf
import numpy as np
from reader import folder
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models

from inference.files import model_file
from inference.generate import generate
from inference.model import Checkpoint, Model
from inference.models.llama import ARCHITECTURE, model
from inference.models.llama import check as check_model
from inference.models.tiny import tiny
from inference.reference import Reference
from inference.tokens.text import Text

TOKENS = ["<|end|>", "a", "b", "c", "ab", "abc", "Ġ", *(f"t{number}" for number in range(249))]


TOKENIZER = {
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "smollm",
    "tokenizer.ggml.tokens": TOKENS,
    "tokenizer.ggml.merges": ["a b", "ab c"],
    "tokenizer.ggml.token_type": [3] + [1] * (len(TOKENS) - 1),
}


def _named(llama: Checkpoint) -> dict[str, np.ndarray]:
    return {name: matrix.matrix() for name, matrix in llama.matrices.items() if name != "head"} | llama.gains


def write_ggufs(root: Path) -> None:
    llama = tiny()
    for kind in (gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.Q4_1):
        writer = gguf.GGUFWriter(folder(root, kind.name) / "model.gguf", "llama")
        measures = {"block_count": llama.layers, "embedding_length": llama.width, "context_length": llama.context}
        measures |= {"attention.head_count": llama.heads, "attention.head_count_kv": llama.kv_heads}
        for key, value in (measures | {"feed_forward_length": llama.hidden}).items():
            writer.add_uint32(f"llama.{key}", value)
        writer.add_float32("llama.attention.layer_norm_rms_epsilon", llama.epsilon)
        writer.add_float32("llama.rope.freq_base", llama.theta)
        writer.add_tokenizer_model(TOKENIZER["tokenizer.ggml.model"])
        writer.add_tokenizer_pre(TOKENIZER["tokenizer.ggml.pre"])
        writer.add_token_list(TOKENIZER["tokenizer.ggml.tokens"])
        writer.add_token_merges(TOKENIZER["tokenizer.ggml.merges"])
        writer.add_token_types(TOKENIZER["tokenizer.ggml.token_type"])
        writer.add_eos_token_id(0)
        writer.add_tensor("rope_freqs.weight", np.ones(llama.head_width // 2, np.float32))
        for name, values in _named(llama).items():
            file_name = ARCHITECTURE.in_gguf(name)
            if values.ndim == 2 and kind != gguf.GGMLQuantizationType.F32:
                writer.add_tensor(file_name, gguf.quantize(values, kind), raw_dtype=kind)
            else:
                writer.add_tensor(file_name, values)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def write_tokenizer(path: Path) -> None:
    words = {"a": 0, "b": 1, "c": 2, "ab": 3, "abc": 4}
    Tokenizer(models.BPE(words, [("a", "b"), ("ab", "c")])).save(str(path))


def write_directory(root: Path) -> None:
    llama, top = tiny(), folder(root, "model")
    config = {"architectures": ["LlamaForCausalLM"], "num_hidden_layers": llama.layers, "hidden_size": llama.width}
    config |= {"num_attention_heads": llama.heads, "num_key_value_heads": llama.kv_heads, "head_dim": llama.head_width}
    config |= {"intermediate_size": llama.hidden, "vocab_size": llama.vocabulary, "rope_theta": 10000.0}
    config |= {
        "max_position_embeddings": llama.context,
        "rms_norm_eps": 1e-5,
        "eos_token_id": [3],
        "rope_scaling": None,
    }
    (top / "config.json").write_text(json.dumps(config))
    write_tokenizer(top / "tokenizer.json")
    tensors = {}
    for name, values in _named(llama).items():
        tensors[ARCHITECTURE.in_hugging_face(name)] = np.ascontiguousarray(values)
    save_file(tensors, top / "model.safetensors")


def convert(llama: Checkpoint) -> None:
    """What a run does first with what was read."""
    text = Text(llama.tokenizer, llama.vocabulary)
    text.decode(text.encode("abc ab"))
    for arithmetic in ("exact", "float32"):
        model("fuzzed", llama, arithmetic)


def write_saved(root: Path) -> None:
    for arithmetic in ("exact", "float32"):
        built = model("tiny", tiny(), arithmetic)
        model_file.save(folder(root, arithmetic) / "model.npz", built, TOKENIZER)


class Forged:
    """The digest that a file states, whatever the model is: who writes a file can compute it."""

    def __eq__(self, _: object) -> bool:
        return True

    __hash__ = None


def load_saved(path: Path) -> None:
    with patch.object(Model, "digest", Forged()):
        built, fields = model_file.load(path / "model.npz")
    check_model(built)
    Text(fields, built.measures["vocabulary"]).encode("abc")
    generate(Reference(built), [0, 1], limit=2)


def tokenize(path: Path) -> None:
    text = Text({"tokenizer.json": (path / "tokenizer.json").read_text("utf-8", "replace")}, 256)
    text.decode(text.encode("abc ab"))


TEMPLATE = """{% set ns = namespace(first=true) %}{% for message in messages %}
{% if loop.first and not message['system'] %}{{ '<|im_start|>' + message.role ~ "\\n" }}{% endif %}
{{ message['content'] | trim }}{% set ns.first = false %}{{- '<|im_end|>' * (loop.index // 1) }}{% endfor %}
{% if add_generation_prompt %}{{ '<|im_start|>assistant' }}{% endif %}"""


def write_template(root: Path) -> None:
    (folder(root, "template") / "template.jinja").write_text(TEMPLATE)


def fill(path: Path) -> None:
    Text({"tokenizer.chat_template": (path / "template.jinja").read_bytes().decode(errors="replace")}, 256).chat("Hi")
