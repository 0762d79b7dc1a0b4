"""The directory is the registry: one file a solver, a family, a claim; names are discovered, imported on use."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

from auction import _interrupt
from auction.errors import InputError


def names(package: ModuleType) -> list[str]:
    """The modules of a package, sorted; those that begin with ``_`` are helpers of the others."""
    found = (module.name for module in pkgutil.iter_modules(package.__path__))
    return sorted(name for name in found if not name.startswith("_"))


def load(package: ModuleType, name: str, kind: str) -> ModuleType:
    """Import one of them; ``kind`` is what a person calls it (solver, family, claim)."""
    if name not in names(package):
        raise InputError(f"unknown {kind} {name!r}; there are {', '.join(names(package))}")
    with _interrupt.held():
        return importlib.import_module(f"{package.__name__}.{name}")


def summary(module: ModuleType) -> str:
    """The first line of a module's docstring."""
    return (inspect.getdoc(module) or "").partition("\n")[0].replace("``", "")


def options_of(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """A function's options are its keyword-only parameters."""
    return {
        name: parameter
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }


def parse_options(function: Callable[..., Any], given: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """All options of ``function``: those given, as text or typed, and the defaults of the others.

    Raises:
        InputError: an unknown option, or a value its annotation does not allow.
    """
    options = options_of(function)
    for name in given:
        if name not in options:
            there = ", ".join(options) or "none"
            raise InputError(f"unknown option {name!r} of {owner}; there are: {there}")
    return {
        name: _parse(f"option {name} of {owner}", given[name], parameter.annotation)
        if name in given
        else parameter.default
        for name, parameter in options.items()
    }


def describe(annotation: Any) -> str:
    """What an option's annotation allows, in words."""
    if get_origin(annotation) is Literal:
        return "|".join(get_args(annotation))
    return {bool: "true|false", int: "an integer", float: "a finite number", str: "text"}[annotation]


def _parse(where: str, value: Any, annotation: Any) -> Any:
    text = str(value)
    try:
        if get_origin(annotation) is Literal:
            return {choice: choice for choice in get_args(annotation)}[text]
        if annotation is bool:
            return {"true": True, "false": False}[text.lower()]
        parsed = annotation(text)
        if annotation is float and parsed - parsed != 0:  # infinities and NaN
            raise ValueError
        return parsed
    except (KeyError, ValueError):
        raise InputError(f"{where}: {text!r} is not allowed; {describe(annotation)}") from None
