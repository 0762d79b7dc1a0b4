"""Adversaries that break the protocol of a dispute: each loses, for the reason named beside it.

Each wraps the honest party of its role: a function of (key, honest party) that gives another party. A refused message
changes nothing; who has nothing better to send spends its budget and loses for the reason of the refusal.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.dispute.dispute import Dispute
from verification.dispute.party import Party
from verification.encoding.canonical import canonical
from verification.encoding.request import request

Wrapper = Callable[[Ed25519PrivateKey, Party], Party]
Edit = Callable[[dict[str, Any]], Any]
STAGES = ("descend-nodes", "node", "guard", "descend-leaves", "steps", "descend-steps", "open")


def silent_at(stage: str) -> Wrapper:
    """Silent from a stage on."""
    return lambda key, honest: lambda dispute: None if dispute.state.stage == stage else honest(dispute)


def garbage(key: Ed25519PrivateKey, honest: Party) -> Party:
    """Bytes that are no message."""
    return lambda dispute: b'{"content":' + b"[" * 1000


def oversized(key: Ed25519PrivateKey, honest: Party) -> Party:
    """A message beyond the limit."""
    return lambda dispute: b" " * (int(dispute.content["rules"]["message_limit"]) + 1)


def replaying(key: Ed25519PrivateKey, honest: Party) -> Party:
    """Its first message again and again."""
    first: list[bytes | None] = []

    def send(dispute: Dispute) -> bytes | None:
        first.append(first[0] if first else honest(dispute))
        return first[0]

    return send


def running_ahead(key: Ed25519PrivateKey, honest: Party) -> Party:
    """Messages numbered beyond the one that is due."""
    return _editing(key, honest, lambda content: content.update(index=content["index"] + 1))


def elsewhere(key: Ed25519PrivateKey, honest: Party) -> Party:
    """Messages that follow another dispute's."""
    return _editing(key, honest, lambda content: content.update(previous="0" * 64))


def forged_proof(key: Ed25519PrivateKey, honest: Party) -> Party:
    """Openings whose proof has another digest, or else other words."""
    return _editing(key, honest, lambda content: _forge(content, ("inputs", "opening", "path", "node", "words")))


def forged_digest(key: Ed25519PrivateKey, honest: Party) -> Party:
    """Digests that do not lead to the one above them."""
    return _editing(key, honest, lambda content: _forge(content, ("digests", "root")))


def wrong_key(key: Ed25519PrivateKey, honest: Party) -> Party:
    """Messages in its name that somebody else signed."""
    other = Ed25519PrivateKey.from_private_bytes(b"\7" * 32)

    def send(dispute: Dispute) -> bytes | None:
        raw = honest(dispute)
        if raw is None:
            return None
        envelope = json.loads(raw)
        forged = request(other, envelope["kind"], dispute.begin.market, envelope["content"]).signature
        return canonical(envelope | {"signature": forged})

    return send


def other_market(key: Ed25519PrivateKey, honest: Party) -> Party:
    """Messages signed for another market."""
    return _editing(key, honest, lambda content: None, market="0" * 64)


def _editing(key: Ed25519PrivateKey, honest: Party, edit: Edit, market: str = "") -> Party:
    """Its messages changed and signed anew."""

    def send(dispute: Dispute) -> bytes | None:
        raw = honest(dispute)
        if raw is None:
            return None
        envelope = json.loads(raw)
        edit(envelope["content"])
        return request(key, envelope["kind"], market or dispute.begin.market, envelope["content"]).raw

    return send


def _forge(value: Any, names: tuple[str, ...]) -> Any:
    """The value with the first character changed of the first text found below those names."""
    if isinstance(value, str):
        return ("1" if value[0] != "1" else "2") + value[1:]
    if isinstance(value, list):
        value[0] = _forge(value[0], names)
    for name in names:
        if isinstance(value, dict) and value.get(name):
            value[name] = _forge(value[name], names)
            break
    return value


ADVERSARIES: Mapping[str, tuple[Wrapper, str]] = {
    **{f"silent-at-{stage}": (silent_at(stage), "silent") for stage in STAGES},
    "garbage": (garbage, "malformed"),
    "oversized": (oversized, "silent"),
    "replaying": (replaying, "replayed"),
    "running-ahead": (running_ahead, "reordered"),
    "elsewhere": (elsewhere, "other-dispute"),
    "wrong-key": (wrong_key, "wrong-signature"),
    "other-market": (other_market, "wrong-signature"),
    "forged-proof": (forged_proof, "wrong-proof"),
    "forged-digest": (forged_digest, "wrong-digest"),
}
"""By name, with the reason it loses by."""
