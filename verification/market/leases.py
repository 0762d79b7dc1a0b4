"""Leases (section 5): requests of an order go to a device, which accepts or declines, works, or hands back."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from verification.encoding.canonical import digest
from verification.encoding.request import Request
from verification.encoding.schema import amount, digest_text, each, key_text, mapping, name_text, number, read
from verification.errors import Refusal
from verification.ledger.operations import coordinator_only
from verification.ledger.state import FUND, Draft
from verification.market import parties
from verification.market.accounts import escrow, fee, free, rounded_up, stake
from verification.market.offers import MOST_DECLINES, cost_of, fitting, taking
from verification.market.records import Device, Lease, Offer, Order, find, in_state, known, store
from verification.market.returns import owed, take_back
from verification.market.rules import Rules, rules_of
from verification.task import LIKELIEST, MILLION

ENOUGH = 3
"""Other owners who could audit, at least; where there are fewer the coordinator audits."""
LARGEST_OUTPUT = 2**24
"""Words."""
LEASE = {
    "order": digest_text,
    "part": each(number(0, 255), 256),
    "device": key_text,
    "price": amount(),
    "audit_price": amount(),
    "graph": digest_text,
    "layouts": digest_text,
    "limit": number(1, 2**32),  # ticks
    "nodes": number(1, 2**40),
    "rows": number(1, LARGEST_OUTPUT),
    "words": number(1, LARGEST_OUTPUT),
    "number": number(0, 2**53 - 1),
    "seal": digest_text,
    "auditors": each(key_text, ENOUGH),
}
ASSIGN = {"leases": each(mapping(LEASE), 256)}
NAMED = {"lease": digest_text}
MISS = {"lease": digest_text, "why": name_text}


def assign(draft: Draft, request: Request) -> None:
    """{leases}, by the coordinator: what one round of the auction sold.

    None, while the fund owes verifiers more than it holds and the fees of open results are to bring it.

    Fee, stake, bonds and audits are reckoned on the audit price, at least the price and the device's cost; see
    ``fair_audit_price``. A lease names ``auditors``: devices of three other owners who could audit it. Without them the
    coordinator could, or its user has signed that it may go unaudited.

    Raises:
        Refusal: malformed, not-the-coordinator, fund-short, no-such-order, not-waiting, beyond-largest-price,
            wrong-audit-price, failed-before, barred-device, no-stake, beyond-escrow, unauditable, or see ``taking``,
            ``number_taken`` and ``issue``.
    """
    coordinator_only(draft, request)
    content = read(ASSIGN, request.content)
    if draft.balance(FUND) < owed(draft):
        raise Refusal("fund-short", f"the fund holds {draft.balance(FUND)}, {owed(draft)} is due from it")
    for terms in content["leases"]:
        _assign(draft, rules_of(draft), terms)


def _assign(draft: Draft, rules: Rules, terms: dict[str, Any]) -> None:
    order, name, key, price = find(draft, Order, terms["order"]), terms["seal"], terms["device"], terms["price"]
    part = sorted(set(terms["part"]))
    if not part or part != terms["part"] or not set(part) <= set(order.waiting):
        raise Refusal("not-waiting", f"{terms['order']}: {terms['part']} are not requests of it, in order, that wait")
    if (audit_price := terms["audit_price"]) > rules.largest_price:
        raise Refusal("beyond-largest-price", f"a price of {audit_price}; at most {rules.largest_price} is allowed")
    if key in order.failed:
        raise Refusal("failed-before", f"{key} did not serve {terms['order']}")
    models = order.models(part)
    device, offer = taking(draft, key, models)
    if device.disputed:
        raise Refusal("barred-device", f"{key}: a result of it is disputed")
    if key == parties.coordinator(draft):
        raise Refusal("no-offer", "the coordinator serves no orders")
    if draft.balance(free(device.owner)) < (due := rules.sigma * audit_price):
        raise Refusal("no-stake", f"{key}: its owner has not the {due} to stake")
    if audit_price < (least := max(price, offer.cost)):
        raise Refusal("wrong-audit-price", f"an audit price of {audit_price}; at least {least} is due")
    if not (order.unaudited or auditable(draft, models, device.owner, audit_price, terms["auditors"])):
        raise Refusal("unauditable", f"{name}: nobody could audit it, and its user has not signed that this may be")
    draft.move(escrow(order.user, terms["order"]), escrow(order.user, name), price)
    if fees := rounded_up(audit_price, rules.fee):
        draft.move(escrow(order.user, terms["order"]), fee(order.user, name), fees)
    waiting = [index for index in order.waiting if index not in part]
    store(draft, terms["order"], replace(order, waiting=waiting, leases=order.leases + 1))
    number_taken(draft, terms["number"])
    lease = Lease(
        order=terms["order"],
        part=part,
        device=key,
        owner=device.owner,
        price=price,
        audit_price=audit_price,
        stake=due,
        graph=terms["graph"],
        layouts=terms["layouts"],
        limit=terms["limit"],
        nodes=terms["nodes"],
        rows=terms["rows"],
        words=terms["words"],
        number=terms["number"],
        due=draft.tick + rules.delta,
    )
    if lease.rows * lease.words > LARGEST_OUTPUT:
        raise Refusal("beyond-largest", f"an output of {lease.rows * lease.words} words; at most {LARGEST_OUTPUT} are")
    issue(draft, name, lease)


def auditable(draft: Draft, models: Sequence[str], owner: str, audit_price: int, auditors: Sequence[str] = ()) -> bool:
    """Whether the named devices, of three other owners, could audit, or the coordinator."""
    owners = {found for key in auditors if (found := auditor(draft, key, models, owner, audit_price))}
    return len(owners) >= ENOUGH or coordinator_could(draft, models)


def coordinator_could(draft: Draft, models: Sequence[str]) -> bool:
    """Whether the coordinator can run these models itself."""
    return fitting(draft, parties.coordinator(draft), models) is not None


def auditor(draft: Draft, key: str, models: Sequence[str], owner: str, audit_price: int) -> str:
    """The owner of a device that could audit, busy or barred or not, another than ``owner``; "" where it could not.

    Its cost is at most the audit price, on which the fee is reckoned: whoever states a high one cannot drain the fund.
    Were who is barred passed over, false claims on strangers' cheapest results would leave the lots to friends.
    """
    cost = cost_of(draft, key, models)
    if cost is None or cost > audit_price or key == parties.coordinator(draft):
        return ""
    found = draft.fact("device", key)["owner"]
    return found if found != owner and draft.total(found) else ""


def computation_of(requests: Sequence[dict[str, Any]], graph: str) -> str:
    """What the parties of a dispute over these requests run, see ``dispute.identity``, from what the user signed.

    Of several requests, whose runs one after another are one computation, each value is the digest of all.
    """

    def value(name: str) -> str:
        found = [str(asked.get(name, "")) for asked in requests]
        return found[0] if len(found) == 1 else digest(found)

    shares = ("temperature", "top_p")
    requests = [asked | {name: asked[name] / MILLION for name in shares if name in asked} for asked in requests]
    digests = {"model": value("model"), "graph": graph, "input": value("input")}
    further = [name for name in LIKELIEST if any(name in asked for asked in requests)]
    terms = {name: value(name) for name in ("seed", "temperature", "limit", *further)}
    return digest({"digests": digests, "terms": terms})


def number_taken(draft: Draft, number: int) -> None:
    """That a number is the next one: none is used twice, so no draw secret is.

    Raises:
        Refusal: wrong-number.
    """
    wanted = draft.fact("count", "number") or 0
    if number != wanted:
        raise Refusal("wrong-number", f"{number}: the next number is {wanted}")
    draft.put("count", "number", wanted + 1)


def issue(draft: Draft, name: str, lease: Lease) -> None:
    """A new lease takes a slot of its device.

    Raises:
        Refusal: known-lease.
    """
    if known(draft, Lease, name):
        raise Refusal("known-lease", f"{name} is open: a seal is of one lease")
    device = find(draft, Device, lease.device)
    store(draft, lease.device, replace(device, busy=device.busy + 1))
    draft.put(f"open:{lease.device}", name, 1)
    store(draft, name, lease)


def accept(draft: Draft, request: Request) -> None:
    """{lease}, by its device, within delta: the stake is locked, the work limit runs.

    Raises:
        Refusal: malformed, no-such-lease, not-the-device, wrong-state, late, beyond-free.
    """
    name, lease = _own(draft, request, "offered")
    in_time(draft, name, lease)
    if lease.stake:
        draft.move(free(lease.owner), stake(lease.owner, name), lease.stake)
    hold(draft, name, lease)
    if known(draft, Offer, lease.device):
        store(draft, lease.device, replace(find(draft, Offer, lease.device), declines=0))


def hold(draft: Draft, name: str, lease: Lease) -> None:
    """Its work limit runs."""
    handback = draft.tick + rules_of(draft).delta
    store(draft, name, replace(lease, state="held", due=draft.tick + lease.limit, handback=handback))


def decline(draft: Draft, request: Request) -> None:
    """{lease}, by its device, or by the coordinator where the device said nothing within delta: no blame.

    The third in a row lapses the device's offer.

    Raises:
        Refusal: malformed, no-such-lease, not-the-device, wrong-state, too-early.
    """
    name = read(NAMED, request.content)["lease"]
    lease = in_state(find(draft, Lease, name), name, "offered")
    if request.party == parties.coordinator(draft):
        overdue(draft, name, lease)
    elif request.party != lease.device:
        raise Refusal("not-the-device", f"{name} is not a lease of {request.party}")
    take_back(draft, name, rank=0)
    if not known(draft, Offer, lease.device):
        return
    offer = find(draft, Offer, lease.device)
    if offer.declines + 1 < MOST_DECLINES:
        store(draft, lease.device, replace(offer, declines=offer.declines + 1))
    else:
        parties.drop_offer(draft, lease.device)


def hand_back(draft: Draft, request: Request) -> None:
    """{lease}, by its device: freely within delta of ``accept``, later for ``missed_share`` of the stake, burnt.

    Raises:
        Refusal: malformed, no-such-lease, not-the-device, wrong-state.
    """
    name, lease = _own(draft, request, "held")
    if draft.tick <= lease.handback:
        take_back(draft, name, rank=0)
    else:
        take_back(draft, name, rules_of(draft).missed_share)


def miss(draft: Draft, request: Request) -> None:
    """{lease, why}, by the coordinator: a held lease whose device is late, or vanished: for ``missed_share``.

    Raises:
        Refusal: malformed, not-the-coordinator, no-such-lease, wrong-state, too-early.
    """
    coordinator_only(draft, request)
    content = read(MISS, request.content)
    name = content["lease"]
    lease = in_state(find(draft, Lease, name), name, "held")
    rules = rules_of(draft)
    if content["why"] == "late":
        overdue(draft, name, lease)
    elif content["why"] != "vanished":
        raise Refusal("malformed", "why: late or vanished")
    elif draft.tick <= (beats := lease.due - lease.limit + 3 * rules.heart):
        raise Refusal("too-early", f"{name}: three beats have not passed before {beats + 1}")
    take_back(draft, name, rules.missed_share)


def in_time(draft: Draft, name: str, lease: Lease) -> None:
    """That what is expected next is not late.

    Raises:
        Refusal: late.
    """
    if draft.tick > lease.due:
        raise Refusal("late", f"{name}: was due by {lease.due}")


def overdue(draft: Draft, name: str, lease: Lease) -> None:
    """That what is expected next is late.

    Raises:
        Refusal: too-early.
    """
    if draft.tick <= lease.due:
        raise Refusal("too-early", f"{name}: is due by {lease.due}")


def _own(draft: Draft, request: Request, state: str) -> tuple[str, Lease]:
    name = read(NAMED, request.content)["lease"]
    lease = find(draft, Lease, name)
    if request.party != lease.device:
        raise Refusal("not-the-device", f"{name} is not a lease of {request.party}")
    return name, in_state(lease, name, state)
