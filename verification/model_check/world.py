"""What the model check tells apart: what a ledger's state holds, and what parties have done, as far as it bears on what
follows.

A world is a table of atoms: facts by kind and subject; of each kind its subjects in order of coming, under the subject
``None``; money that is locked, by account (kind ``balance``) and by owner (``locked``). What parties have done are
facts too: ``chosen``, what they have committed to, challengers by name, others by the lease for which they did;
``late``, who did not compute what it was drawn for; ``silent``, who let its budget in a dispute pass, both of those who
were right alone; ``place``, of the dispute that is played.

Free money, the fund's and what is burnt are always what they were at first: what moves is checked as it moves. So are
counts, how often offers were declined, and what chains messages: nothing that is checked depends on them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any, cast

from verification.ledger.state import BURNT, FUND, Fact, Move, State, owner_of
from verification.market.rules import DEPUTIES

DEPOSIT = 10**9
"""Of each owner."""
FUND_HOLDS = 10**12
LOOSE = {"free": DEPOSIT, FUND: FUND_HOLDS}
"""What accounts hold of which nothing depends, by kind."""
MONEY = ("balance", "locked")
ALIKE = ("owner", "genesis", "locked")
"""Kinds that stay, or follow from the others."""
CHAIN = {"index": 1, "last": "f" * 64}
"""What chains messages, as if none had been sent."""

Read = tuple[str, str | None]
"""Kind and subject; None: the subjects of this kind."""


class Atom:
    """A value at its place in the table; two that are equal are one."""

    __slots__ = ("mark", "value")

    def __init__(self, value: Any, mark: int) -> None:
        self.value = value
        self.mark = mark
        """128 bits drawn by both; 0 where the value tells no worlds apart."""


World = dict[Read, Atom]


class Atoms:
    """The atoms that there are."""

    def __init__(self) -> None:
        self._known: dict[tuple[Read, Any], Atom] = {}

    def of(self, read: Read, value: Any) -> Atom:
        """The atom of a value, a JSON value or a tuple of texts; lists of subjects matter where they are queues."""
        plain = value if isinstance(value, (int, tuple)) else json.dumps(value, sort_keys=True)
        found = self._known.get((read, plain))
        if found is None:
            kind, subject = read
            counts = kind not in ALIKE and (subject is not None or kind.startswith("claims:"))
            drawn = blake2b(repr((read, plain)).encode(), digest_size=16).digest()
            found = self._known[read, plain] = Atom(value, int.from_bytes(drawn, "big") if counts else 0)
        return found


class View:
    """A world as it is read, and what was read of it, in order."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.reads: dict[Read, None] = {}
        self._supposed: dict[Read, Any] = {}

    def supposing(self, kind: str, subject: str, value: Any) -> "View":
        """The same, with another fact; what is read of it is read here."""
        view = View(self.world)
        view.reads, view._supposed = self.reads, {(kind, subject): value}
        return view

    def fact(self, kind: str, subject: str | None) -> Any:
        """A fact's value; None where there is none."""
        if (kind, subject) in self._supposed:
            return self._supposed[kind, subject]
        self.reads[kind, subject] = None
        atom = self.world.get((kind, subject))
        return None if atom is None else atom.value

    def subjects(self, kind: str) -> tuple[str, ...]:
        """Those of which a fact of this kind is known, in order of coming."""
        return self.fact(kind, None) or ()

    def facts(self, kind: str) -> dict[str, Any]:
        """All of a kind, by subject."""
        return {subject: self.fact(kind, subject) for subject in self.subjects(kind)}

    @property
    def state(self) -> State:
        """The ledger's state, in which operations are made; what they read of it is read here."""
        state = State(tick=self.fact("time", "tick"), number=0, head="", market=self.fact("time", "market"))
        state.facts = cast(dict[str, dict[str, Any]], _Kinds(self))
        state.balances, state.totals = cast(dict[str, int], _Balances(self)), cast(dict[str, int], _Totals(self))
        return state


class _Facts(Mapping[str, Any]):
    def __init__(self, view: View, kind: str) -> None:
        self._view, self._kind = view, kind

    def __getitem__(self, subject: str) -> Any:
        found = self._view.fact(self._kind, subject)
        if found is None:
            raise KeyError(subject)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._view.subjects(self._kind))

    def __len__(self) -> int:
        return len(self._view.subjects(self._kind))


class _Kinds(_Facts):
    """Facts by kind, of which any may be read."""

    def __init__(self, view: View) -> None:
        super().__init__(view, "")

    def __getitem__(self, kind: str) -> Any:
        return _Facts(self._view, kind)


class _Balances(_Facts):
    def __init__(self, view: View) -> None:
        super().__init__(view, "balance")

    def __getitem__(self, account: str) -> int:
        loose = LOOSE.get(account.partition(":")[0])
        return super().__getitem__(account) if loose is None else loose


class _Totals(_Facts):
    def __init__(self, view: View) -> None:
        super().__init__(view, "locked")

    def __getitem__(self, owner: str) -> int:
        return DEPOSIT + (self._view.fact("locked", owner) or 0)


def locked(account: str) -> bool:
    """Whether money in it is locked."""
    return account.partition(":")[0] not in (*LOOSE, BURNT)


def _lease(plain: dict[str, Any]) -> dict[str, Any]:
    """Nothing reads until when an answer was due, once it has come."""
    return plain if plain["state"] in ("offered", "held", "received") else plain | {"due": 0, "handback": 0}


def _result(plain: dict[str, Any]) -> dict[str, Any]:
    """Who has claimed is a set."""
    return plain | {"claimants": sorted(set(plain["claimants"]))}


def _audit(plain: dict[str, Any]) -> dict[str, Any]:
    """A lot's time is read while it waits for a verifier."""
    waits = not (plain["over"] or plain["verifier"] or plain["outcome"])
    return plain if waits else plain | {"since": 0}


def _deputies(plain: dict[str, Any]) -> dict[str, Any]:
    """A lot's time, and which lot is the last, is read while it waits for a deputy; how many gave a result, up to the
    two that are drawn, while somebody is absent."""
    waits = not (plain["over"] or plain["lease"])
    plain = plain | {"published": min(plain["published"], DEPUTIES) if plain["absent"] else 0}
    return plain if waits else plain | {"since": 0, "lots": sorted(plain["lots"])}


def _dispute(plain: dict[str, Any]) -> dict[str, Any]:
    return plain | CHAIN | {"published": min(plain["published"], DEPUTIES)}


LIVE = {"lease": _lease, "result": _result, "audit": _audit, "deputies": _deputies, "dispute": _dispute}
"""What of facts anything depends on, by kind: the rest is the same whatever it was."""

Changes = dict[Read, Atom | None]
Puts = tuple[tuple[Read, Atom | None], ...]
"""What becomes of facts and of money that is locked; None: it leaves."""


def puts_of(view: View, facts: Iterable[Fact], moves: Iterable[Move], atoms: Atoms) -> Puts:
    """What facts and moves of money change."""
    changed: dict[Read, Any] = {}
    for kind, subject, value in facts:
        if (kind, subject) != ("count", "number") and (kind != "offer" or value is None):
            changed[kind, subject] = LIVE[kind](value) if value and kind in LIVE else value
    for source, target, amount in moves:
        for account, gained in ((source, -amount), (target, amount)):
            if locked(account):
                for read in (("balance", account), ("locked", owner_of(account))):
                    held = changed[read] if read in changed else view.fact(*read)
                    changed[read] = (held or 0) + gained or None
    return tuple((read, None if value is None else atoms.of(read, value)) for read, value in changed.items())


def change(world: World, key: int, puts: Puts, atoms: Atoms) -> tuple[Changes, int]:
    """What is another in the world that follows, and its key."""
    changes: Changes = {}
    for read, atom in puts:
        before = world.get(read)
        if before is atom:
            continue
        changes[read] = atom
        key ^= (before.mark if before else 0) ^ (atom.mark if atom else 0)
        if (before is None or atom is None) and read[0] not in MONEY:
            key ^= _list(world, changes, read, atom is None, atoms)
    return changes, key


def _list(world: World, changes: Changes, read: Read, leaves: bool, atoms: Atoms) -> int:
    """Change the list of a kind's subjects; the marks of what it was and of what it is."""
    kind, subject = read
    before = changes.get((kind, None)) or world.get((kind, None))
    names = before.value if before else ()
    names = tuple(name for name in names if name != subject) if leaves else (*names, subject)
    after = changes[kind, None] = atoms.of((kind, None), names)
    return (before.mark if before else 0) ^ after.mark


def follow(world: World, changes: Changes) -> World:
    """The world with its changes."""
    after = world.copy()
    for read, atom in changes.items():
        if atom is None:
            del after[read]
        else:
            after[read] = atom
    return after


def world_of(state: State, atoms: Atoms) -> tuple[World, int]:
    """The world of a ledger's state, and its key."""
    facts = [(kind, subject, value) for kind, known in state.facts.items() for subject, value in known.items()]
    facts += [("time", "tick", state.tick), ("time", "market", state.market)]
    puts = [((kind, subject), atoms.of((kind, subject), value)) for kind, subject, value in facts]
    owned: dict[str, int] = {}
    for account, amount in state.balances.items():
        if locked(account):
            owned[owner_of(account)] = owned.get(owner_of(account), 0) + amount
            puts.append((("balance", account), atoms.of(("balance", account), amount)))
    puts += [(("locked", owner), atoms.of(("locked", owner), amount)) for owner, amount in owned.items()]
    changes, key = change({}, 0, tuple(puts), atoms)
    return follow({}, changes), key
