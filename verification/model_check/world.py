"""What the model check tells apart: a ledger's state and the place of its dispute, as far as they bear on what follows.

Money that is free, the fund's and what is burnt are brought back to what they were: what moves is checked as it moves.
"""

import json
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

from verification.ledger.state import BURNT, FUND, State
from verification.market.accounts import free
from verification.model_check.setting import DEPOSIT

FIXED = ("genesis", "owner", "offer")
"""Kinds of facts that stay, or of which nothing depends on that the others do not tell."""
FUND_HOLDS = 10**12


@dataclass(frozen=True)
class World:
    """A point of what is explored."""

    state: State
    place: int = -1
    """Of the dispute that is played; -1: none is."""
    chosen: dict[str, int] = field(default_factory=dict)
    """What parties have committed to: challengers by name, others by the lease for which they did."""
    late: frozenset[str] = frozenset()
    """Who did not compute what it was drawn for, of those whose result would matter."""
    silent: frozenset[str] = frozenset()
    """Who let its budget in a dispute pass."""

    def fact(self, kind: str, subject: str) -> Any:
        return self.state.facts.get(kind, {}).get(subject)

    def facts(self, kind: str) -> dict[str, Any]:
        return self.state.facts.get(kind, {})

    def with_fact(self, kind: str, subject: str, **changed: Any) -> "World":
        """One with parts of a fact changed: a deadline that has passed."""
        state = self.state.copy()
        state.facts[kind][subject] = state.facts[kind][subject] | changed
        return replace(self, state=state)


def settled(world: World) -> World:
    """The same, with money as it was at first where nothing depends on it."""
    state = world.state
    locked = {name: held for name, held in state.balances.items() if name.partition(":")[0] not in _LOOSE}
    owners = state.facts["owner"]
    balances = locked | {free(owner): DEPOSIT for owner in owners} | {FUND: FUND_HOLDS}
    totals: dict[str, int] = {}
    for account, held in locked.items():
        owner = account.split(":")[1]
        totals[owner] = totals.get(owner, 0) + held
    state.balances, state.outside = balances, sum(balances.values())
    state.totals = {owner: DEPOSIT + totals.get(owner, 0) for owner in owners}
    state.number, state.retired = 0, {}
    state.facts["count"] = {"number": 0}
    return world


_LOOSE = ("free", FUND, BURNT)


def key_of(world: World) -> bytes:
    """Equal for two that do not differ; queues are in order of coming."""
    state = world.state
    facts = {kind: known for kind, known in state.facts.items() if known and kind not in FIXED}
    queues = [list(known) for kind, known in sorted(facts.items()) if kind.startswith("claims:")]
    locked = {name: held for name, held in state.balances.items() if name.partition(":")[0] not in _LOOSE}
    flags = [world.place, sorted(world.chosen.items()), sorted(world.late), sorted(world.silent)]
    whole = json.dumps([facts, queues, locked, flags], sort_keys=True)
    return blake2b(whole.encode(), digest_size=16).digest()
