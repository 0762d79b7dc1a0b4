"""The whitepaper's rule: the auction's own allocation, payments equal to receipts, and what the print makes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction import instances, mechanisms
from auction.market import READINGS, Market
from auction.search import Stop
from auction.solvers import bid_density
from auction.welfare import provider_utility, user_utility

BEST = {"backfill": True, "task_order": "ratio", "provider_order": "ratio"}


@pytest.mark.parametrize("reading", READINGS)
@given(market=st.from_type(Market), printed=st.booleans(), backfill=st.booleans())
def test_payments_equal_receipts_and_the_allocation_is_the_auctions(reading, market, printed, backfill):
    options = {"printed": printed, "backfill": backfill}
    settled = mechanisms.run(market, "whitepaper", reading=reading, options=options)
    expected = bid_density.solve(market, reading, Stop(None), 0, backfill=backfill).allocation
    assert settled.budget_surplus == 0
    assert settled.allocation.task.tolist() == expected.task.tolist()
    assert settled.allocation.provider.tolist() == expected.provider.tolist()


@pytest.mark.parametrize("family", instances.names())
def test_corrected_nobody_loses_and_printed_only_users_do(generate, family):
    for seed in range(4):
        market = generate(family, 60, 120, 3, seed)
        corrected = mechanisms.run(market, "whitepaper", options=BEST)
        printed = mechanisms.run(market, "whitepaper", options=BEST | {"printed": True})
        assert corrected.budget_surplus == printed.budget_surplus == 0
        for settled in (corrected, printed):
            assert (provider_utility(market, settled.allocation, settled.receipt) >= 0).all()
        assert (user_utility(market, corrected.allocation, corrected.payment) >= 0).all()


def test_printed_a_user_can_pay_more_than_it_bids():
    market = Market(
        demand=[[3]],
        value=[13_000_000],  # bid of 12 tokens, 4 a unit
        unit_work=[0.0],
        alpha=2,
        beta=1,
        resource=[[1], [2]],
        slots=[1, 1],
        cost=[9_000_000, 1_000_000],
        ability=[[0.0], [0.0]],
    )
    printed = mechanisms.run(market, "whitepaper", options={"printed": True})
    assert printed.receipt.tolist() == [9_000_000, 4_500_000]  # an ask of 9 above 4; (1 + 8) / 2
    assert user_utility(market, printed.allocation, printed.payment).tolist() == [-1_500_000]
    corrected = mechanisms.run(market, "whitepaper")
    assert corrected.payment.tolist() == [11_000_000]
    assert corrected.receipt.tolist() == [9_333_334, 1_666_666]
