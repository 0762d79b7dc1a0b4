"""Owners and their devices (section 5): registration, deposits, withdrawals, keys that are replaced or removed.

A device's key may not be exportable, and then its money would be lost with it: so it names an owner's key, which is,
and all money is the owner's. Both sign that they belong together. Removal is of a device's key and for good; what is
free of its owner's money stays free.
"""

from dataclasses import replace

from verification.encoding.request import Request
from verification.encoding.schema import amount, digest_text, key_text, name_text, read
from verification.encoding.signature import signed
from verification.errors import Refusal
from verification.ledger.operations import GENESIS, coordinator_only
from verification.ledger.state import FUND, OUTSIDE, Draft
from verification.market.accounts import free
from verification.market.records import Device, Offer, Owner, drop, find, known, store

CONSENT = "device"
"""What a device's key signs, {owner}, so that nobody else registers it."""
DEVICE = {"device": key_text, "consent": name_text}
REPLACE = {"device": key_text, "by": key_text, "consent": name_text}
DEPOSIT = {"owner": key_text, "amount": amount(), "nonce": digest_text}
WITHDRAW = {"amount": amount(), "nonce": digest_text}


def coordinator(draft: Draft) -> str:
    """The coordinator's key: itself a device and that device's owner, for audits that are left to it."""
    return str(draft.fact(GENESIS, "coordinator"))


def owner(draft: Draft, key: str) -> Owner:
    """An owner.

    Raises:
        Refusal: no-such-owner.
    """
    return find(draft, Owner, key)


def device(draft: Draft, key: str) -> Device:
    """A device that was not removed.

    Raises:
        Refusal: no-such-device, removed-device.
    """
    found = find(draft, Device, key)
    if found.removed:
        raise Refusal("removed-device", f"{key} was removed for good")
    return found


def device_of(draft: Draft, key: str, party: str) -> Device:
    """An owner's device, that was not removed.

    Raises:
        Refusal: no-such-device, removed-device, not-the-owner.
    """
    found = device(draft, key)
    if found.owner != party:
        raise Refusal("not-the-owner", f"{key} is not a device of {party}")
    return found


def register(draft: Draft, request: Request) -> None:
    """{}: an owner.

    Raises:
        Refusal: malformed, known-key.
    """
    read({}, request.content)
    _fresh(draft, request.party)
    store(draft, request.party, Owner(since=draft.tick))


def add_device(draft: Draft, request: Request) -> None:
    """{device, consent}, by its owner: consent is the device's signature of {owner}, of kind ``device``.

    Raises:
        Refusal: malformed, no-such-owner, coordinators-key, no-consent, known-key.
    """
    content = read(DEVICE, request.content)
    owner(draft, request.party)
    _admit(draft, content["device"], request.party, content["consent"])


def replace_device(draft: Draft, request: Request) -> None:
    """{device, by, consent}, by its owner: another key in place of one that has nothing open, which is removed.

    Raises:
        Refusal: malformed, no-such-device, removed-device, not-the-owner, coordinators-key, still-open, no-consent,
            known-key.
    """
    content = read(REPLACE, request.content)
    _retire(draft, content["device"], request.party)
    _admit(draft, content["by"], request.party, content["consent"])


def remove_device(draft: Draft, request: Request) -> None:
    """{device}, by its owner: a key that has nothing open is removed, for good.

    Raises:
        Refusal: malformed, no-such-device, removed-device, not-the-owner, coordinators-key, still-open.
    """
    _retire(draft, read({"device": key_text}, request.content)["device"], request.party)


def deposit(draft: Draft, request: Request) -> None:
    """{owner, amount, nonce}, by the coordinator, to whom it came from outside; its own is the fund's.

    Raises:
        Refusal: malformed, not-the-coordinator, no-such-owner, beyond-int64.
    """
    coordinator_only(draft, request)
    content = read(DEPOSIT, request.content)
    owner(draft, content["owner"])
    target = FUND if content["owner"] == coordinator(draft) else free(content["owner"])
    draft.move(OUTSIDE, target, content["amount"])


def withdraw(draft: Draft, request: Request) -> None:
    """{amount, nonce}, by an owner, of what is free; whatever became of its devices.

    Raises:
        Refusal: malformed, no-such-owner, beyond-free.
    """
    content = read(WITHDRAW, request.content)
    owner(draft, request.party)
    draft.move(free(request.party), OUTSIDE, content["amount"])


def drop_offer(draft: Draft, key: str) -> None:
    """A device's offer ends, if it has one."""
    if known(draft, Offer, key):
        for model in find(draft, Offer, key).models:
            draft.put(f"model:{model}", key, None)
        drop(draft, Offer, key)


def _fresh(draft: Draft, key: str) -> None:
    if known(draft, Owner, key) or known(draft, Device, key):
        raise Refusal("known-key", f"{key} is registered, or was")


def _not_the_coordinators(draft: Draft, party: str) -> None:
    if party == coordinator(draft):
        raise Refusal("coordinators-key", "the coordinator is its only device, and stays it")


def _admit(draft: Draft, key: str, party: str, consent: str) -> None:
    _not_the_coordinators(draft, party)
    if not signed(key, CONSENT, draft.market, {"owner": party}, consent):
        raise Refusal("no-consent", f"{key} has not signed that {party} is its owner")
    _fresh(draft, key)
    store(draft, key, Device(owner=party))


def _retire(draft: Draft, key: str, party: str) -> None:
    found = device_of(draft, key, party)
    _not_the_coordinators(draft, party)
    if next(draft.subjects(f"open:{key}"), None) is not None:
        raise Refusal("still-open", f"{key} has a lease that is not over")
    drop_offer(draft, key)
    store(draft, key, replace(found, removed=True))
