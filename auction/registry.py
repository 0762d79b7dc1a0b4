"""The directory is the registry: one file a solver, a family, a claim; names are discovered, imported on use.

A package that says so, by ``ENTRY_POINTS``, takes in what other distributions register under that group: the name of an
entry point beside those of the files, and the module it points to, which has what a file would have, ``REQUIRED``.
"""

import functools
import importlib
import importlib.metadata
import inspect
import pkgutil
import re
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

from auction import _interrupt
from auction.errors import InputError, unknown


def names(package: ModuleType) -> list[str]:
    """The files of a package and its entry points, sorted; files that begin with ``_`` are helpers of the others."""
    return sorted({*modules(package), *_others(package)})


def load(package: ModuleType, name: str, kind: str) -> ModuleType:
    """Import one of them; ``kind`` is what a person calls it (solver, family, claim).

    Raises:
        InputError: none of that name, several, or one of another distribution that cannot be imported or lacks what
            the package requires.
    """
    there, others = modules(package), _others(package).get(name, [])
    if name not in there and not others:
        raise unknown(kind, name, names(package))
    if len(others) + (name in there) > 1:
        owners = ["distribute-lab"] * (name in there) + [_owner(entry) for entry in others]
        raise InputError(f"{kind} {name!r} is of several distributions, {' and '.join(owners)}; uninstall all but one")
    with _interrupt.held():
        if name in there:
            return importlib.import_module(f"{package.__name__}.{name}")
        return _loaded(package, others[0], kind)


def modules(package: ModuleType) -> list[str]:
    """The modules that are files of a package, helpers apart."""
    found = (module.name for module in pkgutil.iter_modules(package.__path__))
    return [name for name in found if not name.startswith("_")]


def _others(package: ModuleType) -> dict[str, list[importlib.metadata.EntryPoint]]:
    group = getattr(package, "ENTRY_POINTS", None)
    return _registered(group) if group else {}


@functools.cache  # reading what is installed takes longer than many a solve
def _registered(group: str) -> dict[str, list[importlib.metadata.EntryPoint]]:
    """What other distributions register under a group, by name."""
    found: dict[str, list[importlib.metadata.EntryPoint]] = {}
    for entry in importlib.metadata.entry_points(group=group):
        found.setdefault(entry.name, []).append(entry)
    return found


def _owner(entry: importlib.metadata.EntryPoint) -> str:
    return entry.dist.name if entry.dist else "an unknown distribution"


def _loaded(package: ModuleType, entry: importlib.metadata.EntryPoint, kind: str) -> ModuleType:
    which = f"{kind} {entry.name!r} of {_owner(entry)} ({entry.value})"
    try:
        module: ModuleType = entry.load()
    except Exception as error:  # whatever the code of others raises
        why = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"{which} cannot be imported: {why}") from error
    for attribute in package.REQUIRED:
        if not hasattr(module, attribute):
            raise InputError(f"{which} lacks {attribute!r}; it is a module with {' and '.join(package.REQUIRED)}")
    return module


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


def explanations(function: Callable[..., Any]) -> dict[str, str]:
    """What the options of a function are, by the part ``Args`` of its docstring."""
    _, _, part = (inspect.getdoc(function) or "").replace("``", "").partition("\nArgs:\n")
    found: dict[str, str] = {}
    for paragraph in re.split(r"\n(?=    \w)", "\n" + part.partition("\n\n")[0]):
        names, _, text = paragraph.partition(": ")
        found |= dict.fromkeys(names.split(", "), " ".join(text.split())) if text else {}
    return {name.strip(): text for name, text in found.items()}


def parse_options(function: Callable[..., Any], given: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """All options of ``function``: those given, as text or typed, and the defaults of the others.

    Raises:
        InputError: an unknown option, or a value its annotation does not allow.
    """
    options = options_of(function)
    for name in given:
        if name not in options:
            raise unknown("option", name, options, owner)
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
