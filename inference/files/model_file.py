"""A model in one arithmetic, saved with the digest of its weights, tables and formats, and loaded again. No pickles.

The file is a zip of .npy members, stored and not packed: what is read of it is never more than its size.
"""

import json
import math
import secrets
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from inference.errors import InputError
from inference.files.checks import LARGEST, MOST_JSON, check_measures, check_tokens, parse_json, size_of
from inference.model import Model, tokenizer_digest

SUFFIX = ".npz"
PREFIX = "constant "
TYPES = ("|u1", "|i1", "<i2", "<i4", "<f4")
ABOUT = {"name", "arithmetic", "measures", "attributes", "logit_fraction", "end", "digest", "tokenizer"}


def check_name(path: Path) -> None:
    """Refuse a name that a saved model is not found by.

    Raises:
        InputError: it does not end in .npz.
    """
    if path.suffix != SUFFIX:
        raise InputError(f"{path}: a saved model's name ends in {SUFFIX}")


def save(path: Path, model: Model, tokenizer: dict[str, Any]) -> None:
    """Write constants, attributes and digest, and the tokenizer beside them, whole or not at all.

    Raises:
        InputError: the file cannot be written, its name does not end in .npz, or its tokenizer is too large.
    """
    check_name(path)
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
    words = np.frombuffer(json.dumps(about, ensure_ascii=False).encode(), np.uint8)
    if len(words) > MOST_JSON:
        raise InputError(f"{path}: the model's tokenizer takes {len(words)} bytes; at most {MOST_JSON} are read again")
    arrays: dict[str, Any] = {f"{PREFIX}{name}": array for name, array in model.constants.items()}
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:  # a link planted there would be written through
            np.savez(file, about=words, **arrays)
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def load(path: Path) -> tuple[Model, dict[str, Any]]:
    """A saved model and its tokenizer.

    Raises:
        InputError: not there, not a saved model, damaged, or not what its digest says.
    """
    size = size_of(path)
    try:
        with zipfile.ZipFile(path) as file:
            members = file.infolist()
            if any(member.compress_type != zipfile.ZIP_STORED for member in members):
                raise ValueError("its members are packed")
            if sum(max(member.file_size, member.compress_size) for member in members) > size:
                raise ValueError("its members exceed it")
            arrays = {member.filename.removesuffix(".npy"): _array(file, member) for member in members}
        if len(arrays) < len(members) or "about" not in arrays:
            raise ValueError("its members are not a model's")
        words = arrays.pop("about").tobytes()
        if len(words) > MOST_JSON:
            raise ValueError(f"its description has {len(words)} bytes; at most {MOST_JSON} are read")
        about = parse_json(path, words.decode())
        constants = {name.removeprefix(PREFIX): array for name, array in arrays.items()}
        model = _model(str(path), about, constants)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    except InputError:
        raise
    except (ValueError, EOFError, zipfile.BadZipFile, RuntimeError) as error:  # RuntimeError: encrypted
        raise InputError(f"{path}: not a saved model, or damaged: {error}") from None
    if model.digest != about["digest"]:
        raise InputError(f"{path}: the model's digest is {model.digest[:16]}, the file says {about['digest']!s:.16}")
    return model, about["tokenizer"]


def _array(file: zipfile.ZipFile, member: zipfile.ZipInfo) -> npt.NDArray[Any]:
    """An array whose header promises the bytes that are there."""
    with file.open(member) as opened:
        try:
            if npy.read_magic(opened) != (1, 0):
                raise ValueError
            shape, fortran, kind = npy.read_array_header_1_0(opened)
        except Exception:  # noqa: BLE001 the parser of an untrusted header fails in many ways
            raise ValueError(f"{member.filename} does not begin with the header of an array") from None
        data = opened.read()
    if kind.str not in TYPES or min(shape, default=1) < 1 or math.prod(shape) * kind.itemsize != len(data):
        raise ValueError(f"{member.filename}: {len(data)} bytes are no {kind} of shape {shape}")
    return np.frombuffer(data, kind).reshape(shape, order="F" if fortran else "C")


def _is_word(value: Any) -> bool:
    """Whether it is an integer that a kernel can be given."""
    return type(value) is int and -(2**31) <= value < 2**32


def _model(where: str, about: Any, constants: dict[str, npt.NDArray[Any]]) -> Model:
    if not isinstance(about, dict) or about.keys() != ABOUT:
        raise ValueError(f"its description has other keys than {', '.join(sorted(ABOUT))}")
    measures, attributes, fraction = about["measures"], about["attributes"], about["logit_fraction"]
    if not isinstance(measures, dict) or measures.keys() != LARGEST.keys():
        raise ValueError(f"its measures are not {', '.join(LARGEST)}")
    if any(type(value) is not int for value in measures.values()):
        raise ValueError("a measure is no integer")
    check_measures(where, **measures)
    if not isinstance(attributes, dict) or any(
        not isinstance(of_op, dict) or not all(type(value) is float or _is_word(value) for value in of_op.values())
        for of_op in attributes.values()
    ):
        raise ValueError("its attributes are not numbers of 32 bits by name")
    if about["arithmetic"] not in ("exact", "float32") or type(about["name"]) is not str:
        raise ValueError("its name or arithmetic is none")
    if type(fraction) is not int or abs(fraction) > 64 or not isinstance(about["end"], list):
        raise ValueError("its end tokens or logit fraction are none")
    if not isinstance(about["tokenizer"], dict):
        raise ValueError("its tokenizer is none")
    end = check_tokens(where, measures["vocabulary"], "end", about["end"])
    tokenizer = tokenizer_digest(about["tokenizer"])
    return Model(about["name"], about["arithmetic"], measures, constants, attributes, fraction, end, tokenizer)
