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
    "lost-audit": ("step-wrong", "provider, puppet 1, puppet 2"),
    "blocking-claims": ("step-wrong", "provider, puppet 1"),
    "drained-clock": ("step-right", "puppet 1, puppet 2, puppet 3, puppet 4"),
    "offline-asserter": ("step-right", "puppet 1"),
    "false-deputies": ("step-right", "deputies, puppet 1"),
    "only-false-deputies": ("silent", PROVIDER),
    "foretold-deputies": ("step-right", "puppet 1"),
    "vanished-challenger": ("silent", "puppet 1"),
    "silent-cheat": ("silent", PROVIDER),
    "puppet-wins": ("step-wrong", PROVIDER),
    "fifty-leases": ("step-wrong", PROVIDER),
    "withheld-result": ("late", PROVIDER),
    "withheld-output": ("missing-output", PROVIDER),
    "second-result": ("wrong-state", PROVIDER),
    "copied-result": ("not-the-device", "the verifier"),
    "owned-draw": ("step-wrong", PROVIDER),
    "barred-strangers": ("step-wrong", "provider, puppet"),
    "verifier-in-league": ("step-wrong", PROVIDER),
    "cheap-lots": ("step-wrong", PROVIDER),
    "sham-orders": ("fees", "own user"),
    "fresh-keys": ("fees", "own user"),
    "dear-verifier": ("not-drawn", ""),
    "copied-shown-result": ("", "user"),
    "silent-deputies": ("step-wrong", PROVIDER),
    "bought-audit": ("stands", "friend"),
    "hidden-draw": ("drawn", PROVIDER),
    "chosen-lot": ("wrong-lot", ""),
    "spared-friend": ("", "user"),
    "spared-friend-challenged": ("step-wrong", PROVIDER),
    "bought-verdict": ("step-wrong", PROVIDER),
    "bought-acquittal": ("step-right", "user, stranger 1"),
    "early-verdict": ("deputies-left", "friend"),
    "late-on-purpose": ("vanished", PROVIDER),
    "respelt-root": ("malformed", PROVIDER),
    "respelt-signature": ("wrong-signature", PROVIDER),
    "small-order-keys": ("wrong-signature", ""),
    "other-end-tokens": ("step-wrong", PROVIDER),
    "long-answer": ("step-wrong", PROVIDER),
    "wide-row": ("step-wrong", PROVIDER),
    "other-market-replayed": ("wrong-signature", ""),
    "sent-twice": ("made once", ""),
    "edited-transcripts": ("does-not-follow", PROVIDER),
    "own-referee": ("other-referee", PROVIDER),
    "two-courses": ("other-ledger", PROVIDER),
    "far-future": ("too-far", ""),
    "poisoned-round": ("beyond-free", ""),
    "deposit-cycles": ("beyond-int64", ""),
    "edited-file": ("broken-chain", ""),
    "cut-file": ("cut-short", ""),
    "restart": ("step-wrong", PROVIDER),
}
"""By name: the reason that ends it, and who loses money by it."""
NOT_PREVENTED = {
    "only-false-deputies",
    "spared-friend",
    "copied-shown-result",
    "bought-verdict",
    "bought-acquittal",
    "late-on-purpose",
}
"""What the protocol is known not to resist."""
GAMES = {game.name: game for game in all_games()}


def test_every_game_has_its_end_here():
    assert GAMES.keys() == ENDS.keys()
    assert all(game.what for game in GAMES.values())


@pytest.mark.parametrize("name", GAMES)
def test_a_game_ends_as_it_is_stated(played, name):
    end = played[name]
    assert (end.reason, end.loser) == ENDS[name]
    assert end.prevented == (name not in NOT_PREVENTED)
    if end.prevented:
        assert end.gained <= 0
    assert sum(end.gains.values()) == 0


def measured(played, name):
    return played[name].measured


def test_what_is_measured_of_games_is_what_is_said_of_them(played):
    league = measured(played, "verifier-in-league")
    gains = [float(gain) for gain in league.values()]
    assert len(gains) == 4 and gains == sorted(gains) and gains[-1] < 0
    assert measured(played, "owned-draw") == {"drawn, of 40": 12, "fallen": 8}
    for name in ("edited-transcripts", "edited-file"):
        edits, noticed = measured(played, name).values()
        assert edits == noticed > 5
    for name in ("bought-verdict", "bought-acquittal"):
        assert measured(played, name) == {"the sold verdict": "does not follow", "the true one": "follows"}
    assert measured(played, "long-answer")["largest message, bytes"] < 10_000
    assert 8 * 4 * 1_024 < measured(played, "wide-row")["largest message, bytes"] < 96_000
    assert measured(played, "sent-twice") == {"sent again": 6, "made again": 0}
    assert measured(played, "spared-friend") == {"escaped, of 20": 20}
    assert measured(played, "drained-clock") == {"disputes": 4, "ticks to the last verdict": 4 * 340}
    assert measured(played, "fifty-leases") == {"lost by the one": 8_000, "fallen": 50}
    assert measured(played, "restart")["killed"] >= 5
    assert measured(played, "dear-verifier") == {"listed": 0}
    deputies = {"offline-asserter": 1, "foretold-deputies": 1, "false-deputies": 3, "only-false-deputies": 0}
    assert {name: measured(played, name)["deputies"] for name in deputies} == deputies
    assert measured(played, "lost-audit") == {"lost on purpose": 2}


def test_what_coalitions_gain_is_the_closed_form(played):
    """At q of the lot, of a stake of 8 prices: 1 + p q - 9 p (1 - q), no share of it coming back."""
    for q, gain in zip((0.0, 0.1, 0.2, 0.3), measured(played, "verifier-in-league").values(), strict=True):
        assert float(gain) == pytest.approx(1 + q / 5 - 9 * (1 - q) / 5, abs=5e-4)


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
