"""CDARA's matching on its published scenario: by hand on two users, never beyond what is offered, and what is printed.

The printed winners and prices are the reference: they come out where the condition on unit prices is left away.
"""

import numpy as np
import pytest

from experiments.claims.densities_follow_earlier_work.scenario import (
    AS_CODED,
    AS_PRINTED,
    AS_STATED,
    cut,
    densities,
    match,
    trade_prices,
    unit_price,
)
from experiments.claims.densities_follow_earlier_work.workbook import Side, load

VERSIONS = (AS_STATED, AS_CODED, AS_PRINTED)


def side(*bidders) -> Side:
    """Bidders as lists of (amount, CPU, memory, rate); storage and bandwidth are 1."""
    types = [(n, *machine) for n, machines in enumerate(bidders) for machine in machines]
    bidder, amount, cpu, memory, rate = map(np.array, zip(*types, strict=True))
    return Side(
        name=tuple(map(str, range(len(bidders)))),
        priority=np.ones(len(bidders)),
        printed_density=("0",) * len(bidders),
        printed_price=np.full((2, len(bidders)), np.nan),
        bidder=bidder,
        amount=amount,
        machine=np.column_stack([cpu, memory, np.ones_like(cpu), np.ones_like(cpu)]),
        rate=rate.astype(float),
    )


def test_two_users_and_two_providers_by_hand():
    # Unit bids 3 and 2, densities 6 / sqrt(2) and 4 / sqrt(4); unit asks 1 and 2.5, densities 2 / sqrt(2), 5 / sqrt(6).
    users = side([(2, 1, 1, 3)], [(2, 2, 1, 4)])
    providers = side([(2, 1, 1, 1)], [(2, 3, 2, 7.5)])
    assert densities(users).tolist() == pytest.approx([6 / 2**0.5, 2.0])
    assert densities(providers).tolist() == pytest.approx([2 / 2**0.5, 5 / 6**0.5])
    # User 0 takes both small machines; user 1's do not fit there, and its unit bid of 2 is below the ask of 2.5.
    strict, loose = (match(users, providers, 1, condition) for condition in (True, False))
    assert [column.tolist() for column in strict] == [[0], [0], [2]]
    assert [column.tolist() for column in loose] == [[0, 1], [0, 1], [2, 2]]
    assert [p.tolist() for p in trade_prices(users, providers, strict, AS_STATED)] == [[4.0, 0.0], [4.0, 0.0]]
    assert [p.tolist() for p in trade_prices(users, providers, strict, AS_CODED)] == [[2.0, 0.0], [2.0, 0.0]]
    assert trade_prices(users, providers, loose, AS_PRINTED)[0].tolist() == [4.0, 4.5]
    # With a priority of 10 user 1 comes first, and still gets nothing; what it took would be returned.
    assert match(users, providers, np.array([1.0, 10.0]), True).user.tolist() == [0]


def test_machines_of_a_user_that_is_not_served_in_full_are_returned():
    users, providers = side([(3, 1, 1, 9)], [(2, 1, 1, 3)]), side([(2, 1, 1, 1)])
    assert [column.tolist() for column in match(users, providers, 1, True)] == [[1], [0], [2]]


@pytest.mark.parametrize("priority", ["none", "time"])
@pytest.mark.parametrize("version", VERSIONS)
def test_winners_are_served_in_full_from_what_is_offered_and_payments_are_receipts(version, priority):
    users, providers = load(None)
    found = match(users, providers, 1 if priority == "none" else users.priority, version.condition)
    served = np.bincount(found.user, found.amount, len(users.name))
    assert set(np.unique(np.where(served == users.machines, 1, served))) <= {0, 1}
    assert (np.bincount(found.provider, found.amount, len(providers.name)) <= providers.machines).all()
    if version.condition:
        assert (unit_price(users)[found.user] >= unit_price(providers)[found.provider]).all()
    payment, receipt = trade_prices(users, providers, found, version)
    assert payment.sum() == pytest.approx(receipt.sum(), rel=1e-12) and payment.sum() > 0
    if version is AS_STATED:
        assert (payment <= users.price).all()


def test_every_printed_density_comes_out_to_the_printed_digit():
    for bidders in load(None):
        for printed, computed in zip(bidders.printed_density, densities(bidders), strict=True):
            assert float(cut(computed, len(printed.partition(".")[2]))) == pytest.approx(float(printed), abs=1e-12)


@pytest.mark.parametrize("run, served, equal", [(0, 8, (10, 5)), (1, 4, (3, 1))])
def test_printed_winners_and_prices_come_out_only_without_the_condition(run, served, equal):
    sides = load(None)
    priority = sides[0].priority if run else 1
    won = ~np.isnan(sides[0].printed_price[run])
    for version in VERSIONS:
        prices = trade_prices(*sides, match(*sides, priority, version.condition), version)
        same = [
            int(np.isclose(side.printed_price[run], computed, atol=1e-6, rtol=0).sum())
            for side, computed in zip(sides, prices, strict=True)
        ]
        if version.condition:
            assert (won & (prices[0] > 0)).sum() == served and same == [0, 0]
        else:
            assert ((prices[0] > 0) == won).all() and same == list(equal)


def test_printed_payments_are_not_printed_receipts_and_some_users_pay_more_than_they_bid():
    users, providers = load(None)
    losing = [["B4"], ["B2", "B4", "B11"]]
    for run in (0, 1):
        paid, received = users.printed_price[run], providers.printed_price[run]
        assert [name for name, p, bid in zip(users.name, paid, users.price, strict=True) if p > bid] == losing[run]
        # All are cut to four decimals, so that sums are off by less than a ten-thousandth a bidder.
        assert abs(np.nansum(paid) - received.sum()) > 1e-4 * max(np.isfinite(paid).sum(), len(received))
