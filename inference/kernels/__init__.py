"""The WGSL kernels, one file an op and arithmetic, and what the runtime reads off their text.

``exact/fixed_point.wgsl`` goes before every exact kernel. Bindings are found by the names of their variables: an op's
inputs by the names of its reference's arguments, ``output``, ``workspace``, and ``params``, whose fields are attributes
and dimensions of the op by name.
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
FIELD = re.compile(r"^\s*(\w+): ([iuf]32),", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Kernel:
    """One WGSL file."""

    code: str
    bindings: dict[str, int]
    fields: dict[str, str]

    def parameters(self, values: Mapping[str, int | float]) -> bytes:
        """The Params struct, a field that is not given 0, to whole 16 bytes."""
        packed = b"".join(
            struct.pack({"i32": "<i", "u32": "<I", "f32": "<f"}[kind], values.get(name, 0))
            for name, kind in self.fields.items()
        )
        return packed + bytes(-len(packed) % 16)


@cache
def kernel(arithmetic: Arithmetic, name: str, variant: str = "") -> Kernel:
    """The kernel of an op; ``variant`` names another file (``matmul_q4__subgroup.wgsl``).

    Raises:
        InputError: there is none.
    """
    folder = files(__name__) / arithmetic
    file = folder / f"{name}{'__' if variant else ''}{variant}.wgsl"
    if not file.is_file():
        raise InputError(f"op {name!r} has no {arithmetic} kernel{variant and ' ' + variant}")
    text = file.read_text()
    code = ((folder / "fixed_point.wgsl").read_text() if arithmetic == "exact" else "") + text
    parameters = re.search(r"struct Params \{(.*?)\}", text, re.DOTALL)
    fields = dict(FIELD.findall(parameters[1])) if parameters else {}
    return Kernel(code, {variable: int(number) for number, variable in BINDING.findall(text)}, fields)


def variants(arithmetic: Arithmetic, name: str) -> list[str]:
    """The further files of an op."""
    stems = [Path(file.name).stem for file in (files(__name__) / arithmetic).iterdir()]
    return sorted(stem.partition("__")[2] for stem in stems if stem.startswith(f"{name}__"))


def alone(name: str) -> str:
    """A kernel that is no op: ``subgroup_size``, ``conformance``."""
    return (files(__name__) / f"{name}.wgsl").read_text()
