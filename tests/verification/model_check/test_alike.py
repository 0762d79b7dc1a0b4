"""Worlds that are not told apart go on alike: the same can happen in them, and the same holds."""

from collections import Counter, defaultdict

import pytest

from verification.model_check import explore, world
from verification.model_check.commitments import scenes
from verification.model_check.recall import Recall
from verification.model_check.setting import Roles, Setting


class Side:
    """A way to tell worlds apart."""

    def __init__(self, setting, live, closed):
        self.setting, self.live, self.closed = setting, live, closed
        self.atoms, self.recall = world.Atoms(), Recall()
        self.start = world.world_of(setting.start(), self.atoms)

    def next(self, monkeypatch, at):
        """What can happen, and the worlds that follow, by what happens and what does not hold then."""
        found = defaultdict(list)
        monkeypatch.setattr(world, "LIVE", self.live)
        monkeypatch.setattr(explore, "closed", self.closed)
        for step in explore._steps(self.setting, self.atoms, self.recall, at[0]):
            changes, key = world.change(*at, step.puts, self.atoms)
            found[step.what, step.wrong, step.timer].append((world.follow(at[0], changes), key))
        return found


def chained(plain):
    return plain | world.CHAIN


@pytest.mark.parametrize(
    ("roles", "nodes"),
    [
        (Roles(helpers=1, audit="drawn", voids=False), 2),
        pytest.param(Roles(challengers=1, helpers=1, audit="bought", voids=False), 1, marks=pytest.mark.slow),
        pytest.param(Roles(challengers=1, helpers=2, voids=False), 1, marks=pytest.mark.slow),
        pytest.param(Roles(helpers=2, audit="drawn", voids=False), 1, marks=pytest.mark.slow),
        pytest.param(Roles(challengers=1, helpers=1, audit="drawn"), 2, marks=pytest.mark.slow),
    ],
)
def test_what_is_left_out_bears_on_nothing(monkeypatch, roles, nodes):
    live, closed, told, all_told = world.LIVE, explore.closed, 0, 0
    for scene in scenes(nodes, deputies=True)[0]:
        setting = Setting(roles, scene.asserter, list(scene.others.values()))
        whole = Side(setting, {"dispute": chained}, lambda *arguments: [])
        part = Side(setting, live, closed)
        known, waiting = {(whole.start[1], part.start[1])}, [(whole.start, part.start)]
        while waiting:
            one, other = waiting.pop()
            after, alike = whole.next(monkeypatch, one), part.next(monkeypatch, other)
            assert {how: len(found) for how, found in after.items()} == {
                how: len(found) for how, found in alike.items()
            }
            for how in after:
                for pair in zip(after[how], alike[how], strict=True):
                    if (keys := (pair[0][1], pair[1][1])) not in known:
                        known.add(keys)
                        waiting.append(pair)
        assert max(Counter(key for key, _ in known).values()) == 1  # what is left out follows from the whole
        told, all_told = told + len({key for _, key in known}), all_told + len(known)
    assert told < all_told
