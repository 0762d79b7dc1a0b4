"""How disputes end (section 5): verdicts, and the referee's own failures.

The ledger checks that a verdict may come now: after the message that decides, or since a budget is spent and nobody is
left to play. Who was right is the coordinator's word here; the record that a verdict names, and the messages beside the
ledger, show it to whoever has the model.
"""

from dataclasses import replace

from verification.dispute.clocks import Clocks, Role, spent
from verification.encoding.request import Request
from verification.encoding.schema import digest_text, name_text, one_of, read
from verification.errors import Refusal
from verification.ledger.operations import coordinator_only
from verification.ledger.state import Draft
from verification.market.deputies import forfeited, set_aside
from verification.market.falls import overturn, uphold
from verification.market.records import Claim, Dispute, Result, drop, find, store
from verification.market.returns import take_back

VERDICT = {
    "claim": digest_text,
    "winner": one_of("asserter", "challenger"),
    "reason": name_text,
    "record": digest_text,
}
VOID = {"claim": digest_text, "record": digest_text}
DECIDING: dict[str, tuple[Role, tuple[str, ...]]] = {
    "step-right": ("asserter", ("open",)),
    "step-wrong": ("challenger", ("open",)),
    "null-right": ("asserter", ("node", "guard")),
    "null-wrong": ("challenger", ("node", "guard")),
}
"""Reasons that a message decides: who wins, and of which kind the message is."""
MOST_VOIDS = 2
"""Disputes over a result in which the referee failed; then its lease is annulled."""


def verdict(draft: Draft, request: Request) -> None:
    """{claim, winner, reason, record}, by the coordinator: the dispute is over; ``record`` is its last one's digest.

    A wrong result falls, a wrong claim loses its bond. A verifier or deputy that was silent as challenger has not lost
    yet: its claim is set aside.

    Raises:
        Refusal: malformed, not-the-coordinator, no-such-dispute, too-early, deputies-left.
    """
    coordinator_only(draft, request)
    content = read(VERDICT, request.content)
    name, winner = content["claim"], content["winner"]
    dispute = find(draft, Dispute, name)
    clocks = Clocks(**dispute.clocks)
    by, kinds = DECIDING.get(content["reason"], ("", ()))
    decided = winner == by and dispute.kind in kinds and clocks.turn is not None
    if not decided and winner == "challenger" and not forfeited(draft, name):
        raise Refusal("deputies-left", f"{name}: the asserter is not awaited, or may be replaced")
    if not decided and winner == "asserter" and not (clocks.turn == "challenger" and spent(clocks, draft.tick)):
        raise Refusal("too-early", f"{name}: the challenger's budget is not spent")
    if winner == "challenger":
        overturn(draft, name)
    elif decided or not find(draft, Claim, name).audit:
        uphold(draft, name)
    else:
        set_aside(draft, name)


def void(draft: Draft, request: Request) -> None:
    """{claim, record}, by the coordinator: its own code failed in the dispute; the claim waits again, with its bond.

    The second time the lease is annulled: payment, stake and bonds return, the order waits again.

    Raises:
        Refusal: malformed, not-the-coordinator, no-such-dispute.
    """
    coordinator_only(draft, request)
    name = read(VOID, request.content)["claim"]
    find(draft, Dispute, name)
    lease = find(draft, Claim, name).lease
    result = find(draft, Result, lease)
    if result.voids + 1 == MOST_VOIDS:
        take_back(draft, lease)
    else:
        drop(draft, Dispute, name)
        store(draft, lease, replace(result, voids=result.voids + 1))
