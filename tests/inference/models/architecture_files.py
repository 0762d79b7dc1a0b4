"""Small random models of each architecture, as Hugging Face and as GGUF hold them, and a plain float64 reading of them.

The reference is written from the papers and the published code of the architectures, on Hugging Face's tensors: it
shares nothing with the package.
"""

import json
import math

import gguf
import numpy as np
from safetensors.numpy import save_file

SIZES = {
    "num_hidden_layers": 7,
    "hidden_size": 64,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "intermediate_size": 96,
    "vocab_size": 96,
    "max_position_embeddings": 256,
    "rms_norm_eps": 1e-5,
    "eos_token_id": 3,
}
OUTLIER = 9
"""A channel whose gains are far larger than others', and which products hardly read: as real Gemmas have them."""
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
CONFIGS = {
    "llama": {"architectures": ["LlamaForCausalLM"], "rope_theta": 500000.0, "rope_scaling": LLAMA3},
    "mistral": {"architectures": ["MistralForCausalLM"], "rope_theta": 10000.0, "sliding_window": 5},
    "qwen2": {
        "architectures": ["Qwen2ForCausalLM"],
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "rope_theta": 1e6,
        "tie_word_embeddings": False,
    },
    "qwen3": {"architectures": ["Qwen3ForCausalLM"], "rope_theta": 1e6, "attention_bias": False},
    "gemma3": {
        "architectures": ["Gemma3ForCausalLM"],
        "rope_theta": 1e6,
        "rope_local_base_freq": 10000.0,
        "sliding_window": 5,
        "query_pre_attn_scalar": 32,
        "hidden_activation": "gelu_pytorch_tanh",
    },
}
IN_GGUF = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "pre_feedforward_layernorm": "ffn_norm",
    "post_feedforward_layernorm": "post_ffw_norm",
}


def on_grid(values):
    """Values of 8-bit blocks: what reading brings to 8 bits is the same again."""
    blocks = values.reshape(len(values), -1, 32)
    step = (np.abs(blocks).max(2, keepdims=True) / np.float32(127)).astype(np.float16).astype(np.float32)
    return (np.clip(np.rint(blocks / step), -127, 127) * step).reshape(values.shape)


def drawn(name, seed=0, **sizes):
    """config.json and tensors by Hugging Face's names."""
    generator = np.random.default_rng(seed)
    config = SIZES | CONFIGS[name] | sizes
    width, heads, keys = config["hidden_size"], config["num_attention_heads"], config["num_key_value_heads"]
    hidden, of_head, vocabulary = config["intermediate_size"], config["head_dim"], config["vocab_size"]

    def matrix(rows, columns, scale=1, outlier=False):
        values = generator.standard_normal((rows, columns)) * scale / math.sqrt(columns)
        if name == "gemma3" and outlier:  # of the norm before
            values[:, OUTLIER] /= 100
        return on_grid(values.astype(np.float32))

    def vector(size, centre, spread):
        return (centre + spread * generator.standard_normal(size)).astype(np.float32)

    centre = 0.0 if name == "gemma3" else 1.0
    tensors = {
        "model.embed_tokens.weight": matrix(vocabulary, width, 4),
        "model.norm.weight": vector(width, centre, 0.1),
    }
    if config.get("tie_word_embeddings") is False:
        tensors["lm_head.weight"] = matrix(vocabulary, width, 4)
    for index in range(config["num_hidden_layers"]):
        at = f"model.layers.{index}."
        for part, rows in (("q", heads), ("k", keys), ("v", keys)):
            tensors[f"{at}self_attn.{part}_proj.weight"] = matrix(rows * of_head, width, outlier=True)
            if name == "qwen2":
                tensors[f"{at}self_attn.{part}_proj.bias"] = vector(rows * of_head, 0, 1)
        if name in ("qwen3", "gemma3"):
            for part in "qk":
                tensors[f"{at}self_attn.{part}_norm.weight"] = vector(of_head, centre, 0.3)
        tensors[f"{at}self_attn.o_proj.weight"] = matrix(width, heads * of_head)
        for part in ("gate", "up"):
            tensors[f"{at}mlp.{part}_proj.weight"] = matrix(hidden, width, outlier=True)
        tensors[f"{at}mlp.down_proj.weight"] = matrix(width, hidden)
        norms = ["input_layernorm", "post_attention_layernorm"]
        norms += ["pre_feedforward_layernorm", "post_feedforward_layernorm"] if name == "gemma3" else []
        for norm in norms:
            tensors[f"{at}{norm}.weight"] = gain = vector(width, centre, 0.2)
            if name == "gemma3":  # one value far larger than the others, which products then hardly read
                gain[5] = 300 if "post" in norm else -0.999
                gain[OUTLIER] = gain[OUTLIER] if "post" in norm else 300
    return config, tensors


def write_directory(path, config, tensors):
    path.mkdir(exist_ok=True)
    (path / "config.json").write_text(json.dumps(config))
    save_file(tensors, path / "model.safetensors")
    return path


K_QUANTS = {"Q4_K": (144, slice(0, 4)), "Q5_K": (176, slice(0, 4)), "Q6_K": (210, slice(208, 210))}
"""Bytes of 256 weights, and where their float16 steps lie."""


def k_quants(kind, rows, columns, size, seed):
    """(rows, bytes): blocks of one of llama.cpp's formats, every byte drawn but the steps; weights about as large."""
    generator, (count, at) = np.random.default_rng(seed), K_QUANTS[kind]
    raw = generator.integers(0, 256, (rows, columns // 256, count)).astype(np.uint8)
    steps = np.array({"Q4_K": [1, 7.5], "Q5_K": [1, 15.5], "Q6_K": [1]}[kind])
    raw[..., at] = steps.astype(np.float16).view(np.uint8)
    factor = size / gguf.dequantize(raw.reshape(rows, -1), gguf.GGMLQuantizationType[kind]).std()
    factors = factor * generator.uniform(0.5, 1.5, (*raw.shape[:2], 1)) * generator.choice([-1, 1], (rows, 1, 1))
    raw[..., at] = (factors * steps).astype(np.float16).view(np.uint8)
    return raw.reshape(rows, -1)


def write_gguf(path, name, config, tensors, tokens=(), kinds=None):
    """As llama.cpp's converter does: Gemma's gains with 1 added, a Llama's queries and keys in pairs. ``kinds``: of
    tensors that are bytes, by name."""
    architecture = "llama" if name == "mistral" else name
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_theta"])
    if name == "gemma3":
        writer.add_sliding_window(config["sliding_window"])
    if tokens:
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("smollm")
        writer.add_token_list(tokens)
        writer.add_token_merges(['! "'])
        writer.add_token_types([1] * len(tokens))
        writer.add_eos_token_id(0)
        writer.add_bos_token_id(0)
        writer.add_add_bos_token(False)
    if name == "llama":
        writer.add_tensor(
            "rope_freqs.weight",
            1 / scales(config["rope_scaling"], config["rope_theta"], config["head_dim"]).astype(np.float32),
        )
    for key, held in tensors.items():
        values = held + np.float32(1) if name == "gemma3" and held.ndim == 1 else held
        if architecture == "llama" and ("q_proj" in key or "k_proj" in key):
            halves = values.reshape(-1, 2, config["head_dim"] // 2, *values.shape[1:])
            values = np.ascontiguousarray(halves.swapaxes(1, 2)).reshape(held.shape)
        stem, _, kind = key.rpartition(".")
        if stem.startswith("model.layers."):
            index, stem = stem.removeprefix("model.layers.").split(".", 1)
            named = "post_attention_norm" if (name, stem) == ("gemma3", "post_attention_layernorm") else IN_GGUF[stem]
            stem = f"blk.{index}.{named}"
        else:
            stem = IN_GGUF[stem]
        writer.add_tensor(f"{stem}.{kind}", values, raw_dtype=(kinds or {}).get(key))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def scales(scaling, theta, width):
    """Factors of frequencies, as transformers' ``_compute_llama3_parameters``."""
    frequency = theta ** (-np.arange(0, width, 2) / width)
    wavelength = 2 * math.pi / frequency
    low = scaling["original_max_position_embeddings"] / scaling["low_freq_factor"]
    high = scaling["original_max_position_embeddings"] / scaling["high_freq_factor"]
    smooth = (scaling["original_max_position_embeddings"] / wavelength - scaling["low_freq_factor"]) / (
        scaling["high_freq_factor"] - scaling["low_freq_factor"]
    )
    between = (1 - smooth) / scaling["factor"] + smooth
    return np.where(wavelength > low, 1 / scaling["factor"], np.where(wavelength < high, 1.0, between))


def plain(name, config, tensors, ids):
    """(T, vocabulary): logits in float64."""
    w = {key: values.astype(np.float64) for key, values in tensors.items()}
    gemma, width = name == "gemma3", config["head_dim"]

    def norm(x, gain):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + config["rms_norm_eps"]) * (gain + 1 if gemma else gain)

    def rotated(x, theta, factor):
        angle = np.outer(np.arange(len(ids)), theta ** (-np.arange(0, width, 2) / width) * factor)
        cos, sin = (np.concatenate((part, part), axis=1)[:, None] for part in (np.cos(angle), np.sin(angle)))
        half = np.concatenate((-x[..., width // 2 :], x[..., : width // 2]), axis=2)
        return x * cos + half * sin

    positions = np.arange(len(ids))
    distance = positions[:, None] - positions
    x = w["model.embed_tokens.weight"][ids] * (math.sqrt(config["hidden_size"]) if gemma else 1)
    for index in range(config["num_hidden_layers"]):
        layer = {
            key.removeprefix(at): values for key, values in w.items() if key.startswith(at := f"model.layers.{index}.")
        }
        local = name == "mistral" or (gemma and (index + 1) % 6 != 0)
        theta = config["rope_local_base_freq"] if gemma and local else config["rope_theta"]
        factor = scales(config["rope_scaling"], theta, width) if "rope_scaling" in config else 1.0
        y = norm(x, layer["input_layernorm.weight"])
        parts = [y @ layer[f"self_attn.{p}_proj.weight"].T + layer.get(f"self_attn.{p}_proj.bias", 0) for p in "qkv"]
        q, k, v = (part.reshape(len(ids), -1, width) for part in parts)
        if "self_attn.q_norm.weight" in layer:
            q, k = norm(q, layer["self_attn.q_norm.weight"]), norm(k, layer["self_attn.k_norm.weight"])
        q, k = rotated(q, theta, factor), rotated(k, theta, factor)
        group = q.shape[1] // k.shape[1]
        scores = np.einsum("ihw,jhw->hij", q, k.repeat(group, axis=1)) / math.sqrt(width)
        hidden = (distance < 0) | ((distance >= config["sliding_window"]) if local else False)
        scores = np.where(hidden, -np.inf, scores)
        p = np.exp(scores - scores.max(2, keepdims=True))
        mixed = np.einsum("hij,jhw->ihw", p / p.sum(2, keepdims=True), v.repeat(group, axis=1))
        y = mixed.reshape(len(ids), -1) @ layer["self_attn.o_proj.weight"].T
        x = x + (norm(y, layer["post_attention_layernorm.weight"]) if gemma else y)
        before = layer["pre_feedforward_layernorm.weight" if gemma else "post_attention_layernorm.weight"]
        y = norm(x, before)
        g, u = (y @ layer[f"mlp.{part}_proj.weight"].T for part in ("gate", "up"))
        if gemma:
            g = 0.5 * g * (1 + np.tanh(math.sqrt(2 / math.pi) * (g + 0.044715 * g**3)))
        else:
            g = g / (1 + np.exp(-g))
        y = (g * u) @ layer["mlp.down_proj.weight"].T
        x = x + (norm(y, layer["post_feedforward_layernorm.weight"]) if gemma else y)
    return norm(x, w["model.norm.weight"]) @ w.get("lm_head.weight", w["model.embed_tokens.weight"]).T
