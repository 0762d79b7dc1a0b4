"""Results whose audit the coordinator does not bring to its end (section 5): nothing is locked for ever.

It may have named a lot that the secret does not draw, lost the list or a secret, or be silent: then nobody can tell
whether a stranger has computed the result again. So nobody is believed: what was locked returns, nobody is paid, not
by the fund either, and the order waits again. A provider's friend who is named in a stranger's place gains nothing.
"""

from verification.encoding.request import Request
from verification.encoding.schema import read
from verification.errors import Refusal
from verification.ledger.state import Draft
from verification.market import parties
from verification.market.leases import NAMED
from verification.market.records import Audit, Deputies, Lease, find, in_state, known
from verification.market.returns import take_back
from verification.market.rules import rules_of


def annul(draft: Draft, request: Request) -> None:
    """{lease}, by any owner: its result is neither shown nor audited, and it was the coordinator's turn for too long.

    That is delta after what was due: secret or first lot of what was received; accept or result of the verifier; else
    one work limit from the last lot, seal or outcome on. Disputes and absent verifiers come first.

    Raises:
        Refusal: malformed, no-such-owner, no-such-lease, wrong-state, under-dispute, too-early.
    """
    name = read(NAMED, request.content)["lease"]
    parties.owner(draft, request.party)
    lease = in_state(find(draft, Lease, name), name, "received", "audited")
    if known(draft, Deputies, name) and find(draft, Deputies, name).absent:
        raise Refusal("under-dispute", f"{name}: deputies are drawn for who was absent")
    until, verifier = lease.due, ""
    if lease.state == "audited":
        audit = find(draft, Audit, name)
        until, verifier = audit.since + lease.limit, audit.verifier
        if verifier and not audit.outcome:
            until = find(draft, Lease, verifier).due
    if draft.tick <= (until := until + rules_of(draft).delta):
        raise Refusal("too-early", f"{name}: its audit may go on until {until}")
    if known(draft, Lease, verifier):
        take_back(draft, verifier)
    take_back(draft, name)
