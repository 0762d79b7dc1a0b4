"""What deriving a model holds: itself and a layer of what it is read from, not the file's weights beside it."""

import tracemalloc

import gguf
import numpy as np
from architecture_files import drawn, k_quants, write_gguf

from inference.arithmetic import formats
from inference.files.reading import read_model
from inference.models.llama import model

SIZES = {"num_hidden_layers": 12, "hidden_size": 256, "num_attention_heads": 8, "num_key_value_heads": 4}
SIZES |= {"intermediate_size": 768, "vocab_size": 8192, "tie_word_embeddings": True}


def test_a_model_of_4_bits_takes_about_twice_its_file(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "AT_ONCE", 2**14)
    config, tensors = drawn("qwen3", **SIZES)
    kinds = {key: "Q6_K" if "embed" in key else "Q4_K" for key, values in tensors.items() if values.ndim == 2}
    written = {
        key: k_quants(kinds[key], *values.shape, values.std(), 0) if key in kinds else values
        for key, values in tensors.items()
    }
    numbers = {key: gguf.GGMLQuantizationType[kind] for key, kind in kinds.items()}
    path = write_gguf(tmp_path / "model.gguf", "qwen3", config, written, kinds=numbers)
    del tensors, written
    model("warm", read_model(path), "float32")
    tracemalloc.start()
    made = model("m", read_model(path), "exact")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    own = sum(np.asarray(each).nbytes for each in made.constants.values())
    assert own < 2 * path.stat().st_size
    assert most < own + 0.8 * path.stat().st_size
