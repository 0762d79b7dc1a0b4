"""The checker's own search against all subsets of rows, in Python's integers."""

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from auction._few_rows import few_rows_cover
from auction._searched_cover import searched_cover


def least_price(demand, rows, price, highest):
    demand, rows, price = demand.tolist(), rows.tolist(), price.tolist()
    for size in range(len(price) + 1):
        for chosen in combinations(range(len(price)), size):
            if all(sum(rows[j][k] for j in chosen) >= q for k, q in enumerate(demand)):
                highest = min(highest, sum(price[j] for j in chosen))
    return highest


@given(st.data())
def test_it_is_the_least_price_of_all_subsets_or_not_above_it(data):
    types, count = data.draw(st.integers(1, 4)), data.draw(st.integers(0, 7))
    scale = data.draw(st.sampled_from([1, 1000, 10**15]))
    demand = data.draw(arrays(np.int64, types, elements=st.integers(1, 6))) * scale
    rows = np.minimum(data.draw(arrays(np.int64, (count, types), elements=st.integers(0, 6))) * scale, demand)
    amounts = st.sampled_from([st.integers(0, 3), st.integers(0, 60), st.integers(2**56, 2**58)])
    price = data.draw(arrays(np.int64, count, elements=data.draw(amounts)))
    highest = data.draw(st.integers(1, 100) | st.integers(2**56, 2**61) | st.just(2**62))
    least = least_price(demand, rows, price, highest)
    if (few := few_rows_cover(demand, rows, price, highest, 10**9)[0]) >= 0:
        assert few == least and 0 <= few_rows_cover(demand, rows, price, highest, 40)[0] <= least
    else:
        assert highest > 2**50
    assert searched_cover(demand, rows, price, highest, 10**9)[0] == least
    assert 0 <= searched_cover(demand, rows, price, highest, data.draw(st.integers(0, 40)))[0] <= least


def test_many_rows_as_plain_dynamic_programming_prices_them():
    rng = np.random.default_rng(1)
    for _ in range(20):
        demand, rows = rng.integers(3, 6, 3), rng.integers(0, 3, (15, 3)).repeat(2, axis=0)
        price = rng.integers(1, 40, 15).repeat(2)
        reached = {tuple(demand.tolist()): 0}
        for row, one in zip(rows.tolist(), price.tolist(), strict=True):
            for q, spent in list(reached.items()):
                rest = tuple(max(a - b, 0) for a, b in zip(q, row, strict=True))
                reached[rest] = min(reached.get(rest, 2**62), spent + one)
        least = reached.get((0, 0, 0), 2**62)
        assert searched_cover(demand, np.minimum(rows, demand), price, 2**62, 10**9)[0] == least
