"""Machines that were measured, as cards: ``python -m inference bench --devices FILE`` writes the file read here.

{"devices": [{"name", "adapter", "backend", "date", "memory_bytes",
              "models": [{"name", "family", "arithmetic", "parameters", "weight_bytes",
                          "prefill_tokens_per_second", "decode_tokens_per_second"}, ...]}, ...]}
"""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from auction.arrays import frozen, integer, shown
from auction.data.hardware import BANDWIDTH_EFFICIENCY, COMPUTE_EFFICIENCY, Cards
from auction.errors import InputError
from auction.readers import read_json

FAMILIES = ("llama",)
DEVICE = {"name": str, "adapter": str, "backend": str, "date": date, "memory_bytes": int, "models": list}
MODEL = {
    "name": str,
    "family": str,
    "arithmetic": str,
    "parameters": int,
    "weight_bytes": int,
    "prefill_tokens_per_second": float,
    "decode_tokens_per_second": float,
}
FASTEST = 1e9  # tokens a second
LARGEST = 2**50  # bytes and parameters


def read_devices(path: Path) -> Cards:
    """Measured machines as cards, in the file's order; what they did not measure is scaled.

    Of the model with the most parameters let P be those, W the bytes of its weights, p and d its rates of prefill and
    of decoding in tokens a second: the machine computes 2 P p FLOP/s and reads W d bytes/s. A type of F FLOP a token
    and V bytes then runs at 2 P p / F tokens a second of a prompt and W d / V of an answer, or at most at 2 P p / F
    steps of an image, as ``hardware.seconds`` has it. Cards state peaks: both are divided by the efficiencies that
    ``seconds`` multiplies by. The power is not known, so 0.

    Raises:
        InputError: not such a file, a field that is missing or of a wrong kind, no device or model.
    """
    rows = []
    for place, device in _entries(path, read_json(path), "devices", DEVICE, ""):
        models = [model for _, model in _entries(path, device, "models", MODEL, f"{place}.")]
        largest = max(models, key=lambda model: float(model["parameters"]))
        compute = 2.0 * largest["parameters"] * largest["prefill_tokens_per_second"]
        bandwidth = largest["weight_bytes"] * largest["decode_tokens_per_second"]
        peaks = (compute / COMPUTE_EFFICIENCY, bandwidth / BANDWIDTH_EFFICIENCY)
        rows.append((device["name"], *peaks, float(device["memory_bytes"]), 0.0, True))
    names, *columns = zip(*rows, strict=True)
    return Cards(names, *(frozen(np.array(column)) for column in columns))


def _entries(
    path: Path, owner: dict[str, Any], field: str, kinds: dict[str, type], where: str
) -> list[tuple[str, dict[str, Any]]]:
    """The objects of a list, their fields checked, with their place in the file."""
    if not isinstance(owner.get(field), list) or not owner[field]:
        raise InputError(f"{path}: {where}{field}: a list of at least one object is needed")
    found = []
    for index, entry in enumerate(owner[field]):
        place = f"{where}{field}[{index}]"
        if not isinstance(entry, dict):
            raise InputError(f"{path}: {place}: holds a {type(entry).__name__}; an object is needed")
        for name, kind in kinds.items():
            if name not in entry:
                raise InputError(f"{path}: {place} lacks {name!r}; it has {', '.join(kinds)}")
            try:
                _check(f"{place}.{name}", entry[name], kind)
            except InputError as error:
                raise InputError(f"{path}: {error}") from None
        found.append((place, entry))
    return found


def _check(where: str, value: Any, kind: type) -> None:
    if kind is int:
        if integer(where, value, lower=1) > LARGEST:
            raise InputError(f"{where}: {value} is not allowed; at most 2^50")
    elif kind is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 0 < value <= FASTEST:
            raise InputError(
                f"{where}: {shown(value)} is not allowed; tokens a second, above 0 and at most {FASTEST:g}"
            )
    elif kind is not list:
        if not isinstance(value, str) or not value:
            raise InputError(f"{where}: {shown(value)} is not allowed; text")
        if where.endswith(".family") and value not in FAMILIES:
            raise InputError(f"{where}: {shown(value)} is not allowed; {' or '.join(FAMILIES)}")
        if kind is date:
            try:
                date.fromisoformat(value)
            except ValueError:
                raise InputError(f"{where}: {shown(value)} is not allowed; a date as 2026-01-31") from None
