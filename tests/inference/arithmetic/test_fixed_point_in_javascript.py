"""Fixed point in JavaScript: what Python gives and refuses, at the ends of words and shifts."""

import json
from itertools import product

import engines
import numpy as np
import pytest

from inference.arithmetic import fixed_point
from inference.arithmetic.fixed_point import BoundError

ENDS = [-(2**31) - 1, -(2**31), 1 - 2**31, -65537, -3, -1, 0, 1, 2, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**32]
WORDS = [word for word in ENDS if -(2**31) <= word < 2**31]
NAMES = {
    "i32": [ENDS],
    "u32": [ENDS],
    "bit_length": [ENDS],
    "multiply_shift": [WORDS, [-(2**15), -1, 0, 1, 32767, 2**31 - 1], [1, 10, 16, 31]],
    "round_shift": [WORDS, [-32, -31, -1, 0, 1, 2, 15, 30, 31]],
    "clipped": [WORDS, [0, 1, 16], [1, 15]],
}


def cases():
    """[function as JavaScript names it, arguments, result]."""
    for name, arguments in NAMES.items():
        first, *others = name.split("_")
        for given in product(*arguments):
            try:
                found = int(getattr(fixed_point, name)(*map(np.int64, given)))
            except BoundError:
                found = None
            yield first + "".join(map(str.capitalize, others)), given, found


@pytest.mark.parametrize("engine", ["chromium", "node"])
def test_javascript_gives_what_python_gives(engine):
    if engine not in engines.installed():
        pytest.skip(f"{engine} is not installed")
    of_python = list(cases())
    found = engines.check(engine, "tests/inference/arithmetic/fixed_point.js", json.dumps(of_python))
    assert found == {"checked": len(of_python), "failures": []}
