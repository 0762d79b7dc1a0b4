"""Tables: near the functions they stand for, and the same bytes on every machine."""

from hashlib import sha256

import numpy as np
import pytest

from inference.arithmetic import tables


def test_the_exponential_is_rounded_to_the_nearest():
    expected = 2.0 ** (18 - np.arange(256) / 256)
    assert np.abs(tables.exponential() - expected).max() <= 0.5 + 1e-6
    assert tables.exponential()[0] == 2**18


def test_the_silu_curve_is_rounded_to_the_nearest():
    t = np.arange(257) / 16
    assert np.abs(tables.silu_curve() - 2**16 * t / (1 + np.exp(t))).max() <= 0.5 + 1e-6
    assert np.abs(np.diff(tables.silu_curve())).max() < 2**13  # what ops/silu_gate.py rests on


@pytest.mark.parametrize("theta", [1e4, 1e5, 5e5])
def test_rotations_are_rounded_to_the_nearest(theta):
    table = tables.rotations(300, 64, theta)
    angle = np.outer(np.arange(300), theta ** (-2 * np.arange(32) / 64))
    expected = 2**14 * np.stack((np.cos(angle), np.sin(angle)), axis=2)
    assert np.abs(table - expected).max() <= 0.5 + 1e-6


def test_an_entry_that_float64_cannot_round_is_refused(refusal):
    factor = 1 / np.arccos(1000.5 / 2**14)
    assert "too near a half" in refusal(tables.rotations, 2, 4, 1e4, (factor, 1.0))
    assert tables.rotations(2, 4, 1e4, (1.001 * factor, 1.0)).shape == (2, 2, 2)


def test_factors_divide_the_angles():
    doubled = tables.rotations(40, 8, 1e4, (2.0,) * 4)
    np.testing.assert_array_equal(doubled[::2], tables.rotations(20, 8, 1e4))


@pytest.mark.parametrize(
    "table, digest",
    [
        (tables.exponential(), "b4d1fa0ee3a449bb"),
        (tables.silu_curve(), "0cd1c387f0dd4f3a"),
        (tables.rotations(8192, 64, 1e5), "a52167f3615eb1d8"),
    ],
    ids=["exponential", "silu_curve", "rotations"],
)
def test_tables_are_artefacts_with_a_digest(table, digest):
    assert sha256(table.astype("<i4").tobytes()).hexdigest()[:16] == digest


@pytest.mark.parametrize("theta", [1e-9, 10.0, 5e5])
def test_angles_are_whole_numbers_of_small_parts_of_a_turn_rounded_once(theta):
    """As Python's integers give them, up to the longest context."""
    angles = tables.angles(2**17, 8, theta, (0.001, 1.0, 3.0, 32.0))
    units = np.round(angles[1] / (2 * np.pi) * 2.0**80)
    for position in (0, 1, 2, 77_777, 2**17 - 1):
        turns = np.array([position * int(unit) % 2**80 / 2**80 for unit in units])
        apart = np.abs(angles[position] / (2 * np.pi) - turns)
        assert np.minimum(apart, 1 - apart).max() < 2**-52 * (1 + position)
