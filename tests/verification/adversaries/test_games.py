"""Every game ends as is stated here, on a real ledger; nobody gains by not keeping to the protocol, but where it is
stated that the protocol does not resist that."""

import json

import pytest

from verification.adversaries.registry import all_games
from verification.commands import adversaries as command

PROVIDER = "provider"
CORRUPT = "flipped-bit wrong-node masked-fault wrong-tile other-tokens fewer-tokens"
SUBSTITUTES = "fewer-layers coarser-weights wrong-input wrong-seed"
SILENT = "descend-nodes node descend-leaves steps descend-steps open"
ENDS = {
    **dict.fromkeys(f"{CORRUPT} {SUBSTITUTES}".split(), ("step-wrong", PROVIDER)),
    **{f"silent-at-{stage}": ("silent", PROVIDER) for stage in SILENT.split()},
    "garbage": ("malformed", PROVIDER),
    "oversized": ("silent", PROVIDER),
    "replaying": ("replayed", PROVIDER),
    "running-ahead": ("reordered", PROVIDER),
    "elsewhere": ("other-dispute", PROVIDER),
    "wrong-key": ("wrong-signature", PROVIDER),
    "other-market": ("wrong-signature", PROVIDER),
    "forged-proof": ("wrong-proof", PROVIDER),
    "forged-digest": ("wrong-digest", PROVIDER),
    "wrong-challenger": ("step-right", "puppet 1"),
    "repeating-challenger": ("second-claim", "puppet 1, puppet 2, puppet 3, puppet 4"),
    "equal-claim": ("equal-root", ""),
    "thrown-dispute": ("step-wrong", "provider, puppet 1"),
    "blocking-claims": ("step-wrong", "provider, puppet 1, puppet 2"),
    "drained-clock": ("step-right", "puppet 1, puppet 2, puppet 3, puppet 4"),
    "offline-asserter": ("step-right", "puppet 1"),
    "false-deputies": ("step-right", "stranger 1, stranger 2, puppet 1"),
    "only-false-deputies": ("silent", PROVIDER),
    "vanished-challenger": ("silent", "puppet 1"),
    "silent-cheat": ("silent", PROVIDER),
    "puppet-wins": ("step-wrong", PROVIDER),
    "fifty-leases": ("step-wrong", PROVIDER),
}
"""By name: the reason that ends it, and who loses money by it."""
NOT_PREVENTED = {"only-false-deputies"}
GAMES = {game.name: game for game in all_games()}


def test_every_game_has_its_end_here():
    assert GAMES.keys() == ENDS.keys()
    assert all(game.what for game in GAMES.values())


@pytest.fixture(scope="module")
def played():
    """Each game's end, played once."""
    return {name: game.play() for name, game in GAMES.items()}


@pytest.mark.parametrize("name", GAMES)
def test_a_game_ends_as_it_is_stated(played, name):
    end = played[name]
    assert (end.reason, end.loser) == ENDS[name]
    assert end.prevented == (name not in NOT_PREVENTED)
    if end.prevented:
        assert end.gained <= 0
    assert sum(end.gains.values()) == 0


def test_the_command_plays_all_and_tells_how_they_end(capsys, monkeypatch):
    some = [GAMES[name] for name in ("flipped-bit", "offline-asserter", "drained-clock", "only-false-deputies")]
    monkeypatch.setattr(command, "all_games", lambda: some)
    command.adversaries(True)
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert {name: (row["reason"], row["loser"]) for name, row in rows.items()} == {
        game.name: ENDS[game.name] for game in some
    }
    command.adversaries(False)
    out = capsys.readouterr().out
    assert all(f"  {name} " in out and row["what"] in out for name, row in rows.items())
    assert "silent, not prevented; lost by provider" in out and "disputes 4" in out
