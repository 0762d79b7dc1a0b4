"""The honest strategies of a dispute: what asserter and challenger answer, each from its own trace."""

from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.computation import Source, Words
from verification.errors import Refusal
from verification.first.bisection import Dispute
from verification.first.messages import Opening, Role, encode
from verification.merkle import Tree, leaf_digest, parts
from verification.trace import Trace, leaves

Party = Callable[[Dispute], bytes | None]
"""What a party sends when it is its turn; None: nothing."""


def honest(role: Role, key: Ed25519PrivateKey, trace: Trace) -> Party:
    """The party that answers what its trace says."""

    def send(dispute: Dispute) -> bytes:
        return encode(key, role, dispute.expects, answer(dispute, trace), dispute.index, dispute.previous)

    return send


def answer(dispute: Dispute, trace: Trace) -> dict[str, Any]:
    """The body that a trace gives for the message that is due."""
    stage = dispute.stage
    if stage == "challenge":
        return {"root": trace.tree.root, "tokens": list(trace.tokens)}
    if stage == "deliver":
        at = trace.computation.delivered(dispute.differing_token)
        assert at is not None
        return {"opening": opened(trace, *at)}
    if stage == "nodes":
        return {"digests": below(dispute, trace.tree)}
    node = dispute.node
    assert node is not None
    tree = trace.trees[node]
    if stage == "node":
        return {"root": None if tree is None else tree.root}
    if stage == "guard":
        guard = trace.computation.nodes[node].guard
        assert guard is not None
        return {"opening": opened(trace, guard, leaves(trace.computation.nodes[guard]) - 1)}
    assert tree is not None
    if stage == "leaves":
        return {"digests": below(dispute, tree)}
    leaf = dispute.leaf
    assert leaf is not None
    results = trace.derivation(node, leaf)
    made = Tree(b"".join(map(leaf_digest, results)))
    if stage == "steps":
        return {"root": made.root, "path": made.path(len(made) - 1)}
    if stage == "tiles":
        return {"digests": below(dispute, made)}
    assert dispute.step is not None
    inputs = dispute.steps[dispute.step].sources
    return {"inputs": [source_of(trace, made, results, source) for source in inputs]}


def below(dispute: Dispute, tree: Tree) -> list[bytes]:
    """Digests of the subtrees below the disputed one."""
    return [tree.subtree(span) for span in parts(dispute.descent.span, dispute.descent.levels)]


def opened(trace: Trace, node: int, leaf: int) -> Opening:
    """A committed leaf with its proofs."""
    tree, path = trace.trees[node], tuple(trace.tree.path(node))
    if tree is None:
        return Opening(None, (), path)
    return Opening(trace.leaf(node, leaf), tuple(tree.path(leaf)), path)


def source_of(trace: Trace, made: Tree, results: list[Words], source: Source) -> Opening:
    """An input of a step with its proofs."""
    if isinstance(source, int):
        return Opening(results[source], tuple(made.path(source)))
    return opened(trace, *source)


def play(dispute: Dispute, asserter: Party, challenger: Party, now: int = 0) -> list[dict[str, Any]]:
    """Let both parties answer in turn until there is a verdict; the events, in order.

    A message takes one unit of time. A party that sends nothing, or what is refused, lets its time pass.
    """
    events: list[dict[str, Any]] = []
    while dispute.verdict is None:
        sent = (asserter if dispute.turn == "asserter" else challenger)(dispute)
        now += 1
        if sent is not None:
            events.append({"at": now, "message": sent.decode("latin-1")})
            try:
                dispute.receive(sent, now)
                continue
            except Refusal as refusal:
                events[-1]["refused"] = refusal.reason
        now = dispute.deadline + 1
        dispute.tick(now)
        events.append({"at": now})
    return events
