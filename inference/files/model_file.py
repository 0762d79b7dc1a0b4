"""A model in one arithmetic, saved with the digest of its weights, tables and formats, and loaded again. No pickles."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from inference.errors import InputError
from inference.model import Model

SUFFIX = ".npz"


def save(path: Path, model: Model, tokenizer: dict[str, Any]) -> None:
    """Write constants, attributes and digest, and the tokenizer beside them.

    Raises:
        InputError: the file cannot be written, or its name does not end in .npz.
    """
    if path.suffix != SUFFIX:
        raise InputError(f"{path}: a saved model's name ends in {SUFFIX}")
    about = {
        "name": model.name,
        "arithmetic": model.arithmetic,
        "measures": model.measures,
        "attributes": model.attributes,
        "logit_fraction": model.logit_fraction,
        "end": list(model.end),
        "digest": model.digest,
        "tokenizer": tokenizer,
    }
    words = np.frombuffer(json.dumps(about).encode(), np.uint8)
    try:
        arrays: dict[str, Any] = {f"constant {name}": array for name, array in model.constants.items()}
        np.savez(path, about=words, **arrays)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None


def load(path: Path) -> tuple[Model, dict[str, Any]]:
    """A saved model and its tokenizer.

    Raises:
        InputError: not there, not a saved model, damaged, or not what its digest says.
    """
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            about = json.loads(bytes(file["about"]))
            constants = {
                name.removeprefix("constant "): file[name] for name in file.files if name.startswith("constant ")
            }
        model = Model(
            about["name"],
            about["arithmetic"],
            about["measures"],
            constants,
            about["attributes"],
            about["logit_fraction"],
            tuple(about["end"]),
        )
        digest, tokenizer = about["digest"], about["tokenizer"]
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not a saved model, or damaged: {error}") from None
    if model.digest != digest:
        raise InputError(f"{path}: the model's digest is {model.digest[:16]}, the file says {str(digest)[:16]}")
    return model, tokenizer
