"""What a user asks to be forgotten (section 5): prompts and answers lie beside the ledger's events no longer.

The events stay, and so do the digests in them: that there was an order, and what it came to, is derived as before. What
can no longer be shown is what the bytes were, so whether a result leads to its root, and, of a verdict over it, who was
right. Messages of disputes and lists of lots are evidence of others', and public: they are kept.
"""

from verification.encoding.canonical import parsed
from verification.encoding.request import Request
from verification.encoding.schema import digest_text, each, key_text, name_text, read
from verification.encoding.signature import signed
from verification.errors import Refusal
from verification.ledger.operations import coordinator_only
from verification.ledger.state import Draft
from verification.market import parties
from verification.market.records import Order, Result, find, known

CONSENT = "forget"
"""What the user signs, {order, blobs}."""
FORGET = {"order": digest_text, "user": key_text, "blobs": each(digest_text, 1_024), "consent": name_text}


def forget(draft: Draft, request: Request) -> None:
    """{order, user, blobs, consent}, by the coordinator: bytes of an order that has left are deleted, as its user asks.

    ``consent`` is the user's signature of {order, blobs}, of kind ``forget``. That they are the order's own, the
    coordinator has to see to. Bytes that come again with a later request are kept again.

    Raises:
        Refusal: malformed, not-the-coordinator, no-such-owner, no-consent, still-open, no-such-blob, evidence.
    """
    coordinator_only(draft, request)
    content = read(FORGET, request.content)
    user, blobs = content["user"], content["blobs"]
    parties.owner(draft, user)
    if not signed(user, CONSENT, draft.market, {"order": content["order"], "blobs": blobs}, content["consent"]):
        raise Refusal("no-consent", f"{user} has not signed that these bytes may be forgotten")
    if known(draft, Order, content["order"]):
        raise Refusal("still-open", f"{content['order']}: is still open")
    in_use = {find(draft, Result, name).output for name in draft.subjects("result")}
    for name in draft.subjects("order"):
        in_use.update(asked["input"] for asked in find(draft, Order, name).requests)
    for digest in dict.fromkeys(blobs):
        if digest in in_use:
            raise Refusal("still-open", f"{digest}: an open order or result has the same bytes")
        raw = draft.blob(digest)
        if raw is None and not draft.lost(digest):
            raise Refusal("no-such-blob", f"{digest}: no such bytes are kept")
        if raw is not None and _is_evidence(raw):
            raise Refusal("evidence", f"{digest}: is a message of a dispute, or a list that lots were drawn from")
        draft.forget(digest)


def _is_evidence(raw: bytes) -> bool:
    """Whether bytes are JSON, as inputs and outputs, which are words, are not."""
    try:
        return isinstance(parsed(raw), dict | list)
    except Refusal:
        return False
