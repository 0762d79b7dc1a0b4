"""All adversaries' games, by name: the directory ``games``, and those that corrupt a trace or break a dispute."""

from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib import import_module
from inspect import getdoc, isfunction
from pkgutil import iter_modules
from types import ModuleType
from typing import NamedTuple

from verification.adversaries import break_dispute, corrupt_trace, games
from verification.adversaries.cast import PROVIDER
from verification.adversaries.coordinate import settle
from verification.adversaries.end import End, ended
from verification.adversaries.listing import NEVER, cheat, first_line
from verification.adversaries.scene import Scene
from verification.numbers import Numbers
from verification.trace import Trace, record


class Game(NamedTuple):
    """An adversary, ready to be played."""

    family: str
    name: str
    what: str
    """What it tries."""
    play: Callable[[], End]


@cache
def all_games() -> tuple[Game, ...]:
    """Of every family, in order."""
    found = []
    for name, function in corrupt_trace.ADVERSARIES.items():
        found.append(Game("Corrupt the trace", name, first_line(function), partial(_corrupts, name)))
    found += [
        Game("Corrupt the trace", name, what, partial(_substitutes, name))
        for name, what in corrupt_trace.SUBSTITUTES.items()
    ]
    for name, (wrap, _) in break_dispute.ADVERSARIES.items():
        stage = name.removeprefix("silent-at-")
        what = first_line(wrap) if stage == name else f"Silent when its turn comes at stage {stage}"
        if name not in NEVER:
            found.append(Game("Break the protocol of a dispute", name, what, partial(_corrupts, name)))
    for module in _modules():
        family = _first_line(module)
        found += [Game(family, name.replace("_", "-"), _first_line(play), play) for name, play in _own(module)]
    return tuple(found)


def _modules() -> list[ModuleType]:
    return [import_module(f"{games.__name__}.{found.name}") for found in iter_modules(games.__path__)]


def _own(module: ModuleType) -> Iterator[tuple[str, Callable[[], End]]]:
    """Its public functions that it does not import, in order."""
    for name, value in vars(module).items():
        if isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_"):
            yield name, value


def _first_line(thing: object) -> str:
    return (getdoc(thing) or "").partition("\n")[0].rstrip(".")


SUBSTITUTES = {
    "fewer-layers": Numbers(shifts=False),
    "coarser-weights": Numbers(weight=6),
    "wrong-input": Numbers(token=5),
    "wrong-seed": Numbers(seed=6),
}
"""What is run instead."""


def _substitutes(name: str) -> End:
    """A provider that runs another computation."""
    scene = Scene()
    other = corrupt_trace.substituted(scene.computation, record(SUBSTITUTES[name], keep_all=True))
    return _audited(scene, other)


def _corrupts(name: str) -> End:
    """A provider that commits to something wrong, and in the dispute over it breaks the protocol if that is its way."""
    scene = Scene()
    scene.parties[PROVIDER].wrap = break_dispute.ADVERSARIES.get(name, (None, ""))[0]
    return _audited(scene, cheat(scene.right.copy(), name))


def _audited(scene: Scene, trace: Trace) -> End:
    """The draw takes it, and the verifier is honest."""
    scene.parties[PROVIDER].trace = trace
    scene.serve(drawn=True)
    settle(scene)
    return ended(scene, (PROVIDER,))
