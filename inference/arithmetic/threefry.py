"""Threefry2x32 with 20 rounds (Salmon et al., 2011): random words as a function of seed and counter."""

import numpy as np
import numpy.typing as npt

MASK = 2**32 - 1
ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA


def threefry(seed: int, counter: int) -> tuple[int, int]:
    """Two 32-bit words; seed and counter below 2^64, their low words first."""
    low, high = counter & MASK, counter >> 32
    [first], [second] = rounds(seed, np.array([low]), np.array([high]))
    return int(first), int(second)


def rounds(
    seed: int, low: npt.NDArray[np.int64], high: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The two words of each of many counters, given as their words."""
    keys = [seed & MASK, seed >> 32 & MASK]
    keys.append(keys[0] ^ keys[1] ^ PARITY)
    low, high = (low + keys[0]) & MASK, (high + keys[1]) & MASK
    for group in range(5):
        for rotation in ROTATIONS[group % 2]:
            low = (low + high) & MASK
            high = ((high << rotation | high >> (32 - rotation)) & MASK) ^ low
        low = (low + keys[(group + 1) % 3]) & MASK
        high = (high + keys[(group + 2) % 3] + group + 1) & MASK
    return low, high
