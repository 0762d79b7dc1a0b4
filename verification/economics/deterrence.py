"""Whether a wrong result pays (section 5): closed forms, exact where their arguments are.

Money is in prices of the lease. A coalition holds the provider and a part q of an audit's lot; an audit comes with
chance p, its verifier compares exactly. Let work cost kappa, its verification at most ``verifier_kappa``. S = sigma
(1 - challenger_share) is what a fallen stake costs the coalition at least: the challenger's share may come back by a
friend's claim, the fund's and what is burnt do not. Of an honest and of a wrong result the coalition has on the average

    1 - kappa + p q (pay - verifier_kappa)          1 - p (1 - q) (1 + S) + p q pay

since a friend among the verifiers has to be wrong for it, and then need not work either. The difference is the gain:

    kappa + p q verifier_kappa - p (1 - q) (1 + S)

It is linear in the price, and grows with kappa, which is at most 1: whose work costs more than the price declines. So
what deters at kappa = 1 deters every device. What a verdict costs besides (work, a friend's stake, deputies' pay, what
else the removed key has open) only adds to the loss.
"""

from fractions import Fraction

ONE = Fraction(1)


def loss(sigma: Fraction | int, challenger_share: Fraction) -> Fraction:
    """S: what of a fallen stake does not come back to a coalition with a friend as its challenger, in prices."""
    return sigma * (1 - challenger_share)


def gain(
    p: Fraction,
    q: Fraction,
    sigma: Fraction | int,
    challenger_share: Fraction,
    kappa: Fraction = ONE,
    verifier_kappa: Fraction | None = None,
) -> Fraction:
    """What a wrong result is worth to a coalition, on the average, beyond an honest one; in prices of the lease.

    Args:
        p: chance of an audit.
        q: part of the lot that the coalition holds; of those who answer, see ``answering``.
        sigma: stake, in prices.
        challenger_share: of a fallen stake, to who won the dispute.
        kappa: cost of the work.
        verifier_kappa: cost of verifying it, at most what an audit pays; kappa where it is None.
    """
    spared = kappa if verifier_kappa is None else verifier_kappa
    return kappa + p * q * spared - p * (1 - q) * (1 + loss(sigma, challenger_share))


def deters(
    p: Fraction,
    q: Fraction,
    sigma: Fraction | int,
    challenger_share: Fraction,
    kappa: Fraction = ONE,
    verifier_kappa: Fraction | None = None,
) -> bool:
    """Whether a wrong result costs its coalition on the average: p ((1 - q)(1 + S) - q verifier_kappa) > kappa."""
    return gain(p, q, sigma, challenger_share, kappa, verifier_kappa) < 0


def least_audit_probability(
    q: Fraction,
    sigma: Fraction | int,
    challenger_share: Fraction,
    kappa: Fraction = ONE,
    verifier_kappa: Fraction | None = None,
) -> Fraction:
    """p at which a wrong result neither gains nor costs; above it deters, and where it is above 1 nothing does.

    kappa / ((1 - q)(1 + S) - q verifier_kappa).

    Raises:
        ValueError: the coalition holds so much of the lot that audits pay it.
    """
    at_risk = -gain(ONE, q, sigma, challenger_share, Fraction(0), kappa if verifier_kappa is None else verifier_kappa)
    if at_risk <= 0:
        raise ValueError(f"q: {q} of the lot gain by audits, whatever their chance")
    return kappa / at_risk


def largest_coalition(
    p: Fraction,
    sigma: Fraction | int,
    challenger_share: Fraction,
    kappa: Fraction = ONE,
    verifier_kappa: Fraction | None = None,
) -> Fraction:
    """q at which a wrong result neither gains nor costs; below it is deterred, and where it is below 0 nobody is.

    (1 + S - kappa / p) / (1 + S + verifier_kappa), of p > 0.
    """
    spared = kappa if verifier_kappa is None else verifier_kappa
    at_risk = 1 + loss(sigma, challenger_share)
    return (at_risk - kappa / p) / (at_risk + spared)


def answering(q: Fraction, absent: Fraction) -> Fraction:
    """Part of a lot that a coalition holds in effect, where a part ``absent`` of the strangers' weight does not answer.

    q / (q + (1 - q)(1 - absent)). Exact: lots are drawn by weight, none twice, until one answers, and of such an order
    the first among those who answer is each with its part of their weight (Luce 1959).
    """
    return q / (q + (1 - q) * (1 - absent))


def gain_on_one_stake(
    p: Fraction,
    q: Fraction,
    stake: Fraction | int,
    challenger_share: Fraction,
    leases: int,
    kappa: Fraction = ONE,
) -> Fraction:
    """What wrong results of W leases are worth together where one stake lies behind all of them, in prices of a lease.

    With d = p (1 - q), audits being independent: W (kappa + p q kappa - d) - (1 - (1 - d)^W) S, since every lease that
    is caught is not paid, but the stake is lost once. (1 - (1 - d)^W) / W falls with W, so who cheats at all cheats on
    all; and no stake deters from any number of leases unless d > (1 + p q) kappa: hence a stake behind each lease.
    """
    d = p * (1 - q)
    return leases * (kappa + p * q * kappa - d) - (1 - (1 - d) ** leases) * loss(stake, challenger_share)


def least_audit_probability_on_one_stake(
    q: Fraction,
    stake: Fraction | int,
    challenger_share: Fraction,
    leases: int,
    kappa: Fraction = ONE,
    digits: int = 30,
) -> Fraction:
    """The root of ``gain_on_one_stake`` in p, from above, within 2^-digits: that p deters.

    Raises:
        ValueError: audits of every lease do not deter.
    """
    low, high = 0, 2**digits
    if gain_on_one_stake(ONE, q, stake, challenger_share, leases, kappa) >= 0:
        raise ValueError(f"stake: {stake} prices behind {leases} leases do not deter, whatever is audited")
    while high - low > 1:
        middle = (low + high) // 2
        p = Fraction(middle, 2**digits)
        if gain_on_one_stake(p, q, stake, challenger_share, leases, kappa) < 0:
            high = middle
        else:
            low = middle
    return Fraction(high, 2**digits)


def largest_false_rate(p: Fraction, sigma: Fraction | int, kappa: Fraction) -> Fraction:
    """f, the chance that an audit finds an honest provider wrong, above which honest work costs more than it brings.

    1 - kappa - p f (1 + sigma) < 0: it loses price and the whole stake, of which nothing comes back. Exact comparison
    makes f what hardware faults make it.
    """
    return (1 - kappa) / (p * (1 + sigma))
