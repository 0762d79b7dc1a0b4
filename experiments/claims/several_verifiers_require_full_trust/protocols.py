"""Who is believed where several verify (section 5): one, all, a majority, or whoever wins the protocol's dispute."""

from collections.abc import Callable, Sequence
from math import comb
from typing import NamedTuple

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import stats

from experiments.claims.several_verifiers_require_full_trust.chain import STEPS, trace
from verification.dispute.clocks import budgets
from verification.dispute.dispute import Dispute, identity
from verification.dispute.party import honest as player
from verification.dispute.state import Verdict
from verification.encoding.request import Request, request
from verification.encoding.signature import public
from verification.market.rules import DEPUTIES, Rules
from verification.trace import Trace

ONE, ALL, MAJORITY = "one verifier", "all must agree", "majority"
ANY, ABSENT = "any one may challenge", "the same, the provider being offline"
MARKET, RULES, WORK = "ab" * 32, Rules(), 60
REFEREE, PROVIDER, CHALLENGER, DEPUTY = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in range(1, 5))

Flags = NDArray[np.bool_]


class Judged(NamedTuple):
    """What came of a result."""

    stands: bool
    steps: int
    """recomputed by verifiers, deputies and referee"""


def votes(honest: Flags, wrong: bool) -> Flags:
    """Who says that the result is wrong: the honest if it is, the others if it is not."""
    return honest == wrong


def one(honest: Flags, wrong: bool, rng: Generator) -> Judged:
    """The whitepaper's: a single provider, drawn among the verifiers, recomputes everything and is believed."""
    return Judged(not votes(honest, wrong)[rng.integers(honest.size)], STEPS)


def unanimous(honest: Flags, wrong: bool, rng: Generator) -> Judged:
    """A result falls if all say that it is wrong."""
    return Judged(not votes(honest, wrong).all(), STEPS * honest.size)


def majority(honest: Flags, wrong: bool, rng: Generator) -> Judged:
    """A result falls if more than half say that it is wrong."""
    return Judged(2 * int(votes(honest, wrong).sum()) <= honest.size, STEPS * honest.size)


def challenge(honest: Flags, wrong: bool, rng: Generator, looking: float = 1.0) -> Judged:
    """Anyone may claim with a trace of its own; each claim is a dispute, one after another, until one is right.

    Who is honest looks with probability ``looking`` and claims what differs from its own; the others never claim
    against what is wrong, and always against what is right, with a fault made up at random.
    """
    start = int(rng.integers(2**32))
    claimed, right = _claimed(start, wrong, rng), trace(start)
    looked = honest & (rng.random(honest.size) < looking)
    claims = [right] * looked.sum() if wrong else [_faulty(start, rng) for _ in range(int((~honest).sum()))]
    steps = STEPS * int(looked.sum())
    for claim in claims:
        verdict = settled(claimed.tree.root, claim, claimed)
        steps += verdict.macs
        if verdict.winner == "challenger":
            return Judged(False, steps)
    return Judged(True, steps)


def absent(honest: Flags, wrong: bool, rng: Generator) -> Judged:
    """The same, but whoever gave the result answers nothing: deputies by lot among who has not claimed play for it.

    Of the dishonest one claims against a right result, so that the others can be drawn; a deputy that differs claims.
    A dishonest deputy of a wrong result plays on with its root. The coordinator computes nothing again.
    """
    start = int(rng.integers(2**32))
    claimed, right = _claimed(start, wrong, rng), trace(start)
    claimants = honest if wrong else np.arange(honest.size) == int(np.argmin(honest))
    steps = STEPS * int(honest.sum())
    if (wrong and not honest.any()) or (not wrong and honest.all()):
        return Judged(True, steps)
    drawn = rng.permutation(honest[~claimants])[:DEPUTIES]
    faithful = drawn != wrong  # with the provider's root
    deputies = [claimed] * int(faithful.sum())
    claims = [right if wrong else _faulty(start, rng) for _ in range(1 + int((~faithful).sum()))]
    steps += STEPS * drawn.size
    for claim in claims:
        verdict = settled(claimed.tree.root, claim, None, deputies)
        steps += verdict.macs
        if verdict.winner == "challenger":
            return Judged(False, steps)
    return Judged(True, steps)


def _claimed(start: int, wrong: bool, rng: Generator) -> Trace:
    return _faulty(start, rng) if wrong else trace(start)


def _faulty(start: int, rng: Generator) -> Trace:
    return trace(start, int(rng.integers(STEPS)))


def settled(root: bytes, challenger: Trace, provider: Trace | None, deputies: Sequence[Trace] = ()) -> Verdict:
    """Play a dispute by the protocol's messages: who has no trace is silent, then deputies play in turn."""
    dispute = Dispute(challenger.computation, _begin(root, challenger))
    asserter = None if provider is None else player(PROVIDER, provider)
    left, claimant, tick = list(deputies), player(CHALLENGER, challenger), 0
    while dispute.verdict is None:
        if dispute.absent and left:
            dispute.replace_asserter(public(DEPUTY), tick)
            asserter = player(DEPUTY, left.pop(0))
        elif dispute.absent:
            dispute.forfeit()
        else:
            sender = asserter if dispute.turn == "asserter" else claimant
            sent, due = None if sender is None else sender(dispute), dispute.clocks.due
            assert due is not None
            tick = due + 1 if sent is None else tick + 1
            if sent is None:
                dispute.tick(tick)
            else:
                dispute.receive(sent, tick)
    return dispute.verdict


def _begin(root: bytes, challenger: Trace) -> Request:
    content = {
        "claim": "11" * 32,
        "header": "22" * 32,
        "computation": identity(challenger.computation),
        "asserter": public(PROVIDER),
        "challenger": public(CHALLENGER),
        "roots": {"asserter": root.hex(), "challenger": challenger.tree.root.hex()},
        "rules": {"delta": RULES.delta, "levels": RULES.levels, "message_limit": RULES.message_limit},
        "budgets": budgets(RULES.delta, WORK),
        "tick": 0,
        "head": {"number": 0, "digest": "33" * 32},
    }
    return request(REFEREE, "begin", MARKET, content)


PROTOCOLS: dict[str, Callable[[Flags, bool, Generator], Judged]] = {
    ONE: one,
    ALL: unanimous,
    MAJORITY: majority,
    ANY: challenge,
    ABSENT: absent,
}


def expected(protocol: str, n: int, q: float, looking: float = 1.0) -> tuple[float, float]:
    """Probability that a wrong result stands and that a right one falls, each of n being dishonest with probability q.

    One: q, q. All: 1 - (1 - q)^n, q^n. Majority: P(B >= n / 2), P(B > n / 2) with B ~ Bin(n, q). Any one may
    challenge: (1 - (1 - q) looking)^n, 0; the provider being offline, a right one falls if both deputies that are drawn
    among the other n - 1 are dishonest: E C(B - 1, 2) / C(n - 1, 2) over B > 0.
    """
    if protocol == ONE:
        return q, q
    if protocol == ALL:
        return 1 - (1 - q) ** n, q**n
    if protocol == MAJORITY:
        return float(stats.binom.sf(np.ceil(n / 2) - 1, n, q)), float(stats.binom.sf(n // 2, n, q))
    stands = (1 - (1 - q) * looking) ** n
    if protocol == ANY:
        return stands, 0.0
    drawn = min(DEPUTIES, n - 1)
    falls = sum(stats.binom.pmf(b, n, q) * comb(b - 1, drawn) / comb(n - 1, drawn) for b in range(1, n + 1))
    return stands, float(falls)
