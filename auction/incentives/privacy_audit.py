"""An audit that tries to refute a stated epsilon: neighbouring markets, draws from both, an exact lower bound.

Pure epsilon-differential privacy says P(E) <= exp(epsilon) P'(E) for every event E and both ways round. An audit never
proves that; what it cannot refute is stated with how many draws it would have taken to refute something worse.
"""

import math

import numpy as np
from scipy import stats

from auction.errors import InputError
from auction.market import MICRO, Float, Int, Market

CONFIDENCE = 0.95
POWER = 0.9


def lower_bound(first: Int, second: Int, confidence: float = CONFIDENCE) -> float:
    """Lower confidence bound of epsilon from draws of two neighbouring markets; a stated epsilon below it is refuted.

    The first half of the draws chooses the event and the direction: outcomes in order of their frequency ratio, and of
    all sets of the leading ones that with the greatest bound. The second half tests it: log of the lower over the upper
    Clopper-Pearson bound of its probabilities, each at (1 + confidence) / 2, so that both hold with ``confidence``.

    Args:
        first, second: (draws,) the outcome of each, numbered from 0; as many of either, at least two.
        confidence: below 1.
    """
    half = first.size // 2
    outcomes = 1 + int(max(first.max(), second.max()))
    counts = [np.bincount(part, minlength=outcomes) for part in (first[:half], second[:half])]
    chosen = []
    for direction in (1, -1):
        p, q = counts[::direction]
        order = np.argsort(-(p + 0.5) / (q + 0.5), kind="stable")
        bound = ratio_bound(np.cumsum(p[order]), np.cumsum(q[order]), half, confidence)
        chosen.append((float(bound.max()), direction, order[: bound.argmax() + 1]))
    _, direction, event = max(chosen, key=lambda choice: choice[0])
    p, q = [np.isin(part[half:], event).sum() for part in (first, second)[::direction]]
    return max(0.0, float(ratio_bound(p, q, first.size - half, confidence)))


def ratio_bound(p: Int, q: Int, draws: int, confidence: float) -> Float:
    """log(lower / upper) of the probabilities of events that occurred p and q times in ``draws``; -inf where p is 0."""
    tail = (1 - confidence) / 2
    with np.errstate(divide="ignore"):
        return np.log(_lower(p, draws, tail)) - np.log(_upper(q, draws, tail))


def _lower(count: Int, draws: int, tail: float) -> Float:
    """Clopper-Pearson: the probability under which so many or more occur with chance ``tail``."""
    return np.where(count > 0, stats.beta.ppf(tail, np.maximum(count, 1), draws - count + 1), 0.0)


def _upper(count: Int, draws: int, tail: float) -> Float:
    return np.where(count < draws, stats.beta.isf(tail, count + 1, np.maximum(draws - count, 1)), 1.0)


def power(draws: int, p: float, q: float, epsilon: float, confidence: float = CONFIDENCE) -> float:
    """The chance that the test refutes epsilon on an event of probabilities p and q, each market drawn ``draws`` times.

    Computed from the two binomial distributions: the least count of the first that refutes, for each of the second.
    """
    counts = np.arange(draws + 1)
    tail = (1 - confidence) / 2
    needed = math.exp(epsilon) * _upper(counts, draws, tail)
    least = np.searchsorted(_lower(counts, draws, tail), needed, side="right")
    return float(stats.binom.pmf(counts, draws, q) @ stats.binom.sf(least - 1, draws, p))


def draws_needed(p: float, q: float, epsilon: float, wanted: float = POWER, confidence: float = CONFIDENCE) -> int:
    """Draws of each market, in the half that tests, with which the test refutes epsilon with chance ``wanted``.

    Found by doubling and bisection: with so many draws the chance is reached. (It rises in small steps back and forth,
    so that a few draws fewer may do.)

    Raises:
        InputError: p <= exp(epsilon) q, which no number of draws refutes.
    """
    if p <= math.exp(epsilon) * q:
        raise InputError(f"p: {p:g} is not allowed; above exp({epsilon:g}) times {q:g}, or no number of draws refutes")
    enough = 2
    while power(enough, p, q, epsilon, confidence) < wanted:
        enough *= 2
    short = enough // 2
    while enough - short > 1:
        middle = (short + enough) // 2
        if power(middle, p, q, epsilon, confidence) < wanted:
            short = middle
        else:
            enough = middle
    return enough


def privacy_loss(first: Float, second: Float) -> float:
    """max |log P(r) / P'(r)| over outcomes, of two known distributions; 0 / 0 counts as nothing."""
    possible = (first > 0) | (second > 0)
    with np.errstate(divide="ignore"):
        return float(np.abs(np.log(first[possible]) - np.log(second[possible])).max(initial=0.0))


TIGHT_GRID = "1,10"


def tight_neighbours() -> tuple[Market, Market]:
    """Markets at which ``private`` with ``TIGHT_GRID`` and a maximum of 100 tokens loses all of its epsilon.

    Two tasks bid the maximum. At 1 token a request only type 0 is supplied, and both want it: scores 200 and 0. The
    second wants type 1 instead in the neighbour, which is supplied at 10, beyond what the first bids: scores 100 and
    100. So the price of 10 has probability exp(-epsilon) / 2 in the one market and 1 / 2 in the other.
    """

    def market(second: tuple[int, int]) -> Market:
        return Market(
            demand=np.array([(20, 0), second]),
            value=np.full(2, 101 * MICRO),  # e_i is one token
            unit_work=np.zeros(2),
            alpha=2,
            beta=1,
            resource=np.array([(40, 0), (0, 5)]),
            slots=np.ones(2, dtype=np.int64),
            cost=np.array([0, 50 * MICRO]),
            ability=np.ones((2, 2)),
        )

    return market((20, 0)), market((0, 5))
