"""Directories as the package diffusers writes them: model_index.json, a folder for each network, tokenizer, scheduler.

What config.json says is held against what our networks compute before a tensor is read, tensors against the shapes that
follow.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.errors import InputError
from inference.files.checks import MOST_JSON, check_finite, parse_json, read_text
from inference.files.keys import Keys
from inference.files.safetensors_file import MOST_CONFIG, Placed, tensors
from inference.models.diffusion import configured, parameters
from inference.models.diffusion.latent import ENCODERS
from inference.ops import Shape
from inference.tokens.clip import ClipTokenizer
from inference.tokens.huggingface import token_text

GUIDANCE, STEPS = 5.0, 20
"""Of a picture of which nothing is said."""
PIPELINES = {"StableDiffusionXLPipeline": ENCODERS, "StableDiffusionPipeline": ENCODERS[:1]}
"""Folders of the text encoders of each."""
FORMER = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
"""Names of the autoencoder's attention in older files."""


@dataclass(frozen=True, slots=True, eq=False)
class Directory:
    """A model as its directory holds it."""

    config: dict[str, Any]
    """By folder."""
    tokenizers: dict[str, ClipTokenizer]
    """By the folder of the text encoder."""
    zeros_where_empty: bool
    """Whether no negative prompt is a text of zeros, not an empty one."""
    placed: dict[str, dict[str, Placed]] = field(repr=False)
    shapes: dict[str, dict[str, Shape]] = field(repr=False)

    def load(self, folder: str, name: str) -> npt.NDArray[np.float32]:
        """A parameter's numbers.

        Raises:
            InputError: of a type that is not read, or not finite.
        """
        placed = self.placed[folder][name]
        values = placed.read()
        check_finite(str(placed.file), placed.key, values)
        return values.reshape(self.shapes[folder][name])

    def ids(self, text: str) -> dict[str, list[int]]:
        """A text's ids by the encoder's folder, as many as it has places."""
        return {
            folder: tokenizer.padded(text, self.config[folder]["max_position_embeddings"])
            for folder, tokenizer in self.tokenizers.items()
        }

    def negative(self, text: str | None) -> dict[str, list[int]] | None:
        """As ``ids``, of what not to draw; None: zeros, where nothing is said and the directory has it so."""
        return None if text is None and self.zeros_where_empty else self.ids(text or "")

    @property
    def size(self) -> int:
        """Pixels a side of the pictures it was made for."""
        return int(self.config["unet"]["sample_size"]) * 2 ** (len(self.config["vae"]["block_out_channels"]) - 1)


def read(path: Path) -> Directory:
    """A directory.

    Raises:
        InputError: what it says is not supported, a file is missing or damaged, a tensor missing or of another shape.
    """
    index = _object(path / "model_index.json")
    pipeline = index.text("_class_name", "none")
    if pipeline not in PIPELINES:
        raise InputError(f"{index.where}: the pipeline is {pipeline!r:.40}; {' and '.join(PIPELINES)} are supported")
    encoders = PIPELINES[pipeline]
    config: dict[str, Any] = {
        folder: configured.text(_object(path / folder / "config.json"), projects=folder == ENCODERS[1])
        for folder in encoders
    }
    config["unet"] = configured.unet(_object(path / "unet" / "config.json"), summed=len(encoders) == 2)
    config["vae"] = configured.autoencoder(_object(path / "vae" / "config.json"))
    config["scheduler"] = configured.scheduler(_object(path / "scheduler" / "scheduler_config.json"))
    _check_widths(path, config, encoders)
    shapes = {folder: parameters.text_encoder(config[folder]) for folder in encoders}
    shapes |= {"unet": parameters.unet(config["unet"]), "vae": parameters.decoder(config["vae"])}
    placed = {folder: _placed(path / folder, folder, each) for folder, each in shapes.items()}
    tokenizers = {
        folder: _tokenizer(path / folder.replace("text_encoder", "tokenizer"), config[folder]) for folder in encoders
    }
    zeros = len(encoders) == 2 and index.flag("force_zeros_for_empty_prompt", True)
    return Directory(config, tokenizers, zeros, placed, shapes)


def _object(path: Path, most: int = MOST_CONFIG) -> Keys:
    found = parse_json(path, read_text(path, most))
    if not isinstance(found, dict):
        raise InputError(f"{path}: not a JSON object")
    return Keys(str(path), found)


def _check_widths(path: Path, config: Mapping[str, Any], encoders: tuple[str, ...]) -> None:
    """What one network gives is what another takes."""
    unet, vae = config["unet"], config["vae"]
    if len({unet["in_channels"], unet["out_channels"], vae["latent_channels"]}) > 1:
        raise InputError(f"{path}: the channels of unet and vae do not agree")
    width = sum(config[folder]["hidden_size"] for folder in encoders)
    if width != unet["cross_attention_dim"]:
        right = unet["cross_attention_dim"]
        raise InputError(f"{path}: texts of {width} numbers do not fit a cross_attention_dim of {right}")
    if len({config[folder]["max_position_embeddings"] for folder in encoders}) > 1:
        raise InputError(f"{path}: the text encoders have texts of several lengths")
    if len(encoders) == 2:
        added = config[encoders[1]]["projection_dim"] + 6 * unet["addition_time_embed_dim"]
        if added != unet["projection_class_embeddings_input_dim"]:
            raise InputError(f"{path}: a summary and sizes of {added} numbers do not fit the unet's")


def _placed(path: Path, folder: str, shapes: Mapping[str, Shape]) -> dict[str, Placed]:
    """Where each parameter is, of its shape; what is there besides is not read."""
    stem = "model" if folder in ENCODERS else "diffusion_pytorch_model"
    where, found = tensors(path, stem=stem, files_beside=stem), dict[str, Placed]()
    for name, shape in shapes.items():
        key = next((key for key in _names(name) if key in where), None)
        if key is None:
            raise InputError(f"{path}: the tensor {name} is missing")
        if where[key].shape not in (shape, (*shape, 1, 1)):
            raise InputError(f"{path}: tensor {key} has shape {where[key].shape}, not {shape}")
        found[name] = where[key]
    return found


def _names(name: str) -> list[str]:
    """A parameter's name, and others under which files have it."""
    others = [name.replace(f".{now}.", f".{former}.") for now, former in FORMER.items() if f".{now}." in name]
    return [name, name.removeprefix("text_model."), *others]


def _tokenizer(path: Path, config: Mapping[str, Any]) -> ClipTokenizer:
    """vocab.json and merges.txt, or tokenizer.json that has both; special tokens by tokenizer_config.json."""
    if (path / "vocab.json").exists():
        vocabulary = parse_json(path / "vocab.json", read_text(path / "vocab.json", MOST_JSON))
        lines = read_text(path / "merges.txt", MOST_JSON).split("\n")
        merges: Any = [line for line in lines[lines[0].startswith("#version") :] if line]
    else:
        model = _object(path / "tokenizer.json", MOST_JSON).table("model")
        vocabulary, merges = model.values.get("vocab"), model.listed("merges")
        merges = [" ".join(map(str, pair)) if isinstance(pair, list) else pair for pair in merges]
    if not isinstance(vocabulary, dict) or any(type(number) is not int for number in vocabulary.values()):
        raise InputError(f"{path}: the vocabulary is no object of numbers by token")
    if vocabulary and not 0 <= min(vocabulary.values()) <= max(vocabulary.values()) < config["vocab_size"]:
        raise InputError(f"{path}: the vocabulary has numbers beyond the text encoder's {config['vocab_size']}")
    if any(type(words) is not str for words in merges):
        raise InputError(f"{path}: the merges are no texts")
    said = _object(path / "tokenizer_config.json") if (path / "tokenizer_config.json").exists() else Keys(str(path), {})
    roles = {"begin": "bos_token", "end": "eos_token", "unknown": "unk_token", "filling": "pad_token"}
    texts = {role: token_text(said.values.get(key)) for role, key in roles.items()}
    return ClipTokenizer(vocabulary, merges, **{role: text for role, text in texts.items() if text})
