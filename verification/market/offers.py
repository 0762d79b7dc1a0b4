"""Offers (section 5): which models a device would run, on how many slots, at what cost, until when."""

from collections.abc import Sequence

from verification.encoding.request import Request
from verification.encoding.schema import amount, digest_text, each, key_text, mapping, number, read
from verification.errors import Refusal
from verification.ledger.operations import coordinator_only
from verification.ledger.state import Draft
from verification.market import parties
from verification.market.records import Device, Offer, find, store
from verification.market.rules import rules_of

OFFER = {
    "models": each(mapping({"model": digest_text, "s": number(1, 2**20)}), 256),
    "slots": number(1, 2**16),
    "cost": amount(),
    "expiry": number(1, 2**32),  # ticks
    "nonce": digest_text,
}
LAPSE = {"device": key_text, "nonce": digest_text}
MOST_DECLINES = 3


def offer(draft: Draft, request: Request) -> None:
    """{models, slots, cost, expiry, nonce}, by a device, in place of the one before; of no models: none.

    The coordinator's own says which models it can audit itself; no order is leased to it.

    Raises:
        Refusal: malformed, no-such-device, removed-device, repeated-model, beyond-largest-price.
    """
    content = read(OFFER, request.content)
    device = parties.device(draft, request.party)
    models = {entry["model"]: entry["s"] for entry in content["models"]}
    if len(models) < len(content["models"]):
        raise Refusal("repeated-model", "a model stands in an offer once")
    if content["cost"] > (most := rules_of(draft).largest_price):
        raise Refusal("beyond-largest-price", f"a cost of {content['cost']}; at most {most} is allowed")
    parties.drop_offer(draft, request.party)
    if not models:
        return
    expires = draft.tick + content["expiry"]
    store(
        draft,
        request.party,
        Offer(models=models, slots=content["slots"], cost=content["cost"], expires=expires),
    )
    if request.party != parties.coordinator(draft):
        for model in models:
            draft.put(f"model:{model}", request.party, device.owner)


def lapse(draft: Draft, request: Request) -> None:
    """{device, nonce}, by the coordinator: an offer ends whose device is gone.

    Raises:
        Refusal: malformed, not-the-coordinator, no-such-offer.
    """
    coordinator_only(draft, request)
    key = read(LAPSE, request.content)["device"]
    find(draft, Offer, key)
    parties.drop_offer(draft, key)


def fitting(draft: Draft, key: str, models: Sequence[str]) -> Offer | None:
    """A device's offer, if it is live and one slot completes requests of these models in a round."""
    return find(draft, Offer, key) if cost_of(draft, key, models) is not None else None


def cost_of(draft: Draft, key: str, models: Sequence[str]) -> int | None:
    """What a slot costs by such an offer; None where there is none."""
    plain = draft.fact("offer", key)
    if plain is None or draft.tick > plain["expires"]:
        return None
    of = plain["models"]
    for model in models:
        if of.get(model, 0) < models.count(model):
            return None
    return int(plain["cost"])


def taking(draft: Draft, key: str, models: Sequence[str]) -> tuple[Device, Offer]:
    """A device that can be leased requests of these models now, and its offer.

    Raises:
        Refusal: no-such-device, removed-device, no-offer, no-slot.
    """
    device = parties.device(draft, key)
    found = fitting(draft, key, models)
    if found is None:
        raise Refusal("no-offer", f"{key} has no live offer for these models")
    if device.busy >= found.slots:
        raise Refusal("no-slot", f"{key}: all {found.slots} slots are taken")
    return device, found
