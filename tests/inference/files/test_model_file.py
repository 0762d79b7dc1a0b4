"""Saved models: the same digest and the same bits back; damaged and altered files are refused."""

import json

import numpy as np
import pytest

from inference.files.model_file import load, save
from inference.generate import generate
from inference.reference import Reference


@pytest.mark.parametrize("arithmetic", ["exact", "float32"])
def test_a_saved_model_is_the_same_model(tiny_model, tmp_path, arithmetic):
    path = tmp_path / "tiny.npz"
    save(path, tiny_model(arithmetic), {"kind": "none"})
    loaded, tokenizer = load(path)
    assert loaded.digest == tiny_model(arithmetic).digest and tokenizer == {"kind": "none"}
    runs = [generate(Reference(model), [1, 2], limit=3).digest for model in (loaded, tiny_model(arithmetic))]
    assert runs[0] == runs[1]


def test_an_altered_weight_is_refused(tiny_model, tmp_path, refusal):
    path = tmp_path / "tiny.npz"
    save(path, tiny_model("exact"), {})
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["constant norm.gain"] = arrays["constant norm.gain"] + 1
    np.savez(path, **arrays)
    assert "the model's digest is" in refusal(load, path)


def test_what_is_no_saved_model_is_refused(tmp_path, tiny_model, refusal):
    assert "cannot be read" in refusal(load, tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("hello")
    assert "not a saved model" in refusal(load, tmp_path / "text.npz")
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    assert "not a saved model" in refusal(load, tmp_path / "other.npz")
    np.savez(tmp_path / "half.npz", about=np.frombuffer(json.dumps({"name": "x"}).encode(), np.uint8))
    assert "not a saved model" in refusal(load, tmp_path / "half.npz")
    save(tmp_path / "cut.npz", tiny_model("exact"), {})
    content = (tmp_path / "cut.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(content[: len(content) // 2])
    assert "not a saved model" in refusal(load, tmp_path / "cut.npz")
    assert "ends in .npz" in refusal(save, tmp_path / "model.bin", tiny_model("exact"), {})


def test_the_command_line_saves_and_runs_a_saved_model(cli, tmp_path):
    path = tmp_path / "tiny.npz"
    assert cli("save", path, "--model", "tiny")[0] == 0
    results = [
        json.loads(cli("run", "--tokens", "1,2", "--max-tokens", 3, "--model", name, "--backend", "numpy", "--json")[1])
        for name in (path, "tiny")
    ]
    assert results[0]["digest"] == results[1]["digest"]
    code, _, err = cli("run", "--tokens", "1", "--model", path, "--backend", "numpy", "--arithmetic", "float32")
    assert code == 2 and "is in exact arithmetic" in err
