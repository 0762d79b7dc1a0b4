"""Who could audit a result (section 5), by deposit, and what an audit has to cost so that enough others could."""

from collections.abc import Sequence
from fractions import Fraction

from verification.ledger.state import Draft
from verification.market.leases import auditor, coordinator_could
from verification.market.offers import cost_of
from verification.market.records import Lease, Order, Result, find

PART = Fraction(2, 3)
"""Of the deposits, at least, on the list of an audit's lots: a fifth of all is then less than a third of the list."""


def listing(draft: Draft, name: str, buyer: str = "") -> list[list[str]]:
    """[[owner, weight], ...], by owner: who could audit a lease now, busy or not; the weight is its deposit.

    Neither who bought the audit nor who has confirmed the result is among them.
    """
    lease = find(draft, Lease, name)
    models = models_of(draft, lease)
    first, owners = f"model:{models[0]}", set[str]()
    without = {lease.owner, buyer, *(find(draft, Lease, other).owner for other in find(draft, Result, name).confirmed)}
    for key in draft.subjects(first):
        owner = draft.fact(first, key)
        if owner not in owners and owner not in without and auditor(draft, key, models, lease.owner, lease.audit_price):
            owners.add(owner)
    return [[owner, str(draft.total(owner))] for owner in sorted(owners)]


def fair_audit_price(draft: Draft, models: Sequence[str], owner: str, least: int) -> int:
    """What a coordinator should have audits of an owner's lease cost: ``least``, its price and cost, or more where it
    takes more that other owners with ``PART`` of the deposits could audit.

    Were it the price, a coalition would own the lot by leases so cheap that only friends of the provider audit them.
    """
    return fair_price(costs_of(draft, models), owner, least)


def costs_of(draft: Draft, models: Sequence[str]) -> list[tuple[int, str, int]]:
    """Of each owner that could run these models: the cost of its cheapest offer, who it is, its deposit; by cost."""
    costs = dict[str, int]()
    for key in draft.subjects(f"model:{models[0]}"):
        cost = cost_of(draft, key, models)
        if cost is not None:
            owner = draft.fact("device", key)["owner"]
            costs[owner] = min(cost, costs.get(owner, cost))
    return sorted(((cost, owner, draft.total(owner)) for owner, cost in costs.items()), key=lambda found: found[0])


def fair_price(costs: Sequence[tuple[int, str, int]], owner: str, least: int) -> int:
    """See ``fair_audit_price``; ``costs`` as ``costs_of`` gives them."""
    wanted = PART.numerator * sum(deposit for _, other, deposit in costs if other != owner)
    for cost, other, deposit in costs:
        if other == owner:
            continue
        if wanted <= 0:
            break
        least, wanted = max(least, cost), wanted - PART.denominator * deposit
    return least


def nobody_could(draft: Draft, name: str) -> bool:
    """Whether no other owner could audit a lease now, nor the coordinator."""
    lease = find(draft, Lease, name)
    return not (coordinator_could(draft, models_of(draft, lease)) or listing(draft, name))


def models_of(draft: Draft, lease: Lease) -> list[str]:
    """Of its requests."""
    order = find(draft, Order, lease.order)
    return order.models(lease.part)
