"""Claims that a result is wrong, and the disputes over them as the ledger sees them (section 5).

The ledger holds who claims, whose turn it is, both clocks, and each message by its digest; it checks that a message is
signed by whose turn it is, follows the last one and came in time, never what it says: that takes the model.

What a claim waits for, and who moves it on; the coordinator by its timers, and where it is silent nothing moves::

    queued                claims against one device's results wait for each other: an audit's first, then the highest
                          bond, then the oldest ──begin (coordinator)──▶ disputed
    asserter's turn       ──play (its message)──▶ challenger's turn, or a verdict
                          ──play (its message: a step of its own is wrong)──▶ awaited
                          ──timeout (coordinator, its budget spent)──▶ awaited
    challenger's turn     ──play (its message)──▶ asserter's turn, or a verdict
                          ──verdict (coordinator, its budget spent)──▶ lost; of a verifier or deputy: absent
    asserter awaited      ──take_up (coordinator: who confirmed the result and has not played yet)──▶ asserter's turn
                          ──summon (coordinator: a lot, where one who asserted was silent)──▶ a deputy by lot
                          ──verdict (coordinator, nobody left)──▶ the asserter has lost
    a deputy by lot       ──deputize (coordinator, its owner has a slot)──▶ offered ──accept, result (its device)──▶
                          confirmed, or a claim of its own; else ──summon (coordinator, after one work limit, or once
                          it declined, handed back or was late)──▶ the next lot
    verifier absent       ──summon──▶ a deputy by lot ──dismiss (coordinator, nobody left)──▶ the verifier has lost
    decided               ──verdict──▶ fallen, or the next claim of the queue
    the referee failed    ──void──▶ queued; the second time the lease is annulled

One dispute lasts at most 8 delta + 3 work limits, and for each who takes up an asserter's play 4 delta + 2 work
limits more, and for each lot delta + 2 work limits; an owner is drawn once for a result. So with k lots and c others
who had confirmed it: 8 delta + 3 L + (c + k) (4 delta + 2 L) + k (delta + 2 L), and a tick for each timer that fires,
however the parties behave.
"""

from dataclasses import replace

from verification.dispute.clocks import Clocks, budgets, other, passed, started, stopped
from verification.dispute.messages import BEGIN, TICKS
from verification.encoding.canonical import LARGEST_NUMBER
from verification.encoding.request import Request, opened
from verification.encoding.schema import amount, digest_text, key_text, mapping, one_of, optional, read
from verification.errors import Refusal
from verification.ledger.operations import coordinator_only
from verification.ledger.state import Draft
from verification.market import parties
from verification.market.accounts import bond, free
from verification.market.leases import computation_of
from verification.market.records import Claim, Dispute, Lease, Order, Result, find, in_state, known, store
from verification.market.returns import open_claim
from verification.market.rules import rules_of

CLAIM = {
    "lease": digest_text,
    "header": digest_text,
    "root": digest_text,
    "bond": amount(),
    "challenger": key_text,
}
CLOCKS = {"asserter": TICKS, "challenger": TICKS, "turn": optional(one_of("asserter", "challenger")), "since": TICKS}
PLAY = {"claim": digest_text, "message": digest_text, "clocks": mapping(CLOCKS)}


def claim(draft: Draft, request: Request) -> None:
    """{lease, header, root, bond, challenger}, by an owner, in the window: the result is wrong, ``root`` is right.

    The challenger, which plays, is a device of the owner, or the owner's own key. A root that lost a dispute may be
    claimed again: otherwise a cheat's friend would claim the right root first, lose, and nobody else could.

    Raises:
        Refusal: malformed, no-such-owner, no-such-device, removed-device, not-the-owner, no-such-lease, wrong-state,
            not-shown, late, own-result, wrong-header, equal-root, second-claim, small-bond, beyond-largest,
            beyond-free.
    """
    content = read(CLAIM, request.content)
    name, owner, key = content["lease"], request.party, content["challenger"]
    parties.owner(draft, owner)
    if key != owner:
        parties.device_of(draft, key, owner)
    lease = in_state(find(draft, Lease, name), name, "audited", "published", "disputed")
    found, rules = find(draft, Result, name), rules_of(draft)
    if lease.audits or not found.window:
        raise Refusal("not-shown", f"{name}: its result is not shown")
    if draft.tick > found.window:
        raise Refusal("late", f"{name} was open to claims until {found.window}")
    if owner == lease.owner:
        raise Refusal("own-result", f"{owner} asserted it")
    if content["header"] != found.header:
        raise Refusal("wrong-header", f"{name}: its header is {found.header}")
    if content["root"] == found.root:
        raise Refusal("equal-root", f"{name}: its result has this root")
    if owner in found.claimants:
        raise Refusal("second-claim", f"{owner} has claimed that {name} is wrong")
    if content["bond"] < (least := rules.bond_prices * lease.audit_price):
        raise Refusal("small-bond", f"a bond of {content['bond']}; at least {least} is due")
    if content["bond"] > LARGEST_NUMBER:
        raise Refusal("beyond-largest", f"a bond of {content['bond']}; at most {LARGEST_NUMBER} is allowed")
    draft.move(free(owner), bond(owner, request.name), content["bond"])
    made = Claim(lease=name, root=content["root"], challenger=key, owner=owner, bond=content["bond"], tick=draft.tick)
    open_claim(draft, request.name, made)


def first(draft: Draft, device: str) -> str:
    """The claim against a device's results that is disputed first, of those that wait; "" where none does."""

    def place(name: str) -> tuple[bool, int]:
        found = find(draft, Claim, name)
        return not found.audit, -found.bond

    return min(draft.subjects(f"claims:{device}"), key=place, default="")


def begin(draft: Draft, request: Request) -> None:
    """Message 0 of a dispute, by the coordinator: claim, header, keys, roots, rules, budgets, tick and ledger head.

    ``computation`` says what both parties run: what the user ordered, by the graph that was leased.

    Raises:
        Refusal: malformed, not-the-coordinator, no-such-claim, under-dispute (another one of this asserter), not-first,
            wrong-begin: something that the ledger says is said otherwise.
    """
    coordinator_only(draft, request)
    content = read(BEGIN, request.content)
    name = content["claim"]
    found = find(draft, Claim, name)
    lease, result, rules = find(draft, Lease, found.lease), find(draft, Result, found.lease), rules_of(draft)
    if running := next((each for each in draft.subjects(f"claims:{lease.device}") if known(draft, Dispute, each)), ""):
        raise Refusal("under-dispute", f"{lease.device} plays in the dispute over {running}")
    if name != (wanted := first(draft, lease.device)):
        raise Refusal("not-first", f"{wanted} comes before {name}")
    given = budgets(rules.delta, lease.limit)
    expected = {
        "computation": disputed(draft, lease),
        "header": result.header,
        "asserter": lease.device,
        "challenger": found.challenger,
        "roots": {"asserter": result.root, "challenger": found.root},
        "rules": {"delta": rules.delta, "levels": rules.levels, "message_limit": rules.message_limit},
        "budgets": given,
        "tick": draft.tick,
        "head": {"number": draft.number - 1, "digest": draft.head},
    }
    for part, value in expected.items():
        if content[part] != value:
            raise Refusal("wrong-begin", f"{part}: {content[part]}, where the ledger says {value}")
    dispute = Dispute(
        asserter=lease.device,
        challenger=found.challenger,
        clocks=started(given, "asserter", draft.tick).plain(),
        last=request.name,
    )
    store(draft, name, dispute)


def disputed(draft: Draft, lease: Lease) -> str:
    """What a dispute over a lease's result is about: see ``computation_of``."""
    order = find(draft, Order, lease.order)
    return computation_of([order.requests[index] for index in lease.part], lease.graph)


def play(draft: Draft, request: Request) -> None:
    """{claim, message, clocks}, by the coordinator: a message that the referee took; its bytes are a blob.

    ``clocks`` are those after it: the other party's runs; or none, where a step of the asserter's own is wrong.

    Raises:
        Refusal: malformed, not-the-coordinator, no-such-dispute, missing-message, oversized, wrong-signature,
            not-your-turn, late, out-of-order, wrong-clocks.
    """
    coordinator_only(draft, request)
    content = read(PLAY, request.content)
    name = content["claim"]
    found = find(draft, Dispute, name)
    raw = draft.blob(content["message"])
    if raw is None:
        raise Refusal("missing-message", f"{content['message']} has not come")
    message = opened(raw, draft.market, rules_of(draft).message_limit)
    clocks = Clocks(**found.clocks)
    after = passed(clocks, other(clocks.turn or "challenger"), draft.tick)
    if message.party != (found.asserter if clocks.turn == "asserter" else found.challenger):
        raise Refusal("not-your-turn", f"{message.party} plays where it is the {clocks.turn}'s turn")
    said = message.content if isinstance(message.content, dict) else {}
    if (said.get("index"), said.get("previous")) != (found.index, found.last):
        raise Refusal("out-of-order", f"message {found.index}, after {found.last}, is due")
    allowed = [after.plain()]
    if message.kind == "open":
        allowed.append(stopped(after, draft.tick).plain())
    if content["clocks"] not in allowed:
        raise Refusal("wrong-clocks", f"the clocks are {allowed[0]}")
    changed = replace(found, clocks=content["clocks"], last=message.name, index=found.index + 1, kind=message.kind)
    store(draft, name, changed)
