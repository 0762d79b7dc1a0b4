"""The plan of a language model: a pass over a chunk of a prompt, and one over a token."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from inference.arithmetic.formats import POSITIONS, longest
from inference.errors import InputError
from inference.files.checks import parse_json, read_text
from inference.files.gguf_file import header_shape
from inference.files.keys import Keys
from inference.generate import CHUNK
from inference.measure.steps import LLAMA, Parts, without_weights
from inference.model import Model
from inference.models import configurations
from inference.models._architecture import Architecture, Fields, of_hugging_face
from inference.models._decoder import divided
from inference.models.llama import MEASURES, graph
from inference.planning.plan import Plan
from inference.planning.stage import Stage, stage

MOST_CONFIG = 2**20
"""Bytes of config.json."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides a language model's graph."""

    name: str
    measures: dict[str, int]
    tied: bool
    """Whether the head is the embedding."""
    eight: bool | frozenset[str]
    """Whether the layers' weights have 8 bits, not 4, as embedding and head have, or the products of all that do."""
    parts: Parts = LLAMA
    halves: frozenset[str] = frozenset()
    """The products of 8 bits that have a step of each half of a block."""


def shape(name: str) -> Shape:
    """Of a name, a config.json, a directory that has one, or the header of a .gguf file; no weight is read.

    Raises:
        InputError: none of them, or a model that is not planned.
    """
    path = Path(name)
    if name.endswith(".gguf"):
        architecture, fields, measures, tied, eight, halves = header_shape(path)
        return Shape(name, measures, tied, eight, parts_of(architecture, fields), halves)
    if name.endswith(".json") or path.is_dir():
        file = path if name.endswith(".json") else path / "config.json"
        return of_configuration(str(file), configuration(file), eight=True)
    found = configurations.named(name)
    if "architectures" not in found:
        known = ", ".join(each for each in configurations.names() if "architectures" in configurations.named(each))
        raise InputError(f"{name} is no language model; there are {known}")
    return of_configuration(name, found)


def configuration(file: Path) -> dict[str, Any]:
    """A config.json."""
    config = parse_json(file, read_text(file, MOST_CONFIG))
    if not isinstance(config, dict):
        raise InputError(f"{file}: not a JSON object")
    return config


def of_configuration(name: str, config: Mapping[str, Any], *, eight: bool = False) -> Shape:
    """The shape that a config.json says: Hugging Face's weights are brought to 8 bits, the names' planned in 4."""
    measures = configurations.measures(config, name)
    architecture = of_hugging_face(name, config.get("architectures"))
    fields = architecture.of_config(Keys(name, config), measures)
    tied = config.get("tie_word_embeddings", architecture.tied) is True
    return Shape(name, measures, tied, eight, parts_of(architecture, fields))


def parts_of(architecture: Architecture, fields: Fields) -> Parts:
    """What an architecture's layers have besides a Llama's."""
    local = fields.get("local_theta", 0)
    other = local and (local, ()) != (fields["theta"], fields.get("rotation_factors", ()))
    return Parts(frozenset(architecture.tensors), tuple(fields.get("windows", ())), bool(other))


def plan(of: Shape, context: int | None = None) -> Plan:
    """Both passes with room for ``context`` positions: where None the model's, at most 8,192.

    Raises:
        InputError: a context that the model has not, or that exact attention is not proven for.
    """
    most = min(of.measures["context"], longest(of.measures["head_width"]))
    if context is None:
        context = min(most, POSITIONS)
    if not 1 <= context <= most:
        raise InputError(f"--context {context} is not allowed; {of.name} has 1 to {most} positions")
    stages = passes(of, context, {f"prompt of {min(CHUNK, context)}": min(CHUNK, context), "token": 1})
    constants = divided_model(of).constants
    parameters = sum(array.size for name, array in constants.items() if name.endswith((".q", ".gain", ".bias")))
    kept = "8 bits" if of.eight is True else "4 bits, embedding and head 8"
    if isinstance(of.eight, frozenset):
        kept = _kept(of.eight, constants)
    return Plan(of.name, context, {"model": parameters}, stages, kept)


def _kept(eight: frozenset[str], constants: Iterable[str]) -> str:
    """How many bits weights have."""
    layers = {name.removesuffix(".q") for name in constants if name.startswith("layer") and name.endswith(".q")}
    wide = [f"{len(eight & layers)} of {len(layers)} products of layers"] if eight & layers else []
    wide += [name for name in ("embedding", "head") if name in eight]
    return f"4 bits, 8 in {' and '.join(filter(None, (', '.join(wide[:-1]), wide[-1])))}" if wide else "4 bits"


def passes(of: Shape, context: int, tokens: Mapping[str, int]) -> list[Stage]:
    """Passes by name over so many tokens each, of which the last gets logits."""
    model = divided_model(of)
    return [
        stage(name, graph(model, count, capacity=context, first=count - 1), model) for name, count in tokens.items()
    ]


def divided_model(of: Shape) -> Model:
    """A model of a shape, its embedding and head in parts as ``models.llama.model`` cuts them."""
    made = sketched(of)
    return replace(made, constants=divided(made.constants))


def sketched(of: Shape) -> Model:
    """A model of a shape without numbers."""
    return without_weights(values(of), eight=of.eight, halves=of.halves, tied=of.tied, parts=of.parts)


def values(of: Shape) -> tuple[int, ...]:
    """The measures in the order of ``MEASURES``."""
    return tuple(of.measures[name] for name in MEASURES)
