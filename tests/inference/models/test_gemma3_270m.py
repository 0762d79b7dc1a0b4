"""Gemma 3 270M, where its GGUF file is at hand (it is no part of this project: its terms are its own)."""

import json
import os
import urllib.request
from pathlib import Path

import gguf
import numpy as np
import pytest

from inference.device.runtime import Runtime
from inference.files.reading import read_model
from inference.generate import fit
from inference.models.llama import model
from inference.tokens.text import Text

VARIABLE = "DISTRIBUTE_LAB_GEMMA3_270M"
TEXT = Path(__file__).parents[3] / "docs" / "files.md"
TOKENS = 200
there = pytest.mark.skipif(VARIABLE not in os.environ, reason=f"{VARIABLE} names no file of Gemma 3 270M")


@pytest.mark.slow
@there
def test_perplexity_in_exact_arithmetic_is_that_of_float32(stack, device):
    """Within 0.3 %, or what the tokens at hand cannot tell from it."""
    read = read_model(Path(os.environ[VARIABLE]))
    ids = Text(read.tokenizer, read.vocabulary).encode(TEXT.read_text())[:TOKENS]
    nll = {}
    for arithmetic in ("float32", "exact"):
        nll[arithmetic] = fit(Runtime(model("gemma", read, arithmetic), device(stack)), ids).nll
    difference = nll["exact"] - nll["float32"]
    deviation = difference.std() / np.sqrt(len(difference))
    assert deviation < 0.005  # as accurate as formats that were seen to do, token by token
    assert abs(difference.mean()) < 0.003 + 2 * deviation


@pytest.mark.slow
@there
def test_float32_is_llama_cpp_s_on_the_same_weights(stack, device, tmp_path):
    """As float32, in a file of 1 GB: on 4 to 8 bits llama.cpp rounds activations to 8, a per cent of the perplexity."""
    path = Path(os.environ[VARIABLE])
    read = read_model(path)
    ids = Text(read.tokenizer, read.vocabulary).encode(TEXT.read_text())[:64]
    theirs = surprises(dequantised(path, tmp_path / "f32.gguf"), ids)
    ours = fit(Runtime(model("gemma", read, "float32"), device(stack)), ids).nll
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=0.01)


def dequantised(path, to):
    """The same model, every tensor in float32."""
    held, writer = gguf.GGUFReader(path), gguf.GGUFWriter(to, "gemma3")
    for name, field in held.fields.items():
        if not name.startswith("GGUF.") and name not in ("general.architecture", "general.file_type"):
            kind, *of = field.types
            writer.add_key_value(name, field.contents(), kind, of[0] if of else None)
    for tensor in held.tensors:
        values = gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        writer.add_tensor(tensor.name, values.reshape([int(size) for size in tensor.shape[::-1]]))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return to


def surprises(path, ids):
    """What llama.cpp says of each token after those before it: minus the logarithm of its probability."""
    xllamacpp = pytest.importorskip("xllamacpp")
    settings = xllamacpp.CommonParams()
    settings.model.path, settings.n_ctx, settings.n_gpu_layers, settings.n_parallel = str(path), 256, 0, 1
    settings.verbosity, settings.warmup, settings.cpuparams.n_threads = -1, False, 1
    settings.cache_type_k = settings.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    settings.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    server, found = xllamacpp.Server(settings), []
    for at in range(1, len(ids)):
        # Drawn by a bias, told without it.
        asked = {"prompt": ids[:at], "n_predict": 1, "n_probs": 1, "temperature": 1.0, "logit_bias": [[ids[at], 1000]]}
        request = urllib.request.Request(f"{server.listening_address}/completion", json.dumps(asked).encode())
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request) as answer:
            [told] = json.load(answer)["completion_probabilities"]
        assert told["id"] == ids[at]
        found.append(-told["logprob"])
    return np.array(found)
