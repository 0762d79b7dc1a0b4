"""The honest strategies of a dispute: what asserter and challenger answer, each from its own trace."""

from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.computation import Source, Words
from verification.dispute.clocks import Role
from verification.dispute.dispute import Dispute
from verification.dispute.messages import Opening
from verification.dispute.record import Proceedings
from verification.encoding.request import request
from verification.encoding.schema import proof_text
from verification.errors import Refusal
from verification.merkle import Tree, leaf_digest, parts
from verification.trace import Trace, leaves

Party = Callable[[Dispute], bytes | None]
"""What a party sends when it is its turn; None: nothing."""


def honest(key: Ed25519PrivateKey, trace: Trace) -> Party:
    """The party that answers what its trace says."""

    def send(dispute: Dispute) -> bytes:
        content = answer(dispute, trace) | {"index": dispute.state.index, "previous": dispute.state.previous}
        return request(key, dispute.expects, dispute.begin.market, content).raw

    return send


def answer(dispute: Dispute, trace: Trace) -> dict[str, Any]:
    """What a trace answers to the message that is due."""
    state = dispute.state
    if state.stage == "descend-nodes":
        return _below(dispute, trace.tree)
    node = state.node
    assert node is not None
    tree = trace.trees[node]
    if state.stage == "node":
        return {"root": None if tree is None else tree.root.hex()}
    if state.stage == "guard":
        guard = trace.computation.nodes[node].guard
        assert guard is not None
        return {"opening": opened(trace, guard, leaves(trace.computation.nodes[guard]) - 1).plain()}
    assert tree is not None
    if state.stage == "descend-leaves":
        return _below(dispute, tree)
    leaf = state.leaf
    assert leaf is not None
    results = trace.derivation(node, leaf)
    made = Tree(b"".join(map(leaf_digest, results)))
    if state.stage == "steps":
        return {"path": proof_text(made.path(len(made) - 1)), "root": made.root.hex()}
    if state.stage == "descend-steps":
        return _below(dispute, made)
    assert state.step is not None
    sources = trace.computation.steps(node, leaf)[state.step].sources
    return {"inputs": [_source(trace, made, results, source).plain() for source in sources]}


def _below(dispute: Dispute, tree: Tree) -> dict[str, Any]:
    """Digests of the subtrees below the disputed one."""
    return {"digests": [tree.subtree(span).hex() for span in parts(dispute.state.span, dispute.levels)]}


def opened(trace: Trace, node: int, leaf: int) -> Opening:
    """A committed leaf with its proofs."""
    tree, path = trace.trees[node], tuple(trace.tree.path(node))
    if tree is None:
        return Opening(None, (), path)
    return Opening(trace.leaf(node, leaf), tuple(tree.path(leaf)), path)


def _source(trace: Trace, made: Tree, results: list[Words], source: Source) -> Opening:
    """What a step reads, with its proofs."""
    if isinstance(source, int):
        return Opening(results[source], tuple(made.path(source)))
    return opened(trace, *source)


def play(proceedings: Proceedings, parties: dict[Role, Party]) -> None:
    """Let both parties answer in turn until there is a verdict; a message takes a tick.

    A party that sends nothing, or what is refused, lets its budget pass; no deputy comes.
    """
    dispute = proceedings.dispute
    tick = dispute.clocks.since
    while dispute.verdict is None:
        if dispute.turn is None:
            proceedings.forfeit(tick)
            continue
        sent, tick = parties[dispute.turn](dispute), tick + 1
        try:
            if sent is not None:
                proceedings.receive(sent, tick)
                continue
        except Refusal:
            pass
        if dispute.clocks.due is not None:
            tick = dispute.clocks.due + 1
            proceedings.tick(tick)
