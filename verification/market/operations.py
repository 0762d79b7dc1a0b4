"""The table of the market's operations, by kind of request (section 5)."""

from verification.encoding.request import Request
from verification.ledger.operations import GENESIS
from verification.ledger.state import FUND, OUTSIDE, Draft, Operation
from verification.market import (
    annulment,
    audits,
    claims,
    deputies,
    forgetting,
    leases,
    offers,
    orders,
    parties,
    results,
    verdicts,
)
from verification.market.records import Device, Owner, store
from verification.market.rules import read_rules


def genesis(draft: Draft, request: Request) -> None:
    """The rules are ones that deter; the fund holds ``fund_prices`` of the largest price.

    Raises:
        Refusal: malformed, bad-rules, undeterred.
    """
    rules = read_rules(draft.fact(GENESIS, "rules"))
    draft.move(OUTSIDE, FUND, rules.fund_prices * rules.largest_price)
    store(draft, request.party, Owner(since=draft.tick))
    store(draft, request.party, Device(owner=request.party))


OPERATIONS: dict[str, Operation] = {
    GENESIS: genesis,
    "register": parties.register,
    "device": parties.add_device,
    "replace": parties.replace_device,
    "remove": parties.remove_device,
    "deposit": parties.deposit,
    "withdraw": parties.withdraw,
    "order": orders.order,
    "cancel": orders.cancel,
    "expire": orders.expire,
    "forget": forgetting.forget,
    "offer": offers.offer,
    "lapse": offers.lapse,
    "assign": leases.assign,
    "accept": leases.accept,
    "decline": leases.decline,
    "return": leases.hand_back,
    "miss": leases.miss,
    "result": results.result,
    "publish": results.publish,
    "lot": audits.lot,
    "audit": audits.audit,
    "reveal": audits.reveal,
    "annul": annulment.annul,
    "challenge": audits.challenge,
    "seal": audits.seal,
    "final": results.final,
    "claim": claims.claim,
    "begin": claims.begin,
    "play": claims.play,
    "timeout": deputies.timeout,
    "take_up": deputies.take_up,
    "summon": deputies.summon,
    "deputize": deputies.deputize,
    "dismiss": deputies.dismiss,
    "verdict": verdicts.verdict,
    "void": verdicts.void,
}
"""``advance`` is the ledger's own."""

ON_WORD = {
    "advance": "that so many ticks passed",
    "result": "whether it is right: it takes the model",
    "assign": "who is leased what at which price: it takes the round's bids, offers and mechanism",
    "miss": "that a device vanished: it takes what came from it and when",
    "deposit": "what came from outside",
    "forget": "that the bytes were inputs or outputs of the user's order",
    "begin": "that the graph leased is the model's: it takes the model",
    "play": "that a message says what is right at its turn: it takes the model",
    "verdict": "who won: it takes the model",
    "void": "that the referee's code failed: it takes the model",
}
"""By kind, what the ledger alone cannot derive again."""
