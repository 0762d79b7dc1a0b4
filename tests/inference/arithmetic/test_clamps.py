"""Clamps are counted where somebody asks, and nowhere else."""

import numpy as np

from inference.arithmetic.clamps import clamped, counted
from inference.arithmetic.scaled import moved, narrow
from inference.ops import load


def test_what_a_clamp_changes_is_counted_by_kind():
    x = np.array([-9, -4, 0, 5, 6], np.int64)
    with counted() as counts:
        assert clamped("limit", x, 5).tolist() == [-5, -4, 0, 5, 5]
        assert counts == {"norm": 0, "limit": 2, "moved": 0, "narrowed": 0}
        with counted() as inner:
            clamped("norm", x, 1)
        assert inner["norm"] == 4 and counts["norm"] == 0
    clamped("limit", x, 5)
    assert counts["limit"] == 2


def test_words_that_are_moved_right_are_not_clamped():
    words = np.array([2**30 + 5, 2**29, 3], np.int64)
    with counted() as counts:
        moved(words, 2)
        assert counts["moved"] == 0
        moved(words, np.array([1, -1, -1]))  # 2^29 is twice as large as 2^30 - 1 leaves room for, less a half
        assert counts["moved"] == 1
        narrow(np.array([2**15 - 1, 5], np.int64), 1, 14)  # rounds to 2^14
        assert counts["narrowed"] == 1


def test_a_pixel_of_more_than_32_deviations_is_clamped_by_its_norm():
    pixels = np.zeros((64, 64, 1), np.int64)
    pixels[5, 6] = 2**20
    scale = np.array([[2**20, 0]], np.int64)
    sums, squares, roots, norm = (load(f"group_{part}") for part in ("sums", "squares", "roots", "norm"))
    mean = load("group_mean").exact(sums.exact(pixels, scale, groups=1), groups=1, count=4096)
    found = roots.exact(
        squares.exact(pixels, mean, scale, groups=1), scale, groups=1, count=4096, **roots.epsilon_of(1e-5)
    )
    affine, of_affine = np.array([[32767], [0]], np.int32), np.array([[32767, -15]], np.int32)
    with counted() as counts:
        norm.exact(pixels, mean, found, affine, scale, of_affine, groups=1)
    assert counts["norm"] == 1
