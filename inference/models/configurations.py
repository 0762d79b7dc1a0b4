"""Published configurations by name, and what they say of a model's measures: no weights are read."""

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from reprlib import repr as shortened
from typing import Any

from inference.errors import InputError
from inference.files.checks import check_measures
from inference.files.safetensors_file import KEYS
from inference.models._architecture import of_hugging_face
from inference.models.llama import MEASURES


@cache
def _all() -> dict[str, dict[str, Any]]:
    return tomllib.loads((files("inference.models") / "configurations.toml").read_text())


def names() -> list[str]:
    """Models whose configuration is known."""
    return list(_all())


def named(name: str) -> dict[str, Any]:
    """A configuration, as the model's config.json has it; of a diffusion model one for each of its folders.

    Raises:
        InputError: none of that name.
    """
    if name not in _all():
        nearest = get_close_matches(name, names(), 1)
        hint = f"did you mean {nearest[0]}? There" if nearest else "there"
        raise InputError(f"unknown configuration {name!r}; {hint} are {', '.join(names())}")
    return _all()[name]


def measures(config: Mapping[str, Any], where: str) -> dict[str, int]:
    """Layers, width and so on, of a language model's config.json.

    Raises:
        InputError: another architecture, a measure that is missing or that no model has.
    """
    of_hugging_face(where, config.get("architectures"))
    values = {name: config.get(key) for name, key in KEYS.items()}
    values["kv_heads"] = config.get("num_key_value_heads") or values["heads"]
    if config.get("head_dim") is not None:
        values["head_width"] = config["head_dim"]
    elif type(values["width"]) is int and type(values["heads"]) is int and values["heads"] > 0:
        values["head_width"] = values["width"] // values["heads"]
    found: dict[str, int] = {}
    for name, value in values.items():
        if type(value) is not int:
            said = "is not there" if value is None else f"is {shortened(value)}, not an integer"
            raise InputError(f"{where}: {KEYS.get(name, name)} {said}")
        found[name] = value
    check_measures(where, **found)
    return {name: found[name] for name in MEASURES}
