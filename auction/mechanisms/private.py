"""A posted price drawn by permute-and-flip: the price is differentially private, winners and payments are NOT.

Published private double auctions draw a clearing price by the exponential mechanism; this is one of that kind, not a
reproduction of any. Neighbouring markets differ in one task: there or not, or with another value and demand.
Providers, the grid of prices and ``maximum`` are public.

Score of a price p, from requests as unit items: a task with b_i >= p |C_i|, |C_i| = sum_k C_ik, offers its C_ik
requests of type k at floor(min(b_i, maximum) / |C_i|) each; providers with c_j <= p S_j supply T_k(p) = sum_j w_j s_jk.
The score is the sum over k of the T_k(p) largest offers: the clipped value that could trade at p, were bundles split.

*One task moves every score by at most ``maximum``.* T_k(p) does not depend on the tasks. A task added adds offers, none
below 0, |C_i| floor(min(b_i, maximum) / |C_i|) <= maximum in all, and the sum of the T largest of a list then rises by
at least 0 and at most their total: score(p) rises by some d(p) in [0, maximum]. To change a task is to remove it and
add another: d(p) in [-maximum, maximum]. All of it in integers, so no rounding enters.

*So the drawn price is epsilon-private.* It is the argmax of scores with exponential noise of scale 2 maximum / epsilon.
Given the noise of all other prices, p wins when its own noise z reaches some t; in the neighbouring market t differs by
at most 2 maximum (its own score by maximum, the best of the others by maximum), and P(z >= t) by a factor of at most
exp(2 maximum / scale) = exp(epsilon).

What the price protects ends there. **Whether a task wins, with which providers and what it pays are computed from the
bids at that price and are not private**: who wins at p has bid at least what its slots cost. Rounds compose: tasks that
stay for r rounds are protected by r epsilon in all (basic composition).
"""

import math
from decimal import Decimal

import numpy as np

from auction.arrays import within
from auction.errors import InputError
from auction.market import AMOUNT_LIMIT, MICRO, READINGS, Float, Int, Market, Reading
from auction.mechanisms import Settlement
from auction.mechanisms import _permute_and_flip as permute_and_flip
from auction.mechanisms.posted_price import offered, sell
from auction.prices import slot_units, transfers
from auction.search import Stop

__all__ = ["READINGS", "price_distribution", "run", "scored"]

MOST_PRICES = 1000
GRID = ",".join(f"{2 ** (power / 4):.6f}" for power in range(-24, 25))  # tokens a request: 1/64 to 64, four an octave


def run(
    market: Market,
    reading: Reading,
    stop: Stop,
    seed: int,
    *,
    epsilon: float = 1.0,
    maximum: float = 100.0,
    grid: str = GRID,
    release: bool = False,
) -> Settlement:
    """Draw a price per request, then sell slots at it: tasks in random order take the cheapest cover, if they bid it.

    A slot of provider j costs p S_j; providers whose cost is above that stay out. Payments equal receipts and nobody
    loses. Only the drawn price is ``epsilon``-private, not the settlement: see the module.

    Args:
        epsilon: of the drawn price; positive.
        maximum: tokens a task's bid is clipped to in the score, fixed without looking at the bids.
        grid: prices per request, tokens separated by commas, at most 1000, fixed without looking at the bids; by
            default 49 of them, from 1/64 to 64 tokens, four an octave.
        release: draw the price through OpenDP, which takes no seed; otherwise the same probabilities are drawn by the
            seed in floating point: repeatable, for experiments, and no protection against who knows the seed.

    Raises:
        InputError: an option outside its range, or a grid at which amounts could pass 2^62 micro-tokens.
    """
    prices, score, scale = scored(market, epsilon, maximum, grid)
    rng = np.random.default_rng(seed)
    if release:
        drawn = permute_and_flip.release(score, scale)
    else:
        drawn = rng.choice(prices.size, p=permute_and_flip.probabilities(score, scale))
    price = int(prices[drawn])
    allocation = sell(market, reading, price, rng.permutation(market.tasks), stop)
    paid = price * slot_units(market)[allocation.provider]
    return Settlement(allocation, *transfers(market, allocation, paid), epsilon)


def price_distribution(
    market: Market, *, epsilon: float = 1.0, maximum: float = 100.0, grid: str = GRID
) -> tuple[Int, Float]:
    """The grid, micro-tokens a request, and with what probability ``run`` draws each of its prices."""
    prices, score, scale = scored(market, epsilon, maximum, grid)
    return prices, permute_and_flip.probabilities(score, scale)


def scored(market: Market, epsilon: float, maximum: float, grid: str) -> tuple[Int, Int, float]:
    """The grid's prices, their scores, and the scale of the noise; all three in micro-tokens, options checked."""
    most = micro_tokens("maximum", str(maximum))
    prices = np.array([micro_tokens("grid", token) for token in grid.split(",")], dtype=np.int64)
    if prices.size > MOST_PRICES:
        raise InputError(f"option grid: has {prices.size} prices; at most {MOST_PRICES}")
    dearest = float(prices.max()) * float(slot_units(market).sum(dtype=float))
    within("option grid", "the price of a slot of every provider together", dearest, AMOUNT_LIMIT)
    return prices, scores(market, prices, most), noise_scale(most, epsilon)


def micro_tokens(option: str, text: str) -> int:
    """An amount of tokens in micro-tokens, rounded half to even; refused unless from one of them to 2^62."""
    try:
        amount = round(Decimal(text) * MICRO)
    except (ArithmeticError, ValueError):
        amount = 0
    if not 0 < amount < AMOUNT_LIMIT:
        allowed = "positive tokens" + ", separated by commas" * (option == "grid")
        raise InputError(f"option {option}: {text!r} is not allowed; {allowed}, from 1e-6 to 4.6e12")
    return amount


def noise_scale(maximum: int, epsilon: float) -> float:
    """2 maximum / epsilon, rounded up: more noise than needed by a unit in the last place, never less."""
    scale = math.nextafter(2 * maximum / epsilon, math.inf) if epsilon > 0 else math.inf
    if not 0 < scale < math.inf:
        raise InputError(f"option epsilon: {epsilon:g} is not allowed; a positive, finite number")
    return scale


def scores(market: Market, prices: Int, maximum: int) -> Int:
    """(prices,) the score of each price, micro-tokens: the clipped value that could trade at it (see the module)."""
    requests = market.demand.sum(axis=1)
    offer = np.clip(market.net_bid, 0, maximum) // requests
    order = np.argsort(-offer, kind="stable")
    demand, offer, bid = market.demand[order], offer[order], (market.net_bid // requests)[order]
    score = np.empty(prices.size, dtype=np.int64)
    for number, price in enumerate(prices.tolist()):
        # In floats, for supply beyond all demand must not wrap; it is the same in neighbouring markets to the last bit.
        supply = np.minimum(offered(market, price).astype(float) @ market.resource, AMOUNT_LIMIT).astype(np.int64)
        able = bid >= price
        traded = np.diff(np.minimum(np.cumsum(demand[able], axis=0), supply), axis=0, prepend=0)
        score[number] = traded.sum(axis=1) @ offer[able]
    return score
