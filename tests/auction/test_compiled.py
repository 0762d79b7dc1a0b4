"""Compiled functions are kept where that is possible, and nowhere where it is not."""

import ast
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from numba import config

from auction import _compiled


def test_without_a_place_to_keep_them_a_folder_of_the_process_serves(monkeypatch):
    def refused(*_, **__):
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    kept = []
    monkeypatch.setattr(_compiled.atexit, "register", lambda *call, **_: kept.append(call))
    _compiled._ensure_cache()
    assert not kept and config.CACHE_DIR == ""

    monkeypatch.setattr(_compiled, "njit", refused)
    _compiled._ensure_cache()
    ((remove, folder),) = kept
    assert config.CACHE_DIR == os.environ["NUMBA_CACHE_DIR"] == folder
    assert stat.S_IMODE(Path(folder).stat().st_mode) == 0o700
    remove(folder)


ROOT = Path(__file__).parents[2]


def compiled(function: ast.AST) -> str:
    """The decorator that has numba compile a function: at once where it names types, otherwise once it is called."""
    decorators = getattr(function, "decorator_list", [])
    return next((text for text in map(ast.unparse, decorators) if text.startswith(("njit", "_kept"))), "")


def called(node: ast.AST) -> Iterator[str]:
    """Names that Python calls: not what compiled functions call."""
    for child in ast.iter_child_nodes(node):
        if not compiled(child):
            if isinstance(child, ast.Call) and isinstance(child.func, ast.Name):
                yield child.func.id
            yield from called(child)


def test_what_python_calls_is_compiled_when_it_is_imported():
    """Otherwise the first market that needs it waits, though everything was compiled when it was installed."""
    modules = {}
    for package in ("auction", "verification"):
        for path in (ROOT / package).rglob("*.py"):
            modules[".".join(path.relative_to(ROOT).with_suffix("").parts)] = ast.parse(path.read_text())
    late = {
        (name, function.name)
        for name, module in modules.items()
        for function in module.body
        if (text := compiled(function)) and not getattr(ast.parse(text).body[0].value, "args", ())
    }
    assert ("auction.solvers._covering.cover", "cover_of") in late
    for name, module in modules.items():
        own = {function: name for where, function in late if where == name}
        imported = {
            alias.asname or alias.name: node.module
            for node in ast.walk(module)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if (node.module, alias.name) in late
        }
        assert not (own | imported).keys() & set(called(module)), name
