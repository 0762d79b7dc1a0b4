"""``adversaries``: who tries to cheat, played to its end, and what comes of it."""

import json
from dataclasses import asdict
from typing import Any

from verification.adversaries.end import End
from verification.adversaries.registry import Game, all_games


def adversaries(as_json: bool) -> None:
    """Play all, and print by family: what each tries, why it ends, who loses, and what each gains in micro-tokens."""
    if as_json:
        print(json.dumps([row(game) for game in all_games()]))
        return
    family = ""
    for game in all_games():
        if game.family != family:
            family = game.family
            print(f"{family}:")
        print(_told(game, game.play()), flush=True)


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
