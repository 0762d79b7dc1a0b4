"""Bid densities against the formula in exact arithmetic."""

from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from auction.density import descending, provider_density, task_density

FLOORS = st.sampled_from((0.01, 0.1, 0.25))


def matrices(elements, dtype=np.int64):
    shapes = st.tuples(st.integers(0, 5), st.integers(1, 3))
    return shapes.flatmap(lambda shape: arrays(dtype, shape, elements=elements))


def normalised(column, floor):
    column, floor = [Fraction(x) for x in column.tolist()], Fraction(floor)
    low, high = min(column), max(column)
    if low == high:
        return [Fraction(1, 2)] * len(column)
    return [floor + (1 - 2 * floor) * (x - low) / (high - low) for x in column]


def norms(columns):
    """The root of each row's sum of squares, 40 digits."""
    with localcontext(prec=40):
        sums = [sum(x * x for x in row) for row in zip(*columns, strict=True)]
        return [(Decimal(s.numerator) / s.denominator).sqrt() for s in sums]


def assert_rounded(densities, exact):
    for density, root in zip(densities.tolist(), exact, strict=True):
        assert density == round(density, 9)
        assert abs(Decimal(density) - root) <= Decimal("0.501e-9")


@given(matrices(st.integers(0, 5)), st.data(), FLOORS)
def test_task_density_is_the_norm_of_normalised_demand_and_value(demand, data, floor):
    value = data.draw(arrays(np.int64, demand.shape[0], elements=st.integers(0, 3) | st.integers(0, 10**9)))
    columns = [normalised(column, floor) for column in (*demand.T, value) if column.size]
    assert_rounded(task_density(demand, value, floor), norms(columns))


@given(matrices(st.integers(0, 5)), st.data(), FLOORS)
def test_provider_density_is_the_norm_of_inverse_slots_and_abilities(resource, data, floor):
    ability = data.draw(arrays(np.float64, resource.shape, elements=st.floats(0, 1, width=16)))
    inverses = [[1 / x for x in normalised(column, floor)] for column in resource.T if column.size]
    columns = inverses + [normalised(column, floor) for column in ability.T if column.size]
    assert_rounded(provider_density(resource, ability, floor), norms(columns))


def test_constant_columns_become_one_half():
    assert task_density(np.full((3, 2), 7), np.full(3, 9)).tolist() == [round(0.75**0.5, 9)] * 3
    assert provider_density(np.full((2, 1), 7), np.full((2, 1), 0.3)).tolist() == [round(4.25**0.5, 9)] * 2


@given(matrices(st.integers(0, 9)).filter(lambda rows: rows.shape[0] > 1), st.data())
def test_density_rises_with_demand_and_falls_with_slots(rows, data):
    column = data.draw(st.integers(0, rows.shape[1] - 1))
    value, ability = np.arange(rows.shape[0]), np.zeros(rows.shape)
    more = rows.copy()
    more[0, column] = min(rows[0, column] + 1, rows[:, column].max())  # the column's range stays
    if rows[0, column] == rows[:, column].min() and (rows[1:, column] > rows[0, column]).all():
        more = rows
    assert task_density(more, value)[0] >= task_density(rows, value)[0]
    assert provider_density(more, ability)[0] <= provider_density(rows, ability)[0]


def test_slots_may_be_real_numbers():
    whole, ability = np.array([[1, 4], [3, 2], [2, 2]]), np.full((3, 2), 0.5)
    assert (provider_density(whole, ability) == provider_density(whole.astype(float), ability)).all()


@pytest.mark.parametrize("keys, order", [([1.0, 3.0, 2.0, 3.0], [1, 3, 2, 0]), ([5.0, 5.0, 5.0], [0, 1, 2]), ([], [])])
def test_descending_breaks_ties_by_index(keys, order):
    assert descending(np.array(keys)).tolist() == order
