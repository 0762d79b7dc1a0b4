"""Bytes that say one thing to one reader and another to the next: spellings, forged keys, replays, lengths."""

import json
from contextlib import suppress

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.adversaries.cast import COORDINATOR, PROVIDER, STRANGERS, USER
from verification.adversaries.coordinate import settle
from verification.adversaries.end import End, ended
from verification.adversaries.scene import Scene, wrong
from verification.dispute.dispute import Dispute
from verification.dispute.party import Party
from verification.encoding.canonical import canonical
from verification.encoding.request import Request
from verification.encoding.signature import ORDER, PRIME, SMALL_ORDER
from verification.errors import Refusal
from verification.numbers import LongRows, Numbers
from verification.result import sign_result
from verification.trace import record


def respelt_root() -> End:
    """Spells the root of a right result in upper case, so that whoever compares it claims that it is wrong.

    A digest has one spelling: the result is refused, as are roots of other lengths and no roots at all.
    """
    scene = Scene()
    lease = scene.lend()
    signed, _ = sign_result(scene.parties[PROVIDER].device, scene.market, lease, scene.right)
    header, reasons = signed.content["header"], set[str]()
    for root in (header["root"].upper(), "zz" * 32, header["root"][2:], "", 7, None):
        reasons.add(scene.refused(PROVIDER, "result", signed.content | {"header": header | {"root": root}}))
    scene.parties[PROVIDER].online = False
    settle(scene)
    (reason,) = reasons
    return ended(scene, (PROVIDER,), reason)


def respelt_signature() -> End:
    """Hands on a message of its opponent's under another spelling of its signature, so that the chain breaks.

    Upper case, and S with the group's order added to it, are no signatures; and messages chain by what is signed.
    """
    scene = Scene()
    scene.parties[PROVIDER].trace = wrong(scene)
    refused = list[str]()

    def relayed(key: Ed25519PrivateKey, play: Party) -> Party:
        """The verifier's message reaches the referee from the provider, respelt, before it comes itself."""

        def send(dispute: Dispute) -> bytes | None:
            raw = play(dispute)
            for other in _respelt(raw or b"{}"):
                with suppress(Refusal):
                    dispute.receive(other, dispute.clocks.since)
                refused.append(dispute.state.refused)
            return raw

        return send

    for name in STRANGERS:
        scene.parties[name].wrap = relayed
    scene.serve(drawn=True)
    settle(scene)
    assert len(set(refused)) == 1
    return ended(scene, (PROVIDER,), refused[0], measured={"refused": len(refused)})


def _respelt(raw: bytes) -> list[bytes]:
    envelope = json.loads(raw)
    signature = envelope["signature"]
    more = int.from_bytes(bytes.fromhex(signature)[32:], "little") + ORDER
    forms = [signature.upper(), signature[:64] + more.to_bytes(32, "little").hex(), f" {signature}"]
    return [canonical(envelope | {"signature": form}) for form in forms]


def small_order_keys() -> End:
    """Registers keys of small order, under which a signature that anybody writes holds of every message.

    All eight points are refused, and so are other encodings of them.
    """
    scene = Scene()
    points = {y.to_bytes(32, "little") for y in SMALL_ORDER} | {PRIME.to_bytes(32, "little")}
    points |= {(y | 1 << 255).to_bytes(32, "little") for y in SMALL_ORDER}
    reasons = set()
    for point in points:
        forged = Request("register", point.hex(), {}, (b"\1" + bytes(63)).hex(), scene.market)
        try:
            scene.perform(forged)
        except Refusal as refusal:
            reasons.add(refusal.reason)
    (reason,) = reasons
    return ended(scene, (), reason, measured={"refused": len(points)})


def other_end_tokens() -> End:
    """Runs the model with another end token than its file names, to deliver a shorter answer.

    End tokens are in the model's digest: it is another model, and no dispute about this one is begun over it.
    """
    scene = Scene()
    other = Numbers(end=(scene.right.tokens[0],))
    short = record(other, keep_all=True)
    assert other.digests["model"] != scene.computation.digests["model"] and len(short.tokens) < len(scene.right.tokens)
    short.computation = scene.computation
    scene.parties[PROVIDER].trace = short
    scene.serve(drawn=True)
    settle(scene)
    (held,) = scene.decided.values()
    try:
        Dispute(other, held.dispute.begin)
    except Refusal as refusal:
        return ended(scene, (PROVIDER,), measured={"a referee with the other file": refusal.reason})
    raise AssertionError("a dispute over another model")


def long_answer() -> End:
    """Cheats in an answer of 32,768 tokens, so that a claim against it is too large to be sent.

    The output is no part of a claim: that holds a root, whatever was delivered.
    """
    return _long("output")


def wide_row() -> End:
    """Cheats in a row as wide as the widest models', so that no opening of it fits a message.

    A step reads at most eight leaves of 1,024 words: the largest message of the dispute stays below the limit.
    """
    return _long("fold")


def _long(op: str) -> End:
    scene = Scene(computation=LongRows())
    node = next(at for at, shape in enumerate(scene.computation.nodes) if shape.op == op)
    trace = scene.right.copy()
    words = trace.leaf(node, 17).copy()
    words[3] ^= 1
    trace.change(node, 17, words)
    scene.parties[PROVIDER].trace = trace
    scene.serve(drawn=True)
    settle(scene)
    (held,) = scene.decided.values()
    largest = max(len(entry.message) for entry in held.entries if entry.message)
    return ended(scene, (PROVIDER,), measured={"largest message, bytes": largest})


def other_market_replayed() -> End:
    """Replays a user's orders, withdrawals and a device's result from one market in another.

    The market's digest stands in every signature.
    """
    scene, other = Scene(), Scene(name="another coordinator")
    lease = scene.serve(drawn=False)
    scene.ask(USER, "withdraw", {"amount": "1000", "nonce": scene.nonce()})
    scene.parties[USER].deposited -= 1_000
    asked = [event.request for event in scene.ledger.events()]
    requests = [each for each in asked if each.party != scene.parties[COORDINATOR].key]
    reasons = set()
    for each in requests:
        try:
            other.perform(each)
        except Refusal as refusal:
            reasons.add(refusal.reason)
    (reason,) = reasons
    assert lease in scene.results
    settle(scene)
    return ended(other, (), reason, measured={"replayed": len(requests)})


def sent_twice() -> End:
    """Sends a user's order and withdrawal again, to have them made twice.

    A request's name is the digest of what was signed: made twice it is one.
    """
    scene = Scene()
    order = scene.order()
    before = scene.ledger.head
    again = [event.request for event in scene.ledger.events() if event.request.kind in ("order", "deposit")]
    made = sum(scene.ledger.perform(asked) for asked in again)
    assert scene.ledger.head == before
    scene.ask(USER, "cancel", {"order": order})
    return ended(scene, (), "made once", measured={"sent again": len(again), "made again": made})
