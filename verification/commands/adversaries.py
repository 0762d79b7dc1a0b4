"""``adversaries``: who tries to cheat, and what comes of it."""

import json
from typing import Any

from verification.adversaries.listing import first_line, rows
from verification.first.adversaries import play_for_money


def adversaries(as_json: bool) -> None:
    """Print all, by kind."""
    found = rows() + _games()
    if as_json:
        print(json.dumps(found))
        return
    for kind in dict.fromkeys(row["kind"] for row in found):
        print(f"They {kind}:")
        for row in (row for row in found if row["kind"] == kind):
            print(f"  {row['name']:<22}{row.get('loses', ''):<17}{row['what']}")
            for who, amount in row.get("outcome", {}).items():
                print(f"  {'':<22}{amount:>+14,}   {who}")


def _games() -> list[dict[str, Any]]:
    """What those that play for money gain."""
    return [
        {"name": name, "kind": "play for money", "outcome": game(play_for_money.RULES), "what": first_line(game)}
        for name, game in play_for_money.ADVERSARIES.items()
    ]
