"""Arrays and numbers of known shape and range."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction.arrays import amounts, frozen, integer, reals, within

ANY = (None,)
MIXED = st.integers(-(2**70), 2**70) | st.floats() | st.none() | st.text(max_size=2)


@given(st.lists(MIXED, min_size=1, max_size=4))
def test_amounts_are_taken_exactly_or_refused_with_one_line(refusal, entries):
    """Never altered: what comes back equals what went in, in Python's exact comparison."""
    exact = all(not isinstance(x, str | None) and 0 <= x <= 2**63 - 1 and x == int(x) for x in entries)
    if exact and all(isinstance(x, int) for x in entries):
        assert amounts("value", entries, ANY).tolist() == entries
    elif not exact:
        assert refusal(amounts, "value", entries, ANY).startswith("value")


@given(st.lists(st.floats(0, 1), max_size=4))
def test_reals_are_taken_as_they_are(entries):
    array = reals("ability", entries, ANY, upper=1.0)
    assert array.dtype == np.float64 and array.tolist() == entries and not array.flags.writeable
    assert not np.signbit(array).any()


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64, np.float16, np.float64, ">i4", ">f8"])
def test_any_numeric_dtype(dtype):
    array = amounts("slots", np.array([[0, 1], [2, 100]], dtype=dtype), (None, 2))
    assert array.dtype == np.dtype("=i8") and array.tolist() == [[0, 1], [2, 100]]
    assert array.flags.c_contiguous and not array.flags.writeable


def test_arrays_are_copied():
    source = np.arange(6).reshape(2, 3)
    taken = amounts("demand", source.T, (3, 2))
    source[:] = 9
    assert taken.tolist() == [[0, 3], [1, 4], [2, 5]]


@pytest.mark.parametrize(
    "array, place",
    [
        (np.array([0, 2**63], dtype=np.uint64), "value[1]"),
        (np.array([0.0, 2.0**53 + 2]), "value[1]"),
        ([float(2**53 - 1), float(2**53 + 1)], "value[1]"),  # the last was rounded
        (np.array([1.0, np.nan]), "value[1]"),
        (np.array([3, -1, -2]), "value[1]"),
        (np.array(["1"]), "value"),
        (np.array([True]), "value"),
        (np.array(["2026-01-01"], dtype="M8[D]"), "value"),
        (np.array([1j]), "value"),
    ],
    ids=str,
)
def test_arrays_that_are_no_amounts(refusal, array, place):
    assert refusal(amounts, "value", array, ANY).startswith(f"{place}: ")


@pytest.mark.parametrize("shape, have", [((2, 3), (3, 2)), ((2,), (2, 1)), ((None, 2), (4,)), ((0, 2), (2, 2))])
def test_shapes(refusal, shape, have):
    assert f"has shape {have}; " in refusal(amounts, "demand", np.ones(have), shape)


@pytest.mark.parametrize("empty", [[], np.empty((0, 3)), np.empty((0, 0)), ()])
def test_no_rows_have_any_width(empty):
    assert amounts("demand", empty, (0, 3)).shape == (0, 3)


@pytest.mark.parametrize("value", [3, 3.0, np.int32(3), np.float64(3), np.array(3), np.uint64(3)], ids=repr)
def test_integers_of_any_type(value):
    assert integer("beta", value, 1) == 3 and type(integer("beta", value, 1)) is int


@pytest.mark.parametrize("value", [0, True, np.True_, "3", None, 3.5, float("nan"), 2.0**53, 2**63, [3], 3j], ids=repr)
def test_what_is_no_integer(refusal, value):
    assert refusal(integer, "beta", value, 1).endswith("is not allowed; an integer from 1 to 9223372036854775807")


def test_totals_stay_below_the_limit(refusal):
    within("cost", "the sum", 99.0, 100)
    for total in (100.0, np.inf, np.nan):
        assert refusal(within, "cost", "the sum", total, 100).startswith("cost: the sum is ")


def test_frozen():
    array = np.zeros(2)
    assert frozen(array) is array and not array.flags.writeable


def test_matrices_are_arrays_and_masks_are_refused(refusal):
    with pytest.warns(PendingDeprecationWarning):
        matrix = np.matrix([[1, 2], [3, 4]])
    assert type(amounts("demand", matrix, (2, 2))) is np.ndarray
    whole = np.ma.masked_array([1, 2], mask=[False, False])
    assert type(amounts("value", whole, ANY)) is np.ndarray
    assert refusal(amounts, "value", np.ma.masked_array([1, 2], mask=[False, True]), ANY).startswith(
        "value: has masked"
    )
    assert refusal(reals, "ability", np.ma.masked_all((2, 2)), (2, 2)).startswith("ability: has masked entries")


def test_integers_above_the_limit(refusal):
    assert integer("seed", np.int64(3), 0, 3) == 3
    assert refusal(integer, "seed", 4, 0, 3) == "seed: 4 is not allowed; an integer from 0 to 3"
