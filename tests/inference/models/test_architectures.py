"""Every architecture from both kinds of files, in both arithmetics, against a plain float64 reading of its tensors."""

import numpy as np
import pytest
from architecture_files import CONFIGS, drawn, plain, write_directory, write_gguf

from inference.files.reading import read_model
from inference.generate import passes, scores
from inference.models.llama import graph, model
from inference.planning.language import shape, sketched
from inference.reference import Reference

IDS = np.random.default_rng(4).integers(0, 96, 24).tolist()
LARGEST = {"float32": 1e-5, "exact": 0.008}
"""Of the differences' root mean square over the logits' deviation, at the middle one of the tokens."""


@pytest.fixture(scope="module", params=CONFIGS)
def case(request, tmp_path_factory):
    """Name, configuration, tensors, logits, and the models read of both kinds."""
    folder = tmp_path_factory.mktemp(request.param)
    config, tensors = drawn(request.param)
    read = {"directory": read_model(write_directory(folder / "hf", config, tensors))}
    if request.param != "mistral":  # whose GGUF files say llama and no window
        read["gguf"] = read_model(write_gguf(folder / "model.gguf", request.param, config, tensors))
    return request.param, read, plain(request.param, config, tensors, IDS)


def logits_of(read, arithmetic):
    built = model("case", read, arithmetic)
    [each] = passes(built, IDS, 0, every=True)
    return scores(built, Reference(built).run(each.graph, each.inputs(IDS), ["logits"])[0])


@pytest.mark.parametrize("arithmetic", ["float32", "exact"])
def test_logits_are_those_of_the_published_formulas(case, arithmetic):
    _, read, right = case
    for of in read.values():
        found = logits_of(of, arithmetic)
        error = np.sqrt(((found - right) ** 2).mean(1)) / right.std(1)
        assert np.median(error) < LARGEST[arithmetic]


def test_values_have_room_for_their_biases(tmp_path):
    """Qwen 2's, where they are far larger than what the products add."""
    config, tensors = drawn("qwen2")
    for name, tensor in tensors.items():
        if name.endswith("v_proj.bias"):
            tensors[name] = np.full_like(tensor, 40.0)
    found = logits_of(read_model(write_directory(tmp_path, config, tensors)), "exact")
    right = plain("qwen2", config, tensors, IDS)
    assert np.median(np.sqrt(((found - right) ** 2).mean(1)) / right.std(1)) < LARGEST["exact"]


def test_a_plan_has_the_nodes_of_the_model_that_is_read(case, tmp_path):
    """By names, ops and shapes, from config.json or a header alone; of attributes, windows."""
    name, read, _ = case
    config, tensors = drawn(name)
    config["tie_word_embeddings"] = "lm_head.weight" not in tensors
    files = {"directory": write_directory(tmp_path / "hf", config, {}) / "config.json"}
    if "gguf" in read:
        files["gguf"] = write_gguf(tmp_path / "model.gguf", name, config, tensors)
    for kind, file in files.items():
        of, built = shape(str(file)), model("case", read[kind], "exact")
        assert (of.measures, of.tied) == (built.measures, "head.q" not in built.constants)
        planned, right = (graph(each, 7, capacity=64, first=6) for each in (sketched(of), built))
        assert described(planned) == described(right)


def described(built):
    ops = ((name, node) for name, node in built.nodes.items() if node["kind"] == "op")
    nodes = {name: (node["op"], node["shape"], node["attributes"].get("window")) for name, node in ops}
    return nodes, {name: node["shape"] for name, node in built.nodes.items() if node["kind"] != "op"}


@pytest.mark.parametrize("name", ["gemma3", "mistral", "qwen2"])
def test_a_window_of_less_than_nothing_is_refused_by_its_key(name, tmp_path, refusal):
    config, tensors = drawn(name)
    path = write_directory(tmp_path, config | {"sliding_window": -1, "use_sliding_window": True}, tensors)
    assert f"{path / 'config.json'}: sliding_window is -1; a window of 0" in refusal(read_model, path)
