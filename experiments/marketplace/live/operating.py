"""What operators and owners do besides serving and working: money comes and goes, a device's key is renewed."""

import asyncio
import os
import secrets as random_secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auction.errors import InputError
from experiments.marketplace import messages
from experiments.marketplace.customer import Customer
from experiments.marketplace.live import secrets
from experiments.marketplace.live.party import Line
from verification.encoding.request import request
from verification.encoding.signature import public, sign
from verification.errors import Refusal
from verification.ledger.store import Ledger
from verification.market.accounts import free
from verification.market.operations import OPERATIONS
from verification.market.parties import CONSENT


def deposit(path: Path, keys: Path, owner: str, amount: int) -> dict[str, Any]:
    """Credit an owner, in a market's ledger, with what came from outside; a market that is served sees it at once.

    Args:
        keys: the market's, which lie beside its ledger.
        amount: micro-tokens.

    Raises:
        InputError: a file lacks, or the keys are another market's.
        Refusal: no-such-owner: it has never been here; see ``Ledger``.
    """
    for needed in (path, keys):
        if not needed.is_file():
            raise InputError(f"{needed}: there is no such file")
    key = Ed25519PrivateKey.from_private_bytes(secrets.kept(keys, ("coordinator",))["coordinator"])
    with Ledger(path, OPERATIONS) as ledger:
        if next(ledger.events()).request.party != public(key):
            raise InputError(f"{keys}: the key is not that of {path}")
        terms = {"owner": owner, "amount": str(amount), "nonce": random_secrets.token_hex(32)}
        ledger.perform(request(key, "deposit", ledger.market, terms))
        number, head = ledger.head
        return {"owner": owner, "free": str(ledger.state.balances[free(owner)]), "event": number, "head": head}


async def renew(url: str, path: Path) -> tuple[str, str]:
    """Replace a device's key, of which nothing is open, by a new one of the same owner; its name before and after.

    The new keys lie beside the old ones, as ``PATH.new``, until the market has agreed; then they take their place.

    Raises:
        InputError: see ``secrets`` and ``Line.run``.
        Refusal: why the market does not agree; see ``replace_device``.
    """
    found = secrets.kept(path, ("owner", "device"))
    fresh = path.with_name(path.name + ".new")
    made = {**found, **secrets.fresh(("device",))}
    owner, old, new = (Ed25519PrivateKey.from_private_bytes(raw) for raw in (*found.values(), made["device"]))
    secrets.write(fresh, made)

    def terms(market: str) -> dict[str, Any]:
        consent = sign(new, CONSENT, market, {"owner": public(owner)})
        return {"device": public(old), "by": public(new), "consent": consent}

    try:
        await _asked(url, owner, "replace", terms)
    except (InputError, Refusal):
        fresh.unlink()
        raise
    os.replace(fresh, path)
    return public(old), public(new)


async def withdraw(url: str, path: Path, amount: int) -> str:
    """Take money that is free out of a market, which its operator then owes outside; the owner's name.

    Args:
        path: of the owner's key, as ``market keys`` makes it or a page saves it.
        amount: micro-tokens.

    Raises:
        InputError: see ``secrets`` and ``Line.run``.
        Refusal: beyond-free.
    """
    owner = Ed25519PrivateKey.from_private_bytes(secrets.kept(path, ("owner",))["owner"])
    nonce = random_secrets.token_hex(32)
    await _asked(url, owner, "withdraw", lambda market: {"amount": str(amount), "nonce": nonce})
    return public(owner)


async def _asked(url: str, owner: Ed25519PrivateKey, kind: str, terms: Callable[[str], dict[str, Any]]) -> None:
    """Ask a market for what an owner signs, until it answers.

    Raises:
        InputError: see ``Line.run``.
        Refusal: its answer.
    """
    customer = Customer(owner)
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    name = ""

    def ask(now: float) -> list[Any]:
        nonlocal name
        asked = request(owner, kind, customer.session.market, terms(customer.session.market))
        name = asked.name
        return [customer.session.ask_for(asked)]

    def told(raw: bytes | None) -> None:
        message = None if raw is None else messages.to_peer(raw)
        if isinstance(message, messages.Welcome):
            line.take(ask)
        elif isinstance(message, messages.Done) and message.name == name and not done.done():
            done.set_result(None)
        elif isinstance(message, messages.Refused) and not done.done():
            for refused in customer.session.refused:
                if refused.request.name == name:
                    done.set_exception(Refusal(refused.reason, refused.sentence))

    line = Line(url, customer, lambda check: None, told)
    running = asyncio.create_task(line.run())
    await asyncio.wait((running, done), return_when=asyncio.FIRST_COMPLETED)
    running.cancel()
    await (done if done.done() else running)
