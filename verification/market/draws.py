"""Draws from a secret that nobody knew when what it is hashed with was signed (section 5).

    draw     H(canonical(["audit", secret, signed, 0, attempt])) mod q < p q        p as a fraction in lowest terms
    lot i    H(canonical(["lot", secret, signed, i, attempt])) mod W                W: weights of those not drawn before

A hash at or beyond the largest multiple of the modulus is passed over for the next attempt, so chances are exact.
"""

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from hashlib import sha256
from itertools import accumulate

from verification.encoding.canonical import canonical


def uniform(label: str, secret: str, signed: str, index: int, below: int) -> int:
    """A number from 0 to ``below`` - 1, each with the same chance over secrets, if SHA-256 is uniform."""
    limit = 2**256 - 2**256 % below
    attempt = 0
    while True:
        found = int.from_bytes(sha256(canonical([label, secret, signed, index, attempt])).digest(), "big")
        if found < limit:
            return found % below
        attempt += 1


def drawn(secret: str, signed: str, p: Fraction) -> bool:
    """Whether a signed result is audited: with chance p."""
    return uniform("audit", secret, signed, 0, p.denominator) < p.numerator


def lots(secret: str, signed: str, weights: Sequence[tuple[str, int]], many: int) -> list[str]:
    """The first owners that are drawn from a list, by weight, none twice."""
    left, found = list(weights), list[str]()
    for index in range(min(many, len(left))):
        bounds = list(accumulate(weight for _, weight in left))
        at = uniform("lot", secret, signed, index, bounds[-1])
        found.append(left.pop(bisect_right(bounds, at))[0])
    return found
