"""What files of models are held against before memory is taken for them, and once it is read."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.errors import InputError
from inference.files.blocks import BLOCK

LARGEST = {"layers": 1024, "width": 2**15, "heads": 1024, "hidden": 2**18, "vocabulary": 2**20, "context": 2**20}


def check_measures(where: str, **measures: int) -> None:
    """Refuse measures that no Llama has, before memory is taken for them."""
    for name, value in measures.items():
        largest = LARGEST.get(name, 2**20)
        if not 1 <= value <= largest:
            raise InputError(f"{where}: {name} is {value}; 1 to {largest} is allowed")
    heads, kv_heads, head_width = measures["heads"], measures["kv_heads"], measures["head_width"]
    if heads % kv_heads:
        raise InputError(f"{where}: {heads} heads do not share {kv_heads} key heads evenly")
    for name in ("width", "hidden"):
        if measures[name] % BLOCK:
            raise InputError(f"{where}: {name} is {measures[name]}; multiples of {BLOCK} are allowed")
    if head_width % 4 or heads * head_width % BLOCK:
        raise InputError(f"{where}: {heads} heads of {head_width} do not fill blocks of {BLOCK}")


def check_finite(where: str, name: str, *arrays: npt.NDArray[Any]) -> None:
    """Refuse infinities and NaN."""
    for array in arrays:
        if not math.isfinite(float(np.abs(array).max(initial=0))):
            raise InputError(f"{where}: tensor {name} has values that are not finite")
