"""Every architecture's logits beside llama.cpp's, which reads the same file (through the package xllamacpp)."""

import json
import urllib.request

import numpy as np
import pytest
from architecture_files import CONFIGS, drawn, write_gguf

from inference.files.reading import read_model
from inference.generate import next_scores
from inference.models.llama import model
from inference.reference import Reference

IDS = np.random.default_rng(6).integers(1, 96, 24).tolist()
LETTERS = [chr(33 + at) for at in range(93)] + ['!"', "\u0120", "\u010a"]
LARGEST = {"float32": 0.01, "exact": 0.03}
"""Of the differences' root mean square over the deviation; llama.cpp keeps keys and values in 16 bits."""


def llama_cpp(path):
    """Logarithms of the next token's probabilities."""
    xllamacpp = pytest.importorskip("xllamacpp")
    settings = xllamacpp.CommonParams()
    settings.model.path, settings.n_ctx, settings.n_gpu_layers = str(path), 256, 0
    settings.verbosity, settings.warmup, settings.cpuparams.n_threads = -1, False, 1
    server = xllamacpp.Server(settings)
    asked = {"prompt": IDS, "n_predict": 1, "n_probs": 96, "temperature": 1.0, "samplers": [], "cache_prompt": False}
    request = urllib.request.Request(f"{server.listening_address}/completion", json.dumps(asked).encode())
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as answer:
        [told] = json.load(answer)["completion_probabilities"]
    found = {each["id"]: each["logprob"] for each in told["top_logprobs"]}
    return np.array([found[token] for token in range(96)])


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CONFIGS if name != "mistral"])
def test_logits_are_llama_cpp_s(tmp_path, name):
    config, tensors = drawn(name)
    path = write_gguf(tmp_path / "model.gguf", name, config, tensors, LETTERS)
    theirs = llama_cpp(path)
    for arithmetic, largest in LARGEST.items():
        ours = next_scores(Reference(model(name, read_model(path), arithmetic)), IDS)
        ours = ours - ours.max() - np.log(np.exp(ours - ours.max()).sum())
        assert np.sqrt(((ours - theirs) ** 2).mean()) < largest * theirs.std()
