"""A model: what is read of one, and what a run needs of it in one arithmetic."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.files.blocks import Weights
from inference.graph import Arithmetic

TYPES = {"i08": "i1", "u08": "u1", "i16": "<i2", "u16": "<u2", "i32": "<i4", "u32": "<u4"}
"""Of a constant's numbers, by their names in a manifest."""


def tokenizer_digest(fields: Mapping[str, Any]) -> str:
    """SHA-256 of what a file says of its tokenizer, as JSON; of nothing where it says nothing."""
    return sha256(json.dumps(fields, sort_keys=True).encode() if fields else b"").hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A decoder as its files hold it: measures and weights."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    head_width: int
    hidden: int
    vocabulary: int
    context: int
    epsilon: float
    theta: float
    matrices: Mapping[str, Weights] = field(repr=False)
    """``embedding``, ``head`` (the same object where tied), ``layer00.q`` and so on, by the names of an architecture
    (``models._architecture``)."""
    gains: dict[str, npt.NDArray[np.float32]] = field(repr=False)
    """``norm``, ``layer00.attention_norm``, ``layer00.feed_forward_norm`` and an architecture's further norms."""
    tokenizer: dict[str, Any] = field(repr=False, default_factory=dict)
    """What the file says of its tokenizer."""
    rotation_factors: tuple[float, ...] = ()
    """Divisors of the rotary angles, (head_width / 2,) or none."""
    end: tuple[int, ...] = ()
    """Tokens that end a text."""
    biases: dict[str, npt.NDArray[np.float32]] = field(repr=False, default_factory=dict)
    """``layer00.q``, ``layer00.k``, ``layer00.v``, where they have some: (rows,)."""
    windows: tuple[int, ...] = ()
    """How many positions the layers see, 0 for all; empty where all see all."""
    local_theta: float = 0
    """``theta`` of layers with a window, where theirs is another; no factors divide their angles."""
    embedding_scale: float = 1
    gelu: bool = False
    """Whether gates pass through GELU (by tanh), not SiLU."""
    brought: tuple[str, ...] = ()
    """Formats of matrices that were brought to 8 bits."""


def layer(index: int) -> str:
    """The prefix of a layer's names: they sort by depth."""
    return f"layer{index:02d}" if index < 100 else f"layer{index:03d}x"


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """What a run needs besides its input: constants by name, and the attributes of each op."""

    name: str
    arithmetic: Arithmetic
    measures: dict[str, int]
    constants: dict[str, npt.NDArray[Any]] = field(repr=False)
    attributes: dict[str, dict[str, int | float]] = field(repr=False)
    """By the op's name, without the step."""
    logit_fraction: int = 0
    end: tuple[int, ...] = ()
    tokenizer: str = tokenizer_digest({})
    """Its digest, no part of the model's."""

    @classmethod
    def sketched(cls, manifest: Mapping[str, Any]) -> "Model":
        """A model as a manifest describes it, its constants without numbers: steps are derived of it, nothing is run.

        ``manifest``: what ``described`` gives, and of each of the ``constants`` its type and shape.
        """
        constants = {
            name: np.broadcast_to(np.zeros((), TYPES[each["type"]]), each["shape"])
            for name, each in manifest["constants"].items()
        }
        rest = {
            name: manifest[name] for name in ("arithmetic", "measures", "attributes", "logit_fraction", "tokenizer")
        }
        return cls("", constants=constants, end=tuple(manifest["end"]), **rest)

    def described(self) -> dict[str, Any]:
        """What decides a result besides the constants, as JSON."""
        return {
            "arithmetic": self.arithmetic,
            "measures": self.measures,
            "attributes": self.attributes,
            "logit_fraction": self.logit_fraction,
            "end": sorted(set(self.end)),
            "tokenizer": self.tokenizer,
        }

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides a result: measures, formats, end tokens, weights, tables; layout is no part."""
        formats = [self.arithmetic, self.measures, self.attributes, self.logit_fraction, sorted(set(self.end))]
        total = sha256(json.dumps(formats, sort_keys=True).encode())
        for name, array in sorted(self.constants.items()):
            total.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
            total.update(np.ascontiguousarray(array).tobytes())
        return total.hexdigest()
