"""``model-check``: the protocol explored over small chains, role by role."""

import json
from dataclasses import asdict

from verification.commands.progress import progress
from verification.errors import InputError
from verification.model_check.explore import ViolationError, explore
from verification.model_check.setting import ROLES

NAMES = ", ".join(map(repr, ROLES))
"""Quoted: some are of several words."""
COLUMNS = ("disputes", "states", "transitions", "ends", "seconds")


def model_check(nodes: int, only: str | None, as_json: bool) -> bool:
    """Explore and print a table; whether all holds.

    Raises:
        InputError: no such number of nodes or roles.
    """
    if not 1 <= nodes <= 4:
        raise InputError(f"--nodes {nodes} is not allowed; 1 to 4")
    if only is not None and only not in ROLES:
        raise InputError(f"--roles {only!r} is not allowed; {NAMES}")
    found = []
    for name in [only] if only else ROLES:
        try:
            with progress(f"states of {name!r}") as advance:
                row = asdict(explore(nodes, ROLES[name], lambda explored: advance(explored.states, None)))
        except ViolationError as error:
            row = {"violated": str(error)}
        found.append({"roles": name, "nodes": nodes, **row})
        if not as_json:
            _print(found)
    if as_json:
        print(json.dumps(found))
    return not any("violated" in row for row in found)


def _print(found: list[dict[str, object]]) -> None:
    """The last row, below the heading where it is the first."""
    if len(found) == 1:
        print(f"{'roles':<22}{'nodes':>6}" + "".join(f"{column:>13}" for column in COLUMNS))
    row = found[-1]
    start = f"{row['roles']:<22}{row['nodes']:>6}"
    if "violated" in row:
        print(f"{start}  does not hold: {row['violated']}")
    else:
        print(start + "".join(f"{row[column]:>13,.0f}" for column in COLUMNS))
