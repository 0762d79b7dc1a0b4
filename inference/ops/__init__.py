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
* ``entry(**attributes)``: the kernel's entry point, where that is not ``main``;
* ``workspace(*shapes, lanes, **attributes)``: words that a dispatch keeps to itself;
* ``variants(output, *, arithmetic, target, inputs, **attributes)``, where it has more than one kernel: those that a
  ``device.target.Target`` admits for inputs of these shapes, the likeliest first; all give the same bits.
  ``workgroups``, ``workspace`` and ``entry`` are then told the ``variant``;
* ``before(variant, arithmetic)``, where one of them needs others dispatched before it: their names;
* ``pieces(*shapes, **attributes)``, where one dispatch would need too large a workspace: what the kernel's Params take
  in each of several;
* ``tuned(generator, arithmetic, tokens, size)``, where it is for measuring to choose: operands as of ``draw``, of a
  small model's size (0) and a large one's (1);
* ``lanes(*shapes, target, variant)``, where a workgroup is to have others than the target's;
* ``arguments(arithmetic, **attributes)``, where attributes decide which inputs it has: their names, in order;
* ``fused(**attributes)``: names of what it computes besides, before and after itself;
* ``work_seen(start, *shapes, **attributes)``, where a token's work depends on its position: of tokens at consecutive
  positions from ``start`` on;
* ``enclosure(*operands, **attributes)`` of a value or ``used(y, *operands, **attributes)`` of a choice: how far float32
  may err (``arithmetic.tolerance``);
* ``draw(generator, arithmetic, a, b, c)``: inputs, constants and attributes to try it on, of sizes that grow with a, b
  and c;
* ``PACK``: for an input that is a weight, by name, the layout the kernel reads;
* ``BITS``: for an input of packed weights, by name, the bits of one;
* ``OUTPUT``: the type of its output where that is not the arithmetic's;
* ``COLOUR``: of its box in a drawing.

Those from ``entry`` on are for ops that need them. Attributes are what ``shape`` and the reference name.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any

from inference.errors import InputError

Shape = tuple[int, ...]


def names() -> list[str]:
    """The ops, sorted."""
    return list(_names(tuple(__path__)))


@cache
def _names(folders: tuple[str, ...]) -> tuple[str, ...]:
    """Graphs ask for every node: folders are listed once."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(folders) if not module.name.startswith("_")))


def load(name: str) -> ModuleType:
    """The module of an op."""
    if name not in names():
        raise InputError(f"unknown op {name!r}; there are {', '.join(names())}")
    return importlib.import_module(f"{__name__}.{name}")


_signature = cache(inspect.signature)


def arguments(op: str, arithmetic: str, attributes: Mapping[str, Any]) -> list[str]:
    """Names of an op's inputs, in order."""
    module = load(op)
    if hasattr(module, "arguments"):
        return list(module.arguments(arithmetic, **attributes))
    signature = _signature(getattr(module, arithmetic))
    return [name for name, p in signature.parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]


def attributes(op: str, arithmetic: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of an op: those given, and the defaults of the others that its shape and its reference name.

    Raises:
        InputError: one is given that neither names, or one without a default is not.
    """
    module, known = load(op), dict[str, Any]()
    for function in (module.shape, getattr(module, arithmetic, module.shape)):
        parameters = _signature(function).parameters.values()
        known |= {each.name: each.default for each in parameters if each.kind is each.KEYWORD_ONLY}
    for name in given:
        require(name in known, f"there is no attribute {name!r}; there are {', '.join(sorted(known)) or 'none'}")
    found = known | dict(given)
    for name, value in found.items():
        require(value is not inspect.Parameter.empty, f"the attribute {name!r} is not given")
    return found


def require(condition: bool, what: str) -> None:
    """InputError(what) unless the condition holds: shapes that do not fit."""
    if not condition:
        raise InputError(what)
