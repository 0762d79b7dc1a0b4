"""Cheats and coalitions before audits that are drawn as the market draws them, each beside its closed form.

Who owns a part q of the lot is drawn for it with chance q; every draw is the hash that a ledger would check. Gains are
over what the same parties have by honest work, under the same draws; kappa is 1, the price of the dearest work.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from experiments import statistics
from experiments.claims.slashing_deters_cheating.deterrence import MARKET
from verification.economics.deterrence import answering, gain, loss
from verification.market.draws import drawn, lots
from verification.market.rules import KAPPA

OWNERS = 20  # of equal deposits, so that parts of a lot are twentieths
PARTS = tuple(Fraction(friends, OWNERS) for friends in (0, 1, 2, 3, 4, 5, 6))
ABSENT = Fraction(1, 2)
LOOKING = (Fraction(0), Fraction(1, 20), Fraction(1, 10), Fraction(1, 4))
ALONE, BOTH, BUSY = "a provider alone", "a provider and verifiers", "the same, half of the strangers being absent"
VERIFIER, COORDINATOR = "a verifier, of an honest provider", "the coordinator and a provider"
ORDER = (ALONE, VERIFIER, BOTH, BUSY, COORDINATOR)


@dataclass(frozen=True)
class Seen:
    """What came of so many results, each wrong in one way."""

    escaped: NDArray[np.bool_]
    """(leases,) bool: whether the wrong result stands"""
    gained: NDArray[np.floating]
    """(leases,) prices beyond honest work"""


def audits(leases: int, q: Fraction, absent: Fraction, label: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(leases,) bool each: whether a result was audited, and whether by a friend.

    Lots are drawn one after another, none twice, until an owner answers.
    """
    friends = int(q * OWNERS)
    there = OWNERS - round((OWNERS - friends) * absent)
    weights = [(f"{owner:064x}", 10**6) for owner in range(OWNERS)]
    audited, friendly = np.zeros(leases, bool), np.zeros(leases, bool)
    for lease in range(leases):
        secret, signed = (sha256(f"{label} {kind} {lease}".encode()).hexdigest() for kind in ("secret", "signed"))
        audited[lease] = drawn(secret, signed, MARKET.audit)
        if audited[lease]:
            friendly[lease] = _first(secret, signed, weights, there) < friends
    return audited, friendly


def _first(secret: str, signed: str, weights: list[tuple[str, int]], there: int) -> int:
    """The first owner by lot among those who answer: the first so many of the list."""
    many = 1
    while (owner := int(lots(secret, signed, weights, many)[-1], 16)) >= there:
        many += 1
    return owner


def provider(leases: int, q: Fraction, absent: Fraction, label: str, share: Fraction) -> Seen:
    """Every result is wrong; of what falls, ``share`` comes back by a friend's claim."""
    audited, friendly = audits(leases, q, absent, label)
    caught = audited & ~friendly
    fine = float(1 + loss(MARKET.sigma, share))
    gained = np.where(caught, -fine, 0.0) + float(KAPPA) * (1.0 + friendly)
    return Seen(~caught, gained)


def verifier(leases: int, q: Fraction, label: str) -> Seen:
    """Friends who are drawn make up another root without any work: it loses its dispute, the right result stands."""
    _, friendly = audits(leases, q, Fraction(0), label)
    return Seen(np.zeros(leases, bool), (float(KAPPA) - 1 - MARKET.sigma) * friendly)


def spared(leases: int, looking: Fraction, label: str) -> Seen:
    """The coordinator draws nothing; a challenger computes so many of the results again, and is right."""
    looked = np.random.default_rng(int(sha256(label.encode()).hexdigest()[:8], 16)).random(leases) < float(looking)
    fine = float(1 + loss(MARKET.sigma, MARKET.challenger_share))
    return Seen(~looked, float(KAPPA) - fine * looked)


def settings(leases: int, block: int) -> Iterator[tuple[str, Fraction, Seen, Fraction, Fraction]]:
    """(coalition, part of the lot or of results looked at, what was seen, share that escapes, gain: closed forms)."""
    p, sigma, back = MARKET.audit, MARKET.sigma, MARKET.challenger_share
    yield (
        ALONE,
        PARTS[0],
        provider(leases, PARTS[0], PARTS[0], f"{ALONE} {block}", PARTS[0]),
        1 - p,
        gain(p, PARTS[0], sigma, PARTS[0]),
    )
    for q in PARTS:
        seen = verifier(leases, q, f"{VERIFIER} {q} {block}")
        yield VERIFIER, q, seen, Fraction(0), p * q * (KAPPA - 1 - sigma)
    for name, absent in ((BOTH, Fraction(0)), (BUSY, ABSENT)):
        for q in PARTS:
            there = OWNERS - round((OWNERS - q * OWNERS) * absent)
            held = answering(q, absent) if absent == 0 else q * OWNERS / there
            seen = provider(leases, q, absent, f"{name} {q} {block}", back)
            yield name, q, seen, 1 - p * (1 - held), gain(p, held, sigma, back)
    for looking in LOOKING:
        seen = spared(leases, looking, f"{COORDINATOR} {looking} {block}")
        yield COORDINATOR, looking, seen, 1 - looking, gain(looking, PARTS[0], sigma, back)


def play(leases: int, block: int = 0) -> Iterator[dict[str, object]]:
    """A row a setting: shares that escape (Clopper and Pearson) and gains (normal), 95 % intervals, closed forms."""
    for coalition, part, seen, escaping, gaining in settings(leases, block):
        escaped, low, high = statistics.share_interval(int(seen.escaped.sum()), leases)
        gained, least, most = statistics.normal_interval(seen.gained)
        yield {
            "coalition": coalition,
            "part": float(part),
            "leases": leases,
            "escaped": escaped,
            "escaped, low": low,
            "escaped, high": high,
            "escaped, closed form": float(escaping),
            "gain": gained,
            "gain, low": least,
            "gain, high": most,
            "gain, closed form": float(gaining),
        }
