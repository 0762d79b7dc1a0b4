"""``adversaries``: who tries to cheat, played to its end, and what comes of it."""

import json
from dataclasses import asdict
from typing import Any

from verification.adversaries.end import End
from verification.adversaries.registry import Game, all_games
from verification.commands.progress import progress, working


def adversaries(as_json: bool) -> None:
    """Play all, and print by family: what each tries, why it ends, who loses, and what each gains in micro-tokens."""
    games, rows, family = all_games(), [], ""
    with progress("adversaries") as advance:
        for done, game in enumerate(games if as_json else ()):
            advance(done, len(games))
            rows.append(row(game))
    if as_json:
        print(json.dumps(rows))
        return
    for game in games:
        with working(game.name):
            end = game.play()
        if game.family != family:
            family = game.family
            print(f"{family}:")
        print(_told(game, end), flush=True)


def row(game: Game) -> dict[str, Any]:
    """A game that was played."""
    return {"family": game.family, "name": game.name, "what": game.what} | asdict(game.play())


def _told(game: Game, end: End) -> str:
    held = end.reason or "nothing stops it"
    if not end.prevented:
        held += ", not prevented"
    gains = ", ".join(f"{who} {gain:+,}" for who, gain in end.gains.items()) or "nobody gains or loses"
    measured = "; ".join(f"{what} {value}" for what, value in end.measured.items())
    lines = [f"  {game.name:<26}{game.what}", f"  {'':<26}-> {held}; lost by {end.loser or 'nobody'}; {gains}"]
    return "\n".join(lines + ([f"  {'':<26}   {measured}"] if measured else []))
