"""What files of models are held against: their size before they are read, their measures before memory is taken."""

import json
import math
import stat
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.errors import InputError
from inference.files.blocks import BLOCK

LARGEST = {
    "layers": 1024,
    "width": 2**15,
    "heads": 1024,
    "kv_heads": 1024,
    "head_width": 1024,
    "hidden": 2**18,
    "vocabulary": 2**20,
    "context": 2**20,
}
LARGEST_WEIGHT = 127 * float(np.finfo(np.float16).max)
"""Of a block of 8 bits: its step is a float16."""
MOST_JSON = 2**25
"""Bytes of JSON, a tokenizer's among them: once parsed 0.9 GB, at worst."""


def size_of(path: Path) -> int:
    """Bytes of a regular file; devices and pipes need not end.

    Raises:
        InputError: it cannot be read, or is none.
    """
    try:
        state = path.stat()
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not stat.S_ISREG(state.st_mode):
        raise InputError(f"{path}: not a regular file")
    return state.st_size


def read_text(path: Path, most: int) -> str:
    """A regular file of at most so many bytes, in UTF-8.

    Raises:
        InputError: it cannot be read, is larger, or is not UTF-8.
    """
    if (size := size_of(path)) > most:
        raise InputError(f"{path}: {size} bytes; at most {most} are read")
    try:
        return path.read_bytes().decode()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8: {error.reason} at byte {error.start}") from None


def parse_json(where: object, text: str) -> Any:
    """JSON of finite numbers, every key once.

    Raises:
        InputError: it is none.
    """
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except RecursionError:
        raise InputError(f"{where}: JSON nested too deep") from None
    except ValueError as error:
        raise InputError(f"{where}: not JSON: {error}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is given twice")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def check_measures(where: str, **measures: int) -> None:
    """Refuse measures that no Llama has, before memory is taken for them."""
    for name, value in measures.items():
        if not 1 <= value <= LARGEST[name]:
            raise InputError(f"{where}: {name} is {value}; 1 to {LARGEST[name]} is allowed")
    heads, kv_heads, head_width = measures["heads"], measures["kv_heads"], measures["head_width"]
    if heads % kv_heads:
        raise InputError(f"{where}: {heads} heads do not share {kv_heads} key heads evenly")
    for name in ("width", "hidden"):
        if measures[name] % BLOCK:
            raise InputError(f"{where}: {name} is {measures[name]}; multiples of {BLOCK} are allowed")
    if head_width % 4 or heads * head_width % BLOCK:
        raise InputError(f"{where}: {heads} heads of {head_width} do not fill blocks of {BLOCK}")


def check_tokens(where: object, vocabulary: int, name: str, tokens: Any) -> tuple[int, ...]:
    """Tokens that a file names, each once.

    Raises:
        InputError: one that is not in the vocabulary.
    """
    for token in tokens:
        if type(token) is not int or not 0 <= token < vocabulary:
            raise InputError(f"{where}: {name} names {token!r:.40}; tokens are 0 to {vocabulary - 1}")
    return tuple(dict.fromkeys(tokens))


def check_finite(where: str, name: str, *arrays: npt.NDArray[Any], largest: float = math.inf) -> None:
    """Refuse infinities, NaN and what is larger than the format can hold."""
    for array in arrays:
        peak = float(np.abs(array).max(initial=0))
        if not math.isfinite(peak):
            raise InputError(f"{where}: tensor {name} has values that are not finite")
        if peak > largest:
            raise InputError(f"{where}: tensor {name} has a weight of {peak:.3g}; blocks hold up to {largest:.3g}")


def check_factors(where: str, factors: npt.NDArray[np.float32], head_width: int) -> tuple[float, ...]:
    """Divisors of the rotary angles, one a pair of a head.

    Raises:
        InputError: another number of them, or one that is not positive.
    """
    if factors.shape != (head_width // 2,):
        raise InputError(f"{where}: rope_freqs has shape {factors.shape}, not ({head_width // 2},)")
    if not (factors > 0).all():
        raise InputError(f"{where}: rope_freqs has {factors.min():g}; positive factors are allowed")
    return tuple(factors.tolist())
