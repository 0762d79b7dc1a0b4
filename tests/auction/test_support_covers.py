"""Covers that may repeat slots, support by support, beside one lattice for all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction import _support_covers, solvers
from auction.certificate import derived_bound
from auction.errors import InputError
from auction.market import READINGS, Market


@given(market=st.from_type(Market), data=st.data())
def test_repeated_providers_cost_what_their_vectors_do(market, data):
    """One vector a provider's slot, at its cost and premium: the lattice of vectors repeats them too."""
    price = np.array(data.draw(st.lists(st.integers(0, 10**8), min_size=market.providers, max_size=market.providers)))
    price = price.astype(np.int64)
    for reading in READINGS:
        bound = derived_bound(market, reading, price, None, repeat=True)
        slot = np.minimum(market.resource, market.demand.max(axis=0, initial=0))
        offered = slot[market.slots > 0]
        vectors = np.unique(np.concatenate((slot, offered)), axis=0)
        least = np.full(len(vectors), 2**60)
        paid = (market.cost + price)[market.slots > 0]
        for row, asked in zip(offered.tolist(), paid.tolist(), strict=True):
            at = vectors.tolist().index(row)
            least[at] = min(least[at], asked)
        premium = np.array([least[vectors.tolist().index(row)] for row in slot.tolist()]) - market.cost
        by_vector = derived_bound(market, reading, least, vectors)
        by_vector -= sum(int(w) * max(0, int(pi)) for w, pi in zip(market.slots, premium, strict=True) if w)
        assert bound - sum(int(w) * int(pi) for w, pi in zip(market.slots, price, strict=True)) == by_vector


@pytest.mark.parametrize("reading", READINGS)
@given(market=st.from_type(Market), data=st.data())
def test_the_bound_is_never_below_the_optimum(reading, market, data):
    price = np.array(data.draw(st.lists(st.integers(0, 10**8), min_size=market.providers, max_size=market.providers)))
    bound = derived_bound(market, reading, price.astype(np.int64), None, repeat=True)
    exact = derived_bound(market, reading, price.astype(np.int64), None)
    assert solvers.solve(market, "brute_force", reading=reading).welfare <= exact <= bound
    assert exact == bound or reading == "bundle"


@pytest.mark.parametrize(("limit", "said"), [("POINTS", "table of"), ("STEPS", "more than")])
def test_tables_beyond_memory_or_time_are_refused(monkeypatch, generate, limit, said):
    monkeypatch.setattr(_support_covers, limit, 1)
    market = generate("uniform", 5, 9, 3, 0)
    with pytest.raises(InputError, match=said):
        derived_bound(market, "bundle", np.zeros(9, dtype=np.int64), None, repeat=True)
