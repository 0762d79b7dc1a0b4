"""All that can happen in a market of a few parties, one state after another; and that it always can end."""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from time import process_time

import numpy as np

from verification.model_check.commitments import scenes
from verification.model_check.moves import PARTS, parts
from verification.model_check.properties import check_end, check_move
from verification.model_check.recall import Recall
from verification.model_check.setting import Roles, Setting
from verification.model_check.sides import closed
from verification.model_check.world import Atoms, Puts, View, World, change, follow, puts_of, world_of


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
    """Of processor time."""


class ViolationError(AssertionError):
    """Something does not hold; how it came to that."""


@dataclass(frozen=True, slots=True)
class Step:
    """What follows a move."""

    what: str
    puts: Puts
    timer: bool
    wrong: str
    """What does not hold then; "": all does."""


def explore(nodes: int, roles: Roles, progress: Callable[[Explored], None] = lambda explored: None) -> Explored:
    """Look at all that can happen over chains of so many nodes.

    Raises:
        ViolationError: a property does not hold.
    """
    begun = process_time()
    found, disputes = scenes(nodes, deputies=bool(roles.helpers or roles.coordinator))
    explored = Explored(disputes=disputes)
    for scene in found:
        _explore(Setting(roles, scene.asserter, list(scene.others.values())), explored, progress)
        explored.settings += 1
        explored.seconds = process_time() - begun
    return explored


def _explore(setting: Setting, explored: Explored, progress: Callable[[Explored], None]) -> None:
    atoms, recall = Atoms(), Recall()
    start, key = world_of(setting.start(), atoms)
    known, came = {key: 0}, [(-1, "")]
    timers = array("I"), array("I")  # from which states a timer leads to which
    ends = array("I")
    waiting = [(0, start, key)]
    while waiting:
        number, world, key = waiting.pop()
        explored.states += 1
        if explored.states % 10_000 == 0:
            progress(explored)
        stuck = True
        for step in _steps(setting, atoms, recall, world):
            stuck = False
            explored.transitions += 1
            if step.wrong:
                raise ViolationError(f"{step.wrong}: {_path(came, number, step.what)}")
            changes, after = change(world, key, step.puts, atoms)
            other = known.setdefault(after, len(known))
            if other == len(came):
                came.append((number, step.what))
                waiting.append((other, follow(world, changes), after))
            if step.timer:
                timers[0].append(number)
                timers[1].append(other)
        if stuck:
            try:
                check_end(setting, View(world))
            except AssertionError as error:
                raise ViolationError(f"{error}: {_path(came, number)}") from None
            ends.append(number)
    explored.ends += len(ends)
    _check_that_all_end(ends, timers, came)


def _steps(setting: Setting, atoms: Atoms, recall: Recall, world: World) -> Iterator[Step]:
    """All that can happen next."""
    for part in recall(world, "parts", partial(parts, setting)):
        yield from recall(world, part, partial(_worked_out, setting, atoms, part))


def _worked_out(setting: Setting, atoms: Atoms, part: tuple[str, str], view: View) -> tuple[Step, ...]:
    """What can happen next of a part, each with what must hold then."""
    (what, subject), steps = part, list[Step]()
    for move in PARTS[what](setting, view, subject):
        wrong = ""
        try:
            check_move(setting, view, move)
        except AssertionError as error:
            wrong = str(error)
        facts = (*move.facts, *closed(setting, view, move))
        steps.append(Step(move.what, puts_of(view, facts, move.money, atoms), move.timer, wrong))
    return tuple(steps)


def _check_that_all_end(ends: "array[int]", timers: "tuple[array[int], ...]", came: list[tuple[int, str]]) -> None:
    """From every state timers alone lead to an end."""
    before, after = (np.frombuffer(each, np.uint32) for each in timers)
    can = np.zeros(len(came), bool)
    can[ends] = True
    reached = 0
    while reached < (reached := int(can.sum())):
        can[before[can[after]]] = True
    if reached < len(came):
        raise ViolationError(f"no timer leads to an end: {_path(came, int(np.argmin(can)))}")


def _path(came: list[tuple[int, str]], number: int, last: str = "") -> str:
    """What led to a state, in order."""
    steps = [last] if last else []
    while number > 0:
        number, what = came[number]
        steps.append(what)
    return "; ".join(reversed(steps))
