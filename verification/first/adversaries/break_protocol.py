"""Adversaries that break the protocol of a dispute: each loses, for the reason named beside it.

Each wraps the honest party of its role: a function of (role, key, honest party) that gives another party. A refused
message changes nothing; who has nothing better to send runs out of time and loses for the reason of the refusal.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.first.bisection import Dispute
from verification.first.commitment import Commitment, canonical, public, sign, signed
from verification.first.messages import LIMIT, Role
from verification.first.party import Party

Wrapper = Callable[[Role, Ed25519PrivateKey, Party], Party]


def silent_at(stage: str) -> Wrapper:
    """Silent from a stage on."""

    def wrap(role: Role, key: Ed25519PrivateKey, honest: Party) -> Party:
        return lambda dispute: None if dispute.stage == stage else honest(dispute)

    return wrap


def garbage(role: Role, key: Ed25519PrivateKey, honest: Party) -> Party:
    """Bytes that are no message."""
    return lambda dispute: b'{"body":' + b"[" * 1000


def oversized(role: Role, key: Ed25519PrivateKey, honest: Party) -> Party:
    """A message beyond the limit."""
    return lambda dispute: b" " * (LIMIT + 1)


def replaying(role: Role, key: Ed25519PrivateKey, honest: Party) -> Party:
    """Its first message again and again."""
    first: list[bytes | None] = []

    def send(dispute: Dispute) -> bytes | None:
        first.append(first[0] if first else honest(dispute))
        return first[0]

    return send


def running_ahead(role: Role, key: Ed25519PrivateKey, honest: Party) -> Party:
    """Messages numbered beyond the one that is due."""

    def send(dispute: Dispute) -> bytes | None:
        return _edited(key, honest(dispute), lambda envelope: envelope.update(index=envelope["index"] + 1))

    return send


def elsewhere(role: Role, key: Ed25519PrivateKey, honest: Party) -> Party:
    """Messages that follow another dispute's."""

    def send(dispute: Dispute) -> bytes | None:
        return _edited(key, honest(dispute), lambda envelope: envelope.update(previous="0" * 64))

    return send


def wrong_key(role: Role, key: Ed25519PrivateKey, honest: Party) -> Party:
    """Messages signed by somebody else."""
    other = Ed25519PrivateKey.from_private_bytes(b"\7" * 32)
    return lambda dispute: _edited(other, honest(dispute), lambda envelope: None)


def forged_proof(role: Role, key: Ed25519PrivateKey, honest: Party) -> Party:
    """Openings whose proof has another digest, or else other words."""
    return lambda dispute: _edited(key, honest(dispute), lambda envelope: _forge(envelope["body"], PROOFS))


def forged_digest(role: Role, key: Ed25519PrivateKey, honest: Party) -> Party:
    """Digests that do not lead to the one above them."""

    def send(dispute: Dispute) -> bytes | None:
        raw = honest(dispute)
        if dispute.stage == "challenge":
            return raw
        return _edited(key, raw, lambda envelope: _forge(envelope["body"], ("digests", "root")))

    return send


PROOFS = ("inputs", "opening", "path", "node", "words")


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


def _edited(key: Ed25519PrivateKey, raw: bytes | None, edit: Callable[[dict[str, Any]], Any]) -> bytes | None:
    """A message changed and signed anew."""
    if raw is None:
        return None
    envelope = json.loads(raw)
    del envelope["signature"]
    edit(envelope)
    return canonical(envelope | {"signature": sign(key, "message", canonical(envelope))})


def copied(rival: Commitment, key: Ed25519PrivateKey) -> Commitment:
    """A rival's result under the copier's own name, to open the seal it copied: no seal but its own fits."""
    header = replace(rival.header, provider=public(key))
    return Commitment(header, rival.nonce, sign(key, "header", header.encoded()))


def equivocates(one: Commitment, two: Commitment) -> bool:
    """Whether two commitments prove that their provider claimed two results of one task."""
    return (
        (one.header.provider, one.header.task) == (two.header.provider, two.header.task)
        and one.header != two.header
        and all(signed(c.header.provider, "header", c.header.encoded(), c.signature) for c in (one, two))
    )


ADVERSARIES: dict[str, tuple[Wrapper, str]] = {
    **{
        f"silent-at-{stage}": (silent_at(stage), "silent")
        for stage in ("challenge", "nodes", "node", "leaves", "steps", "tiles", "open", "guard", "deliver")
    },
    "garbage": (garbage, "malformed"),
    "oversized": (oversized, "oversized"),
    "replaying": (replaying, "replayed"),
    "running-ahead": (running_ahead, "reordered"),
    "elsewhere": (elsewhere, "other-dispute"),
    "wrong-key": (wrong_key, "wrong-signature"),
    "forged-proof": (forged_proof, "wrong-proof"),
    "forged-digest": (forged_digest, "wrong-digest"),
}
"""By name, with the reason it loses by."""
BEFOREHAND = {
    "copied-commitment": ("wrong-seal", "A rival's seal and result, copied, under its own name"),
    "two-commitments": ("two-commitments", "Two signed results of one task, to choose from later"),
}
"""Those that lose before there is a dispute."""
