"""Orders (section 5): what a user wants and pays at most, how long it waits, and what becomes of what came back."""

from dataclasses import replace

from verification.encoding.canonical import LARGEST_NUMBER
from verification.encoding.request import Request
from verification.encoding.schema import amount, digest_text, each, flag, number, read, seed, with_any
from verification.errors import Refusal
from verification.ledger.operations import coordinator_only
from verification.ledger.state import Draft
from verification.market import parties
from verification.market.accounts import escrow, fee, free, move_all
from verification.market.records import Lease, Order, drop, find, store
from verification.task import LIKELIEST, MOST_TOKENS

REQUEST = {
    "model": digest_text,
    "input": digest_text,
    "limit": number(1, 2**24),  # tokens, or steps of a sampler
    "temperature": number(0, 100_000_000),  # millionths
    "seed": seed,
}
ORDER = {
    "requests": each(with_any(REQUEST, LIKELIEST), 256),
    "bid": amount(),
    "patience": number(1, 2**32),  # ticks
    "nonce": digest_text,
    "unaudited": flag,
}
NAMED = {"order": digest_text}
LARGEST_INPUT = 4 * MOST_TOKENS
"""Bytes."""


def order(draft: Draft, request: Request) -> None:
    """{requests, bid, patience, nonce, unaudited}, by a user: it waits, its bid in escrow; the request's name is its.

    Inputs may come with it, and are kept beside the ledger until they are to be forgotten.

    Raises:
        Refusal: malformed, no-such-owner, oversized, empty-order, beyond-largest, beyond-free.
    """
    content = read(ORDER, request.content)
    parties.owner(draft, request.party)
    for part in content["requests"]:
        raw = draft.blob(part["input"])  # what comes is kept: without it nobody could compute the order again
        if raw is not None and len(raw) > LARGEST_INPUT:
            raise Refusal("oversized", f"an input of {len(raw)} bytes; at most {LARGEST_INPUT} are kept")
    if not content["requests"]:
        raise Refusal("empty-order", "an order has a request")
    if content["bid"] > LARGEST_NUMBER:
        raise Refusal("beyond-largest", f"a bid of {content['bid']}; at most {LARGEST_NUMBER} is allowed")
    draft.move(free(request.party), escrow(request.party, request.name), content["bid"])
    found = Order(
        user=request.party,
        requests=request.content["requests"],
        bid=content["bid"],
        until=draft.tick + content["patience"],
        unaudited=content["unaudited"],
        waiting=list(range(len(content["requests"]))),
    )
    store(draft, request.name, found)


def cancel(draft: Draft, request: Request) -> None:
    """{order}, by its user: what waits is withdrawn; leases go on.

    Raises:
        Refusal: malformed, no-such-order, not-the-user, nothing-waits.
    """
    name = read(NAMED, request.content)["order"]
    found = find(draft, Order, name)
    if request.party != found.user:
        raise Refusal("not-the-user", f"{request.party} did not order {name}")
    _end(draft, name, found, "withdrawn")


def expire(draft: Draft, request: Request) -> None:
    """{order}, by the coordinator: what waits when patience is over expires.

    Raises:
        Refusal: malformed, not-the-coordinator, no-such-order, too-early, nothing-waits.
    """
    coordinator_only(draft, request)
    name = read(NAMED, request.content)["order"]
    found = find(draft, Order, name)
    if draft.tick <= found.until:
        raise Refusal("too-early", f"{name} waits until {found.until}")
    _end(draft, name, found, "expired")


def come_back(draft: Draft, name: str, lease: Lease, rank: int = 1) -> None:
    """The requests of a lease wait again, ranked higher by ``rank``, and not for its device; price and fee return."""
    found = find(draft, Order, lease.order)
    for account in (escrow(found.user, name), fee(found.user, name)):
        move_all(draft, account, escrow(found.user, lease.order))
    waiting = found.waiting if found.ended else sorted([*found.waiting, *lease.part])
    failed = found.failed if lease.device in found.failed else [*found.failed, lease.device]
    changed = replace(found, waiting=waiting, failed=failed, rank=found.rank + rank, leases=found.leases - 1)
    _settle(draft, lease.order, changed)


def served(draft: Draft, lease: Lease) -> None:
    """A lease of it is over and paid."""
    found = find(draft, Order, lease.order)
    _settle(draft, lease.order, replace(found, leases=found.leases - 1))


def _end(draft: Draft, name: str, found: Order, why: str) -> None:
    if not found.waiting:
        raise Refusal("nothing-waits", f"{name}: all of it is leased, or it has ended")
    _settle(draft, name, replace(found, waiting=[], ended=why))


def _settle(draft: Draft, name: str, found: Order) -> None:
    if found.waiting or found.leases:
        store(draft, name, found)
    else:
        move_all(draft, escrow(found.user, name), free(found.user))
        drop(draft, Order, name)
