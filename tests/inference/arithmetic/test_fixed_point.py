"""The integer helpers against Python's own integers and fractions."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.arithmetic.fixed_point import (
    BoundError,
    bit_length,
    i32,
    multiply_shift,
    narrowed,
    requantise,
    round_shift,
    u32,
)

I32 = st.integers(-(2**31), 2**31 - 1)


def one(value):
    return np.array([value], np.int64)


@given(I32, st.integers(0, 2**15 - 1))
def test_multiply_shift_is_the_floor_of_the_product(a, m):
    assert multiply_shift(one(a), m, 16)[0] == a * m // 2**16


@given(st.integers(-(2**24), 2**24), st.integers(-(2**15) + 1, 2**15 - 1), st.sampled_from((10, 11, 15)))
def test_multiply_shift_takes_signed_factors(a, m, bits):
    if abs(a >> bits) * abs(m) < 2**31 and 2**bits * abs(m) < 2**31:
        assert multiply_shift(one(a), m, bits)[0] == a * m // 2**bits


@given(st.integers(-(2**30), 2**30), st.integers(1, 30))
def test_round_shift_rounds_halves_upwards(a, shift):
    assert round_shift(one(a), shift)[0] == floor(Fraction(a, 2**shift) + Fraction(1, 2))


@given(st.integers(-(2**20), 2**20), st.integers(-10, 0))
def test_a_negative_shift_multiplies(a, shift):
    assert round_shift(one(a), shift)[0] == a * 2**-shift


@given(st.integers(0, 2**32 - 1))
def test_bit_length_is_the_integer_s_own(x):
    assert bit_length(one(x))[0] == x.bit_length()


@pytest.mark.parametrize("count", [31, 40])
def test_shift_counts_that_wgsl_would_take_modulo_32_are_refused(count):
    with pytest.raises(BoundError):
        round_shift(one(1), count)


@pytest.mark.parametrize("check, beyond", [(i32, 2**31), (i32, -(2**31) - 1), (u32, 2**32), (u32, -1)])
def test_values_beyond_a_register_are_refused(check, beyond):
    with pytest.raises(BoundError):
        check(one(beyond))


@given(I32, st.integers(2**14, 2**15 - 1), st.integers(3, 30), st.integers(0, 3))
def test_requantise_is_within_a_unit_of_the_real_product(acc, mantissa, shift, exponent):
    result = requantise(np.array([[acc]]), np.array([[mantissa, shift]], np.int32), exponent)[0, 0]
    assert abs(int(result) - Fraction(acc * mantissa, 2 ** (16 + shift - exponent))) <= 1


@given(st.integers(0, 2**32 - 1), st.integers(1, 15))
def test_a_narrowed_row_is_within_half_a_unit(seed, bits):
    generator = np.random.default_rng(seed)
    z = generator.integers(-(2**30), 2**30, (3, 8)) >> generator.integers(0, 30, (3, 1))
    a, exponent = narrowed(z, bits)
    unit = 1 << exponent
    assert (np.abs(a * unit - z) <= np.where(np.abs(a) == 2**bits - 1, unit, unit // 2)).all()
    assert np.abs(a).max() < 2**bits
    assert (exponent.ravel() == [max(0, int(max(map(abs, row))).bit_length() - bits) for row in z.tolist()]).all()


@pytest.mark.parametrize("sign", [1, -1])
def test_a_row_that_would_round_to_one_bit_more_is_kept_to_its_bits(sign):
    a, exponent = narrowed(sign * np.array([[2**19 - 1, 2**18]]), 14)
    assert exponent.tolist() == [[5]] and a.tolist() == [[sign * (2**14 - 1), sign * 2**13]]


def test_without_bits_a_row_is_as_it_is():
    z = np.array([[3, -(2**30)], [0, 1]])
    a, exponent = narrowed(z, 0)
    assert (a == z).all() and not exponent.any()
