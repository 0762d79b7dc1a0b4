"""A market of four operations, and one that can be killed at any moment.

    python toy_market.py LEDGER EVENTS

What happens next is a function of the ledger alone, until it has that many events. Before a request its name is printed
after ``+``, afterwards after ``=``: what was printed after ``=`` is durable. On starting, the market is begun and the
last requests are made again, as by somebody who does not know whether they were: that changes nothing.
"""

import sys
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.encoding.request import Request, request
from verification.encoding.signature import public
from verification.errors import Refusal
from verification.ledger.operations import coordinator_only
from verification.ledger.state import BURNT, OUTSIDE, Draft
from verification.ledger.store import Ledger

COORDINATOR = Ed25519PrivateKey.from_private_bytes(b"c" * 32)
KEYS = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in range(1, 4)]
PARTIES = [public(key) for key in KEYS]
GENESIS = {"coordinator": public(COORDINATOR), "rules": {"delta": 60}, "protocol": "0" * 64}
IN_DOUBT = 3
"""Requests made again on starting."""


def deposit(draft: Draft, asked: Request) -> None:
    """{amount, nonce}"""
    draft.move(OUTSIDE, f"free:{asked.party}", int(asked.content["amount"]))


def withdraw(draft: Draft, asked: Request) -> None:
    """{amount, nonce}"""
    draft.move(f"free:{asked.party}", OUTSIDE, int(asked.content["amount"]))


def lease(draft: Draft, asked: Request) -> None:
    """{stake, output}: a stake is locked behind an output, which is kept."""
    if draft.blob(asked.content["output"]) is None:
        raise Refusal("no-output", "the output lacks")
    draft.move(f"free:{asked.party}", f"stake:{asked.party}:{asked.name}", int(asked.content["stake"]))
    draft.put("lease", asked.name, {"output": asked.content["output"], "party": asked.party, "tick": draft.tick})


def final(draft: Draft, asked: Request) -> None:
    """{lease, burnt}: a stake comes back, less what is burnt, and the lease leaves the state."""
    coordinator_only(draft, asked)
    name = asked.content["lease"]
    known = draft.fact("lease", name)
    if known is None:
        raise Refusal("unknown-lease", "there is no such lease")
    stake, burnt = f"stake:{known['party']}:{name}", int(asked.content["burnt"])
    if burnt:
        draft.move(stake, BURNT, burnt)
    if draft.balance(stake):
        draft.move(stake, f"free:{known['party']}", draft.balance(stake))
    draft.put("lease", name, None)


OPERATIONS = {operation.__name__: operation for operation in (deposit, withdraw, lease, final)}


def next_request(ledger: Ledger) -> tuple[Request, dict[str, bytes]]:
    """What happens next, and the bytes that come with it."""
    state, chance = ledger.state, sha256(ledger.state.head.encode()).digest()
    who, nonce = chance[0] % len(KEYS), state.number
    free = state.balances.get(f"free:{PARTIES[who]}", 0)
    open_leases = list(state.facts.get("lease", {}))

    def by(key: Ed25519PrivateKey, kind: str, **content: object) -> Request:
        return request(key, kind, ledger.market, content)

    if chance[1] < 60:
        return by(COORDINATOR, "advance", since=state.tick, ticks=1 + chance[2] % 6), {}
    if chance[1] < 100 and open_leases:
        name = open_leases[chance[2] % len(open_leases)]
        return by(COORDINATOR, "final", lease=name, burnt=str(chance[3] % 50)), {}
    if chance[1] < 120 and free:
        return by(KEYS[who], "withdraw", amount=str(1 + chance[2] % free), nonce=nonce), {}
    if chance[1] < 220 and free >= 50:
        output = chance * (1 + chance[2] * chance[3] // 64)
        name = sha256(output).hexdigest()
        return by(KEYS[who], "lease", stake="50", output=name), {name: output}
    return by(KEYS[who], "deposit", amount=str(100 + chance[2]), nonce=nonce), {}


def main(path: str, events: int) -> None:
    """Run the market until it has so many events, from wherever it stands."""
    with Ledger.create(path, COORDINATOR, GENESIS, OPERATIONS) as ledger:
        print("begun", flush=True)
        for event in list(ledger.events(1))[-IN_DOUBT:]:
            if ledger.perform(event.request, {digest: ledger.blob(digest) for digest in event.blobs}):
                raise AssertionError(f"event {event.number} was made twice")
        while ledger.head[0] + 1 < events:
            asked, blobs = next_request(ledger)
            print(f"+{asked.name}", flush=True)
            ledger.perform(asked, blobs)
            print(f"={asked.name}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
