"""All that can happen in a market of a few parties, one state after another; and that it always can end."""

from array import array
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter

from verification.model_check.commitments import scenes
from verification.model_check.moves import moves
from verification.model_check.properties import check_end, check_move, right
from verification.model_check.setting import Roles, Setting
from verification.model_check.world import World, key_of, settled


@dataclass(slots=True)
class Explored:
    """How much was looked at."""

    disputes: int = 0
    """Between two traces, played by the real ``Dispute``."""
    settings: int = 0
    """Markets."""
    states: int = 0
    transitions: int = 0
    ends: int = 0
    """States in which nothing is open."""
    seconds: float = 0.0


class ViolationError(AssertionError):
    """Something does not hold; how it came to that."""


def explore(nodes: int, roles: Roles, progress: Callable[[Explored], None] = lambda explored: None) -> Explored:
    """Look at all that can happen over chains of so many nodes.

    Raises:
        ViolationError: a property does not hold.
    """
    begun = perf_counter()
    found, disputes = scenes(nodes, deputies=bool(roles.helpers or roles.coordinator))
    explored = Explored(disputes=disputes)
    for scene in found:
        _explore(Setting(nodes, roles, scene.asserter, list(scene.others.values())), explored, progress)
        explored.settings += 1
        explored.seconds = perf_counter() - begun
    return explored


def _explore(setting: Setting, explored: Explored, progress: Callable[[Explored], None]) -> None:
    start = _normal(setting, World(setting.start()))
    known, came = {key_of(start): 0}, [(-1, "")]
    timers: list[array[int]] = [array("I")]  # of each state, those from which a timer leads to it
    ends = list[int]()
    waiting = [(0, start)]
    while waiting:
        number, world = waiting.pop()
        explored.states += 1
        if explored.states % 1_000 == 0:
            progress(explored)
        stuck = True
        for move in moves(setting, world):
            stuck = False
            explored.transitions += 1
            try:
                check_move(setting, world, move)
            except AssertionError as error:
                raise ViolationError(f"{error}: {_path(came, number, move.what)}") from None
            after = _normal(setting, move.after)
            other = known.setdefault(key_of(after), len(known))
            if other == len(came):
                came.append((number, move.what))
                timers.append(array("I"))
                waiting.append((other, after))
            if move.timer:
                timers[other].append(number)
        if stuck:
            try:
                check_end(setting, world)
            except AssertionError as error:
                raise ViolationError(f"{error}: {_path(came, number)}") from None
            ends.append(number)
    explored.ends += len(ends)
    _check_that_all_end(ends, timers, came)


def _normal(setting: Setting, world: World) -> World:
    """Nothing depends on how those failed who were not right."""
    wrong = {name for name in world.late | world.silent if not right(setting, world, name)}
    return settled(replace(world, late=world.late - wrong, silent=world.silent - wrong))


def _check_that_all_end(ends: list[int], timers: "list[array[int]]", came: list[tuple[int, str]]) -> None:
    """From every state timers alone lead to an end."""
    can, waiting = set(ends), list(ends)
    while waiting:
        for before in timers[waiting.pop()]:
            if before not in can:
                can.add(before)
                waiting.append(before)
    if len(can) < len(came):
        lost = next(number for number in range(len(came)) if number not in can)
        raise ViolationError(f"no timer leads to an end: {_path(came, lost)}")


def _path(came: list[tuple[int, str]], number: int, last: str = "") -> str:
    """What led to a state, in order."""
    steps = [last] if last else []
    while number > 0:
        number, what = came[number]
        steps.append(what)
    return "; ".join(reversed(steps))
