"""Results (section 5): what counts as one, when it is shown, and when it is final and paid.

The output travels first. A result is signed by its device: a header of market, lease, root and provider, beside it the
output's digest and the path from its node to the root. It counts once output and path lead to the root, in time; the
first that counts is the only one, and nothing is asked for later, so nothing can be withheld. The ``receipt`` that the
coordinator signs follows from the ledger: lease, tick, header digest, number and head.
"""

from dataclasses import replace
from hashlib import sha256
from typing import Any

from verification.encoding.canonical import digest
from verification.encoding.request import Request
from verification.encoding.schema import digest_text, read
from verification.errors import Refusal
from verification.ledger.operations import coordinator_only
from verification.ledger.state import FUND, Draft
from verification.market import orders
from verification.market.accounts import escrow, fee, free, move_all, pay, stake
from verification.market.auditors import nobody_could
from verification.market.audits import compare, show
from verification.market.deputies import compare_deputy
from verification.market.draws import drawn
from verification.market.leases import NAMED, in_time
from verification.market.records import Lease, Order, Result, find, in_state, store
from verification.market.returns import close, end_deputies, free_slot, owe, set_due
from verification.market.rules import rules_of
from verification.result import RESULT, output_root

PUBLISH = {"lease": digest_text, "secret": digest_text}


def result(draft: Draft, request: Request) -> None:
    """{header, output, path}, by the lease's device, the output's words being a blob.

    A verifier's ends its audit, or is a claim: see ``compare``; for a deputy's, ``compare_deputy``.

    Raises:
        Refusal: malformed, other-market, not-the-device, no-such-lease, wrong-state, late, missing-output,
            wrong-output.
    """
    content = read(RESULT, request.content)
    header = content["header"]
    name = header["lease"]
    lease = find(draft, Lease, name)
    if header["market"] != draft.market:
        raise Refusal("other-market", f"the header is for the market {header['market']}")
    if not request.party == header["provider"] == lease.device:
        raise Refusal("not-the-device", f"{name} is not a lease of {request.party}")
    in_state(lease, name, "held")
    in_time(draft, name, lease)
    _check_output(draft, lease, content)
    found = Result(
        root=header["root"],
        header=digest(header),
        signed=sha256(request.raw).hexdigest(),
        output=content["output"],
        tick=draft.tick,
    )
    store(draft, name, found)
    free_slot(draft, lease)
    if lease.deputy:
        compare_deputy(draft, name, lease, found)
    elif lease.audits:
        compare(draft, name, lease, found)
    else:
        owe(draft, -draft.balance(fee(find(draft, Order, lease.order).user, name)))
        store(draft, name, replace(lease, state="received", due=draft.tick + rules_of(draft).delta))


def publish(draft: Draft, request: Request) -> None:
    """{lease, secret}, by the coordinator, within delta: it is not drawn; all may see it, and its window begins.

    What is drawn, or not shown within delta, is shown without an audit only where nobody could make one.

    Raises:
        Refusal: malformed, not-the-coordinator, no-such-lease, wrong-state, wrong-secret, late, drawn.
    """
    coordinator_only(draft, request)
    content = read(PUBLISH, request.content)
    name = content["lease"]
    lease = in_state(find(draft, Lease, name), name, "received")
    if sha256(bytes.fromhex(content["secret"])).hexdigest() != name:
        raise Refusal("wrong-secret", f"the secret is not the one that {name} seals")
    taken = drawn(content["secret"], find(draft, Result, name).signed, rules_of(draft).audit)
    if (taken or draft.tick > lease.due) and not nobody_could(draft, name):
        in_time(draft, name, lease)
        raise Refusal("drawn", f"{name} is to be audited")
    show(draft, name)


def final(draft: Draft, request: Request) -> None:
    """{lease}, by the coordinator: the device is paid and its stake returned; of a verifier, when it is due.

    Whose pay the fund does not hold yet waits for the fees of open results.

    Raises:
        Refusal: malformed, not-the-coordinator, no-such-lease, wrong-state (audited, disputed), too-early, fund-short.
    """
    coordinator_only(draft, request)
    name = read(NAMED, request.content)["lease"]
    lease = find(draft, Lease, name)
    if lease.audits:
        in_state(lease, name, "due")
        _pay_verifier(draft, name, lease)
    else:
        in_state(lease, name, "published")
        found = find(draft, Result, name)
        if draft.tick <= found.window:
            raise Refusal("too-early", f"{name} is open to claims until {found.window}")
        user = find(draft, Order, lease.order).user
        move_all(draft, escrow(user, name), free(lease.owner))
        owe(draft, draft.balance(fee(user, name)))
        move_all(draft, fee(user, name), FUND)
        for verifier in found.confirmed:
            set_due(draft, verifier)
        end_deputies(draft, name)
        orders.served(draft, lease)
    move_all(draft, stake(lease.owner, name), free(lease.owner))
    close(draft, name, lease)


def _pay_verifier(draft: Draft, name: str, lease: Lease) -> None:
    if lease.payer == FUND:
        if draft.balance(FUND) < lease.price:
            raise Refusal("fund-short", f"the fund holds {draft.balance(FUND)} of {lease.price}")
        owe(draft, -lease.price)
        if lease.price:
            draft.move(FUND, free(lease.owner), lease.price)
    move_all(draft, pay(lease.owner, name), free(lease.owner))


def _check_output(draft: Draft, lease: Lease, content: dict[str, Any]) -> None:
    raw = draft.blob(content["output"])
    if draft.lost(content["output"]):
        return
    if raw is None:
        raise Refusal("missing-output", f"{content['output']} has not come")
    if len(raw) != 4 * lease.rows * lease.words:
        raise Refusal("wrong-output", f"{len(raw)} bytes; {lease.rows} rows of {lease.words} words are due")
    if output_root(raw, lease.rows, lease.words, lease.nodes, content["path"]) != content["header"]["root"]:
        raise Refusal("wrong-output", "the output and its path do not lead to the header's root")
