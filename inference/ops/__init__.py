"""One file an op: its shape rule, its references in both arithmetics, its work and its dispatch.

The directory is the registry. An op ``name`` is ``name.py`` here, ``kernels/exact/name.wgsl`` and
``kernels/float32/name.wgsl``; it offers

* ``shape(*shapes, **attributes)``: the shape of its output, InputError where the inputs do not fit;
* ``exact(*inputs, **attributes)`` and ``float32(*inputs, **attributes)``: the numpy references;
* ``derivation(row, start, stop, *operands, **attributes)``: the steps in which a referee recomputes some columns of a
  row of the exact output; ``inference.derivation`` has the table;
* ``work(*shapes, **attributes)``: multiply-accumulates;
* ``dimensions(*shapes, **attributes)``: what the kernel's Params take besides the attributes, by name;
* ``workgroups(output, *, lanes, arithmetic, **attributes)``: how many workgroups of ``lanes`` invocations to dispatch;
* ``variant(output, *, arithmetic, subgroups)``, where it has more than one kernel: which to take;
* ``PACK``: for an input that is a weight, by name, the layout the kernel reads;
* ``OUTPUT``: the type of its output where that is not the arithmetic's.
"""

import importlib
import pkgutil
from types import ModuleType

from inference.errors import InputError

Shape = tuple[int, ...]


def names() -> list[str]:
    """The ops, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load(name: str) -> ModuleType:
    """The module of an op."""
    if name not in names():
        raise InputError(f"unknown op {name!r}; there are {', '.join(names())}")
    return importlib.import_module(f"{__name__}.{name}")


def require(condition: bool, what: str) -> None:
    """InputError(what) unless the condition holds: shapes that do not fit."""
    if not condition:
        raise InputError(what)
