"""What becomes of the fund that pays for audits (section 5): closed forms, and a bound that holds for every strategy.

Money is in prices of the lease. Each result that becomes final pays a fee beside its price; with chance p its verifier
is paid ``pay`` by the fund. Of a result that falls no fee comes, but ``verifier_share`` of its stake.

A result changes the fund by X: by fee, with chance 1 - p; by fee - pay, with chance p. It is reckoned when the result
comes: what the fund holds, and the fees of open results, less the pay of open audits, moves by X however many are open
and in whatever order they end. (By what it holds alone, W open results would owe p W prices before any fee had come:
beyond W = u / p, 250 of the largest price, nothing more would be leased.)

Let R > 0 solve E exp(-R X) = 1. Nobody knows a draw before it is made, so whoever orders, from whom, at what price x of
the largest, whatever came before, E exp(-R x X) <= 1 for x from 0 to 1, this being convex in x and 1 at both ends. So
exp(-R sum), the sum in largest prices, is a supermartingale, and from u of them on the sum ever falls below 0 with
chance exp(-R u) at most (Lundberg 1903; for every strategy, by Ville's inequality). Sham orders, newcomers and chosen
prices are strategies too.
Two things are asked of the rules: pay < fee / p, or there is no R; and that no audit is paid of which no fee comes:
verifier_share x sigma >= fee where a result falls, and no other way round the fee.
"""

from fractions import Fraction
from math import exp, log

from scipy.optimize import brentq


def drift(p: Fraction, fee: Fraction, pay: Fraction) -> Fraction:
    """What the fund gains by a lease on the average: fee - p pay."""
    return fee - p * pay


def sham_order(p: Fraction, q: Fraction, fee: Fraction, pay: Fraction) -> Fraction:
    """What a coalition gains by an order to itself that costs no work (its answer was kept): p q pay - fee.

    The price goes round; the fee is lost; a verifier of its own, who need not work either, is paid by the fund.
    """
    return p * q * pay - fee


def fallen(p: Fraction, q: Fraction, fee: Fraction, pay: Fraction, verifier_share: Fraction, sigma: int) -> Fraction:
    """What the fund gains on the average by a lease whose result is wrong, and falls if a stranger audits it."""
    return (1 - p * (1 - q)) * fee - p * pay + p * (1 - q) * verifier_share * sigma


def adjustment(p: Fraction, fee: Fraction, pay: Fraction) -> float:
    """R > 0 with (1 - p) exp(-R fee) + p exp(R (pay - fee)) = 1; 0 where the fund does not grow on the average."""
    if drift(p, fee, pay) <= 0:
        return 0.0
    if p == 0 or pay <= fee:
        return float("inf")
    chance, gained, lost = float(p), float(fee), float(pay - fee)

    def excess(r: float) -> float:
        return (1 - chance) * exp(-r * gained) + chance * exp(r * lost) - 1

    high = 1.0
    while excess(high) < 0:
        high *= 2
    low = high
    while excess(low) >= 0:
        low /= 2
    return float(brentq(excess, low, high, xtol=1e-14))


def ruin(prices: float, p: Fraction, fee: Fraction, pay: Fraction) -> float:
    """Bound on the chance that a fund that begins with so many largest prices ever owes what it has not."""
    return exp(-adjustment(p, fee, pay) * prices)


def least_fund(chance: float, p: Fraction, fee: Fraction, pay: Fraction) -> float:
    """Largest prices that the fund begins with so that ``ruin`` is at most ``chance``; inf where it does not grow."""
    found = adjustment(p, fee, pay)
    return -log(chance) / found if found else float("inf")
