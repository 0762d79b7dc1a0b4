"""CDARA on its published scenario: the matching of machines and the prices, in three versions of the rule.

A user asks for machines of several types, a provider offers some; a machine serves one that it is at least as large
as in every resource. A bid or ask counts the CPU only, and a unit is a machine: the unit price of a bidder is its
price over its number of machines.

The versions: the rule as it is stated; as in the code published with it (CloudAuction on GitHub), which adds one
midpoint a match, however many machines it is of; and the one that reproduces what the workbook prints, which counts
machines, but matches although a unit bid is below the unit ask, and cuts midpoints to four decimals.
"""

from typing import NamedTuple

import numpy as np

from auction.density import descending
from auction.market import Float, Int
from auction.mechanisms.cdara import density
from experiments.claims.densities_follow_earlier_work.workbook import Side


class Matches(NamedTuple):
    """Machines that change hands, in the order of the matching."""

    user: Int  # (matches,)
    provider: Int  # (matches,)
    amount: Int  # (matches,) machines of one requested and one offered type


class Version(NamedTuple):
    """What the versions differ in."""

    condition: bool  # only where the unit bid is at least the unit ask
    quantity: bool  # a match costs its midpoint times its machines, not once
    decimals: int | None  # to which midpoints are cut


AS_STATED = Version(condition=True, quantity=True, decimals=None)
AS_CODED = Version(condition=True, quantity=False, decimals=None)
AS_PRINTED = Version(condition=False, quantity=True, decimals=4)


def densities(side: Side, priority: Float | int = 1) -> Float:
    """(bidders,) price / sqrt(CPU of all machines) x priority."""
    return density(side.price, side.capacity[:, 0], priority)


def unit_price(side: Side) -> Float:
    """(bidders,) price of a machine on average."""
    return side.price / side.machines


def cut(number: Float, decimals: int) -> Float:
    """Without the digits beyond: what the workbook prints is cut, not rounded. A hair above, for sums like 0.3."""
    return np.floor(number * 10.0**decimals + 1e-7) / 10.0**decimals


def match(users: Side, providers: Side, priority: Float | int, condition: bool) -> Matches:
    """Users by falling, providers by rising density; a user that does not get all its machines returns those it got.

    As the published code does, a requested type takes machines of one offered type a provider, the smallest that
    has any left and serves.

    Args:
        priority: (users,), or 1.
        condition: pass over providers whose unit ask is above the user's unit bid.
    """
    bid, ask = unit_price(users), unit_price(providers)
    queue = np.argsort(densities(providers), kind="stable")
    serves = np.all(providers.machine[None, :, :] >= users.machine[:, None, :], axis=2)
    left = providers.amount.copy()
    matches: list[tuple[int, int, int]] = []
    for i in descending(densities(users, priority)).tolist():
        wanted, kept, found = users.amount.copy(), left.copy(), []
        own = np.flatnonzero(users.bidder == i)
        for j in queue.tolist():
            if condition and bid[i] < ask[j]:
                continue
            for t in own:
                offers = np.flatnonzero((providers.bidder == j) & (left > 0) & serves[t])
                if wanted[t] and offers.size:
                    amount = min(wanted[t], left[offers[0]])
                    wanted[t] -= amount
                    left[offers[0]] -= amount
                    found.append((i, j, int(amount)))
        if wanted[own].any():
            left = kept
        else:
            matches += found
    return Matches(*np.array(matches, dtype=np.int64).reshape(-1, 3).T)


def trade_prices(users: Side, providers: Side, matches: Matches, version: Version) -> tuple[Float, Float]:
    """(users,) what each pays, (providers,) what each receives; 0 for losers."""
    price = (unit_price(users)[matches.user] + unit_price(providers)[matches.provider]) / 2
    if version.decimals is not None:
        price = cut(price, version.decimals)
    if version.quantity:
        price = price * matches.amount
    payment, receipt = np.zeros(len(users.name)), np.zeros(len(providers.name))
    np.add.at(payment, matches.user, price)
    np.add.at(receipt, matches.provider, price)
    return payment, receipt
