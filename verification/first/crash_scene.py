"""A small market that can be killed at any moment: what happens next is a function of its ledger and the seed alone.

    python -m verification.first.crash_scene LEDGER SEED TASKS

Users, providers (some late, some cheats), challengers (some wrong) and auditors (some withhold their reveal) act until
every task is finalised. Before an operation its identifier is printed after ``+``, afterwards after ``=``: what was
printed after ``=`` is durable. On starting, the last operations of the ledger are made again, as by somebody who does
not know whether they were made: that changes nothing. However often it is killed and started again, the ledger ends
with the same events.
"""

import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from hashlib import sha256
from typing import Any

from verification.first import audit, challenge
from verification.first.accounts import Draft, State, deposit, register
from verification.first.ledger import Ledger
from verification.first.rules import Rules, adopt
from verification.first.tasks import OPEN, WAITING, Round, barred, round_of, seal, task_of

Step = tuple[str, Callable[..., None], tuple[Any, ...]]
"""Identifier, operation, arguments."""

RULES = Rules(audit=Fraction(1, 4))
USERS, HONEST, CHEATS, AUDITORS, CHALLENGERS = 3, 6, 3, 2, 2
WIDTH = 6
"""Tasks of a round, at most."""
PURSE = 10**12
"""Micro-tokens that every party brings."""
IN_DOUBT = 3
"""Operations made again on starting."""


def digest(seed: int, *parts: object) -> str:
    """All that is arbitrary about the market: keys, nonces, results, and what chance decides."""
    return sha256(repr((seed, *parts)).encode()).hexdigest()


def happens(percent: int, seed: int, *parts: object) -> bool:
    """Whether chance has it so."""
    return int(digest(seed, *parts), 16) % 100 < percent


def parties(seed: int, role: str, count: int) -> list[str]:
    """Keys of a role; nothing is signed here."""
    return [digest(seed, role, number) for number in range(count)]


def enter(draft: Draft, party: str, amount: int) -> None:
    """Register and deposit at once.

    Raises:
        Refusal: see ``register`` and ``deposit``.
    """
    register(draft, party)
    deposit(draft, party, amount)


def next_step(state: State, seed: int, tasks: int) -> Step | None:
    """What happens next; None when every task is finalised, or nobody is left to work."""
    book = Draft(state)
    if not book.fact("rules"):
        return "rules", adopt, (RULES,)
    roles = {"user": USERS, "honest": HONEST, "cheat": CHEATS, "auditor": AUDITORS, "challenger": CHALLENGERS}
    for party in (party for role, count in roles.items() for party in parties(seed, role, count)):
        if not book.fact(f"party:{party}"):
            return f"enter {party}", enter, (party, PURSE)
    users = parties(seed, "user", USERS)
    for number in range(tasks):
        if book.fact(f"task:{number}") is None:
            return f"post {number}", challenge.post, (str(number), users[number % USERS], 0)
    last = sum(name.startswith("round:") for name in state.facts)
    if last:
        steps = list(_of_round(book, seed, str(last)))
        if steps:
            now = book.fact("now")
            at, (name, change, arguments) = min(steps, key=lambda step: max(now, step[0]))
            return f"{name} in {last}", change, (*arguments, max(now, at))
    return _assignment(book, seed, tasks, str(last + 1))


def _assignment(book: Draft, seed: int, tasks: int, name: str) -> Step | None:
    """The waiting tasks of highest priority to providers that may work, some of them several."""
    waiting = [n for n in range(tasks) if task_of(book, str(n)).state in WAITING]
    everyone = parties(seed, "honest", HONEST) + parties(seed, "cheat", CHEATS)
    able = [party for party in everyone if book.fact(f"party:{party}") == "registered" and not barred(book, party)]
    if not waiting or not able:
        return None
    waiting.sort(key=lambda n: (-task_of(book, str(n)).priority, n))
    pairs = [(str(n), able[int(digest(seed, "who", name, n), 16) % len(able)], 1_000_000 + n) for n in waiting[:WIDTH]]
    return f"assign {name}", challenge.assign, (name, pairs, book.fact("now"))


def _of_round(book: Draft, seed: int, name: str) -> Iterator[tuple[int, Step]]:
    """What may be done about a round's results, and from when; the time is the last argument and still lacks."""
    rivals = round_of(book, name)
    yield from _auditing(book, seed, name, rivals)
    challengers = parties(seed, "challenger", CHALLENGERS)
    for task in rivals.tasks:
        now = task_of(book, task)
        if now.round != name:
            continue
        cheats = now.provider in parties(seed, "cheat", CHEATS) and happens(60, seed, "cheats", task, name)
        late = happens(10, seed, "late", task, name)
        content, nonce = digest(seed, "result", task, cheats), digest(seed, "nonce", task, name)
        match now.state:
            case "assigned" if not late:
                sealed = seal(now.provider, task, content, nonce)
                yield 0, (f"commit {task}", challenge.commit, (task, now.provider, sealed))
            case "committed" if not happens(5, seed, "silent", task, name):
                yield rivals.opens, (f"publish {task}", challenge.publish, (task, now.provider, content, nonce))
            case "assigned":
                yield rivals.due + 1, (f"miss {task}", challenge.miss, (task,))
            case "committed":
                yield rivals.opens + RULES.delta + 1, (f"miss {task}", challenge.miss, (task,))
            case "opened" | "challenged":
                for party in challengers:
                    acts = happens(50 if cheats else 15, seed, "challenges", party, task, name)
                    if acts and party not in now.disputes and book.fact("now") <= now.window_ends:
                        yield 0, (f"challenge {task} {party}", challenge.challenge, (task, party))
                for party in (party for party, how in now.disputes.items() if how == OPEN):
                    winner = "challenger" if cheats else "asserter"
                    why = "tile differs" if cheats else "tile holds"
                    yield 0, (f"verdict {task} {party}", challenge.verdict, (task, party, winner, why))
                if now.state == "opened" and rivals.drawn:
                    yield now.window_ends + 1, (f"finalise {task}", challenge.finalise, (task,))


def _auditing(book: Draft, seed: int, name: str, rivals: Round) -> Iterator[tuple[int, Step]]:
    if rivals.drawn:
        return
    withheld = False
    for party in parties(seed, "auditor", AUDITORS):
        nonce = digest(seed, "nonce", party, name)
        if party in rivals.nonces:
            continue
        if party not in rivals.pledges:
            yield 0, (f"pledge {party}", audit.pledge, (name, party, seal(party, name, "", nonce)))
        elif happens(15, seed, "withholds", party, name):
            withheld = True
        else:
            yield rivals.reveals, (f"reveal {party}", audit.reveal, (name, party, nonce))
    yield rivals.reveals + (RULES.delta + 1) * withheld, ("draw", audit.draw, (name,))


OPERATIONS: dict[str, Callable[..., None]] = {
    change.__name__: change
    for change in (
        *(adopt, enter),
        *(challenge.post, challenge.assign, challenge.commit, challenge.publish, challenge.miss),
        *(challenge.challenge, challenge.verdict, challenge.finalise),
        *(audit.pledge, audit.reveal, audit.draw),
    )
}


def main(path: str, seed: int, tasks: int) -> None:
    """Run the market to its end, from wherever its ledger stands."""
    with Ledger(path) as ledger:
        for operation, name, made, _ in list(ledger.events())[-IN_DOUBT:]:
            if ledger.perform(operation, OPERATIONS[name], *made):
                raise AssertionError(f"{operation} was made twice")
        while step := next_step(ledger.state, seed, tasks):
            operation, change, arguments = step
            print(f"+{operation}", flush=True)
            ledger.perform(operation, change, *arguments)
            print(f"={operation}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
