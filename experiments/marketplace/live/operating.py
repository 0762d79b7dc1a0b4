"""What an operator and an owner do besides serving and working: deposits from outside, and a device's key renewed."""

import asyncio
import os
import secrets as random_secrets
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auction.errors import InputError
from experiments.marketplace import messages
from experiments.marketplace.customer import Customer
from experiments.marketplace.live import secrets
from experiments.marketplace.live.party import Line
from experiments.marketplace.session import Answer
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
    owner, old = (Ed25519PrivateKey.from_private_bytes(found[name]) for name in ("owner", "device"))
    fresh = path.with_name(path.name + ".new")
    secrets.write(fresh, {**found, **secrets.fresh(("device",))})
    new = Ed25519PrivateKey.from_private_bytes(secrets.kept(fresh, ("owner", "device"))["device"])
    customer = Customer(owner)
    answer: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
    name = ""

    def ask(now: float) -> list[Any]:
        nonlocal name
        session = customer.session
        consent = sign(new, CONSENT, session.market, {"owner": public(owner)})
        asked = request(
            owner, "replace", session.market, {"device": public(old), "by": public(new), "consent": consent}
        )
        name = asked.name
        return [session.ask_for(asked)]

    def told(raw: bytes | None) -> None:
        refused = [each for each in customer.refused if each.request.kind == "replace"]
        match None if raw is None else messages.to_peer(raw):
            case messages.Welcome():
                line.take(ask)
            case messages.Done() as done if done.name == name and not answer.done():
                answer.set_result(None)
            case messages.Refused() if refused and not answer.done():
                answer.set_result(refused[0])
            case _:
                pass

    line = Line(url, customer, lambda check: None, told)
    running = asyncio.create_task(line.run())
    await asyncio.wait((running, answer), return_when=asyncio.FIRST_COMPLETED)
    running.cancel()
    if not answer.done():
        fresh.unlink()
        running.result()
    if (refused := answer.result()) is not None:
        fresh.unlink()
        raise Refusal(refused.reason, refused.sentence)
    os.replace(fresh, path)
    return public(old), public(new)
