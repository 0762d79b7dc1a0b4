"""What a provider publishes of a result: first a seal, and when all rivals have sealed theirs, the header (section 5).

    seal = seal(provider, task, H(header), nonce), see ``tasks``

A seal says nothing of the root, so that nobody can copy a rival's; the header names its provider and is signed.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from verification.computation import Computation
from verification.errors import Refusal
from verification.first.tasks import seal
from verification.trace import Trace

DOMAINS = {"header": b"distribute-lab header\0", "message": b"distribute-lab message\0"}


@dataclass(frozen=True, slots=True)
class Header:
    """What a provider claims."""

    task: str
    model: str
    graph: str
    input: str
    terms: Mapping[str, str]
    """Seed, temperature, token limit."""
    tokens: tuple[int, ...]
    """What was delivered."""
    nodes: int
    root: str
    """Of the trace, in hex."""
    provider: str
    """Ed25519 public key, in hex."""

    def encoded(self) -> bytes:
        """The bytes that are sealed and signed."""
        return canonical(asdict(self))

    @property
    def digest(self) -> str:
        """What the ledger holds of it, in hex."""
        return sha256(self.encoded()).hexdigest()


@dataclass(frozen=True, slots=True)
class Commitment:
    """A header with what opens its seal."""

    header: Header
    nonce: str
    signature: str

    @property
    def seal(self) -> str:
        """What was published first."""
        return seal(self.header.provider, self.header.task, self.header.digest, self.nonce)


def canonical(content: Any) -> bytes:
    """JSON with sorted keys and no spaces: one encoding of one content."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def public(key: Ed25519PrivateKey) -> str:
    """A party's name: its public key in hex."""
    return key.public_key().public_bytes_raw().hex()


def sign(key: Ed25519PrivateKey, domain: str, content: bytes) -> str:
    """A signature in hex."""
    return key.sign(DOMAINS[domain] + content).hex()


def signed(party: str, domain: str, content: bytes, signature: str) -> bool:
    """Whether the party signed the content."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(party)).verify(
            bytes.fromhex(signature), DOMAINS[domain] + content
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def header(task: str, trace: Trace, provider: str) -> Header:
    """The header of a trace."""
    computation = trace.computation
    return Header(
        task=task,
        **{name: computation.digests[name] for name in ("model", "graph", "input")},
        terms=dict(computation.terms),
        tokens=tuple(trace.tokens),
        nodes=len(computation.nodes),
        root=trace.tree.root.hex(),
        provider=provider,
    )


def commit(task: str, trace: Trace, key: Ed25519PrivateKey, nonce: bytes) -> Commitment:
    """A trace committed to; the nonce is 32 bytes nobody can guess."""
    content = header(task, trace, public(key))
    return Commitment(content, nonce.hex(), sign(key, "header", content.encoded()))


def check(commitment: Commitment, sealed: str, task: str, computation: Computation) -> None:
    """What must hold of an opened commitment before its root is believed to be a claim on the task.

    Raises:
        Refusal: wrong-seal, wrong-signature, wrong-task, wrong-model, wrong-graph, wrong-input, wrong-terms,
            wrong-nodes.
    """
    claimed = commitment.header
    if commitment.seal != sealed:
        raise Refusal("wrong-seal", "the header does not open the seal that was published")
    if not signed(claimed.provider, "header", claimed.encoded(), commitment.signature):
        raise Refusal("wrong-signature", "the header is not signed by its provider")
    if claimed.task != task:
        raise Refusal("wrong-task", f"the header is for task {claimed.task!r}, not {task!r}")
    for name in ("model", "graph", "input"):
        if getattr(claimed, name) != computation.digests[name]:
            raise Refusal(f"wrong-{name}", f"the header's {name} is not the task's: {computation.digests[name]}")
    if dict(claimed.terms) != dict(computation.terms):
        raise Refusal("wrong-terms", f"the header's terms are not the task's: {dict(computation.terms)}")
    if claimed.nodes != len(computation.nodes):
        raise Refusal("wrong-nodes", f"the header has {claimed.nodes} nodes, the schedule {len(computation.nodes)}")
