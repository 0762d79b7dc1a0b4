"""A reduced model written as the package diffusers writes it."""

import json
from pathlib import Path

from safetensors.numpy import save_file

from inference.models.diffusion import reduced

SMALL = json.loads((Path(__file__).parents[1] / "inference" / "tokens" / "clip.json").read_text())["merges"]


def write(path: Path, name: str) -> Path:
    """All folders of a model; its tokenizers' vocabulary has 600 tokens."""
    from clip_with_transformers import vocabulary

    config, tensors = reduced.configuration(name), reduced.weights(reduced.configuration(name))
    _json(path / "model_index.json", {key: value for key, value in config.items() if not isinstance(value, dict)})
    for folder, of_folder in tensors.items():
        stem = "model" if folder.startswith("text") else "diffusion_pytorch_model"
        (path / folder).mkdir()
        save_file(of_folder, path / folder / f"{stem}.safetensors")
        _json(path / folder / "config.json", config[folder])
    (path / "scheduler").mkdir()
    _json(path / "scheduler" / "scheduler_config.json", config["scheduler"])
    for folder in (folder for folder in tensors if folder.startswith("text")):
        tokenizer = path / folder.replace("text_encoder", "tokenizer")
        tokenizer.mkdir()
        _json(tokenizer / "vocab.json", vocabulary(SMALL))
        (tokenizer / "merges.txt").write_text("\n".join(["#version: 0.2", *SMALL, ""]))
        _json(tokenizer / "tokenizer_config.json", {"pad_token": "!" if folder.endswith("2") else "<|endoftext|>"})
    return path


def _json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value))
