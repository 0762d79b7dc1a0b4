"""What each kind of message of a dispute must hold, and where it leads (section 5): a table in ``dispute``."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from verification.computation import Computation, Source, Step, Words
from verification.dispute.clocks import Role, stopped
from verification.dispute.messages import Opening
from verification.dispute.referee import committed, derived, right
from verification.dispute.state import Pair, State, decided
from verification.errors import Refusal
from verification.merkle import NULL, folded, node_digest, parts, root_of
from verification.trace import leaves


@dataclass(frozen=True, slots=True)
class Terms:
    """What does not change while a dispute lasts."""

    computation: Computation
    levels: int
    """That one round descends."""
    root: bytes
    """That the asserter committed to."""


def taken(terms: Terms, state: State, turn: Role, said: dict[str, Any]) -> State:
    """The state after a party's message, which is of the kind that is due.

    Raises:
        Refusal: wrong-length, wrong-digest, wrong-words, wrong-proof.
    """
    match state.expects:
        case "descend":
            return _descended(terms, state, turn, said["digests"])
        case "node":
            return _node(terms, state, turn, said["root"])
        case "guard":
            return _guard(terms, state, said["opening"])
        case "steps":
            return _steps(terms, state, turn, said["root"], said["path"])
        case _:
            return _open(terms, state, said["inputs"])


def settled(terms: Terms, state: State) -> State:
    """Go on where the descent has ended."""
    lo, hi = state.span
    if hi - lo > 1:
        return state
    match state.stage:
        case "descend-nodes":
            return replace(state, stage="node", node=lo)
        case "descend-leaves":
            state = replace(state, leaf=lo, leaf_digests=state.digests)
            if len(_derivation(terms, state)) > 1:
                return replace(state, stage="steps")
            return replace(state, stage="open", step=0)
        case _:
            return replace(state, stage="open", step=lo)


def _derivation(terms: Terms, state: State) -> Sequence[Step]:
    """The steps of the disputed leaf."""
    assert state.node is not None and state.leaf is not None
    return terms.computation.steps(state.node, state.leaf)


def _descended(terms: Terms, state: State, turn: Role, digests: list[str]) -> State:
    below = parts(state.span, terms.levels)
    if len(digests) != len(below):
        raise Refusal("wrong-length", f"{len(digests)} digests where {len(below)} are due")
    if folded(state.span, terms.levels, [bytes.fromhex(each) for each in digests]).hex() != state.digests[turn]:
        raise Refusal("wrong-digest", f"the digests are not those below the {turn}'s subtree")
    if turn == "asserter":
        return replace(state, said=digests)
    span, mine, theirs = next(pair for pair in zip(below, state.said, digests, strict=True) if pair[1] != pair[2])
    rounds = state.rounds | {state.stage: state.rounds.get(state.stage, 0) + 1}
    pair: Pair = {"asserter": mine, "challenger": theirs}
    return settled(terms, replace(state, said=None, span=span, digests=pair, rounds=rounds))


def _node(terms: Terms, state: State, turn: Role, root: str | None) -> State:
    assert state.node is not None
    shape = terms.computation.nodes[state.node]
    made = NULL if root is None else node_digest(shape.rows, shape.words, bytes.fromhex(root))
    if made.hex() != state.digests[turn]:
        raise Refusal("wrong-digest", f"the {turn}'s digest of {shape.name} is another")
    if turn == "asserter":
        return replace(state, said=root)
    roots: Pair = {"asserter": state.said, "challenger": root}
    state = replace(state, said=None, digests=roots)
    if None not in roots.values():
        return settled(terms, replace(state, stage="descend-leaves", span=(0, leaves(shape))))
    return _null(state, False) if shape.guard is None else replace(state, stage="guard")


def _guard(terms: Terms, state: State, opening: Opening) -> State:
    assert state.node is not None
    guard = terms.computation.nodes[state.node].guard
    assert guard is not None
    words = _committed(terms, guard, leaves(terms.computation.nodes[guard]) - 1, opening)
    return _null(state, words is None or terms.computation.ended(words[None]))


def _steps(terms: Terms, state: State, turn: Role, root: str, path: tuple[bytes, ...]) -> State:
    count, leaf = len(_derivation(terms, state)), state.digests[turn]
    assert leaf is not None
    found = root_of(bytes.fromhex(leaf), count - 1, count, path)
    if found is None or found.hex() != root:
        raise Refusal("wrong-proof", "the last step is not the disputed leaf")
    if turn == "asserter":
        return replace(state, said=root)
    roots: Pair = {"asserter": state.said, "challenger": root}
    later = replace(state, stage="descend-steps", said=None, span=(0, count), digests=roots, step_roots=roots)
    return settled(terms, later)


def _open(terms: Terms, state: State, openings: list[Opening]) -> State:
    node, leaf, index, claimed = state.node, state.leaf, state.step, state.digests["asserter"]
    assert node is not None and leaf is not None and index is not None and claimed is not None
    step = _derivation(terms, state)[index]
    if len(openings) != len(step.sources):
        raise Refusal("wrong-length", f"{len(openings)} inputs are opened where the step has {len(step.sources)}")
    inputs = [_input(terms, state, source, each) for source, each in zip(step.sources, openings, strict=True)]
    state = replace(state, macs=state.macs + step.macs)
    if right(terms.computation, node, leaf, index, inputs, bytes.fromhex(claimed)):
        return decided(state, "asserter", "step-right")
    if state.step_roots is None:
        return decided(state, "challenger", "step-wrong")
    clocks = stopped(state.clocks, state.clocks.since)  # the root says no steps: these are the player's own
    return replace(state, clocks=clocks, refused="step-wrong")


def _input(terms: Terms, state: State, source: Source, opening: Opening) -> Words:
    if isinstance(source, int):
        roots, steps = state.step_roots, _derivation(terms, state)
        assert roots is not None and roots["asserter"] is not None
        return derived(bytes.fromhex(roots["asserter"]), source, len(steps), steps[source].words, opening)
    words = _committed(terms, *source, opening)
    return np.empty(0, np.int32) if words is None else words


def _committed(terms: Terms, node: int, leaf: int, opening: Opening) -> Words | None:
    return committed(terms.computation, terms.root, node, leaf, opening)


def _null(state: State, null: bool) -> State:
    holds = null == (state.digests["asserter"] is None)
    return decided(state, "asserter" if holds else "challenger", "null-right" if holds else "null-wrong")
