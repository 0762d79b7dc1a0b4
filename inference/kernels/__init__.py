"""The WGSL kernels, one file an op and arithmetic, and what the runtime reads off their text.

A kernel's first line names the parts that go before it: ``// requires: fixed_point, rows`` takes ``_fixed_point.wgsl``
and ``_rows.wgsl`` of its folder, in that order, or of the folder above, where both arithmetics share a part. Bindings
are found by the names of their variables: an op's inputs by the names of its reference's arguments, ``output``,
``workspace``, and ``params``, whose fields are attributes and dimensions of the op by name.
"""

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from inference.errors import InputError
from inference.graph import Arithmetic

BINDING = re.compile(r"@binding\((\d+)\) var<[\w, ]+> (\w+)")
PARAMS = re.compile(r"struct Params \{(.*?)\}", re.DOTALL)
FIELD = re.compile(r"^\s*(\w+): ([\w<>]+),", re.MULTILINE)
REQUIRES = re.compile(r"// requires: (.*)\n")
COMMENT = re.compile(r"//.*")
FUNCTION = re.compile(r"^fn (\w+)(.*?^})", re.MULTILINE | re.DOTALL)
PARAMETER = re.compile(r"(\w+):")
WORD = re.compile(r"(?<![\w.])\w+")  # no fields
FORMATS = {"i32": "<i", "u32": "<I", "f32": "<f"}
LEAST = {"i32": -(2**31), "u32": 0}
LARGEST_FLOAT = (2 - 2**-23) * 2.0**127


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel and the parts before it."""

    name: str
    code: str
    bindings: dict[str, int]
    fields: dict[str, str]

    def used(self, entry: str) -> frozenset[str]:
        """The variables bound that an entry point or what it calls names: what a pipeline's own layout has."""
        return _reached(self.code, entry) & self.bindings.keys()

    def parameters(self, values: Mapping[str, int | float]) -> bytes:
        """The Params struct, to whole 16 bytes.

        Raises:
            InputError: a field that no value is for.
        """
        missing = [field for field in self.fields if field not in values]
        if missing:
            raise InputError(f"{self.name}: nothing fills the field {missing[0]!r}; there are {', '.join(values)}")
        packed = b"".join(struct.pack(FORMATS[kind], values[name]) for name, kind in self.fields.items())
        return packed + bytes(-len(packed) % 16)


def holds(kind: str, value: object) -> bool:
    """Whether a field of this kind can be given a value."""
    if kind == "f32":
        return isinstance(value, int | float) and abs(value) <= LARGEST_FLOAT
    return isinstance(value, int) and LEAST[kind] <= value < LEAST[kind] + 2**32


@cache
def _reached(code: str, entry: str) -> frozenset[str]:
    """All that an entry point and what it calls name."""
    functions = {name: _named(text) for name, text in FUNCTION.findall(COMMENT.sub("", code))}
    reached, left = set[str](), {entry}
    while left:
        reached |= left
        left = {name for caller in left for name in functions.get(caller, ())} - reached
    return frozenset(reached)


def _named(function: str) -> set[str]:
    """What a function's text names besides its parameters."""
    signature, _, body = function.partition("{")
    return set(WORD.findall(body)) - set(PARAMETER.findall(signature))


@cache
def kernel(arithmetic: Arithmetic, name: str, variant: str = "") -> Kernel:
    """The kernel of an op; ``variant`` names another file (``matmul_q4__subgroup.wgsl``).

    Raises:
        InputError: there is none, or a field of its Params is not a number of 32 bits.
    """
    paths = kernel_files(arithmetic, name, variant)
    code = "".join(alone(path.removesuffix(".wgsl")) for path in paths)
    parameters = PARAMS.search(code)
    fields = dict(FIELD.findall(parameters[1])) if parameters else {}
    for field, kind in fields.items():
        if kind not in FORMATS:
            raise InputError(f"{paths[-1]}: the field {field!r} is {kind}, not {', '.join(FORMATS)}")
    return Kernel(paths[-1], code, {variable: int(number) for number, variable in BINDING.findall(code)}, fields)


def kernel_files(arithmetic: Arithmetic, name: str, variant: str = "") -> list[str]:
    """The files, below ``kernels/``, whose texts make one shader module, in order.

    Raises:
        InputError: one of them is not there.
    """
    own = f"{arithmetic}/{name}{'__' if variant else ''}{variant}"
    if not (files(__name__) / f"{own}.wgsl").is_file():
        raise InputError(f"op {name!r} has no {arithmetic} kernel{variant and ' ' + variant}")
    required = REQUIRES.match(alone(own))
    parts = [_part(own, arithmetic, part) for part in (required[1].split(", ") if required else [])]
    return [*parts, f"{own}.wgsl"]


def _part(own: str, arithmetic: Arithmetic, part: str) -> str:
    """The file of a part: its arithmetic's, or both's."""
    paths = [f"{arithmetic}/_{part}.wgsl", f"_{part}.wgsl"]
    found = [path for path in paths if (files(__name__) / path).is_file()]
    if not found:
        raise InputError(f"{own}.wgsl requires {paths[0]}, which is not there")
    return found[0]


def variants(arithmetic: Arithmetic, name: str) -> list[str]:
    """The further files of an op."""
    stems = [Path(file.name).stem for file in (files(__name__) / arithmetic).iterdir()]
    return sorted(stem.partition("__")[2] for stem in stems if stem.startswith(f"{name}__"))


def alone(name: str) -> str:
    """The text of one file: ``subgroup_size``, ``conformance``, ``exact/rope``."""
    return (files(__name__) / f"{name}.wgsl").read_text()
