"""Pictures are compared with numpy's number by number, in each arithmetic apart."""

import numpy as np
import pandas as pd
import pytest

from experiments.claims import pictures_are_deterministic as claim

STACKS = ("wgpu on one", "dawn on another")


def results(floats=0.0, integers=0.0, stacks=STACKS):
    """Pictures of 2 x 2 pixels of two seeds; the last stack's first number is off by so much at seed 1."""
    frames = []
    for arithmetic, off in (("float32", floats), ("exact", integers)):
        for where in (claim.NUMPY, *stacks):
            for seed in (0, 1):
                values = np.linspace(-1, 1, 12)
                values[0] += off * (where == stacks[-1] and seed == 1)
                frames.append(
                    pd.DataFrame(
                        {"arithmetic": arithmetic, "where": where, "seed": seed, "at": range(12), "value": values}
                    )
                )
    return {"pixels": pd.concat(frames, ignore_index=True)}


@pytest.mark.parametrize(
    ("floats", "integers", "verdict"),
    [(0, 0, "upheld"), (3e-6, 0, "qualified"), (0, 2**-24, "refuted"), (3e-6, 2**-24, "refuted")],
)
def test_each_arithmetic_counts_pictures_that_differ(floats, integers, verdict):
    found = claim.check(results(floats, integers))
    assert found.verdict == verdict
    assert found.figure == (
        f"{int(floats > 0)} of 4 pictures differ from numpy's in float32, {int(integers > 0)} in integers"
    )
    assert f"by at most {floats:.1g} on" in found.explanation
    assert f"on {2 - (integers > 0)} of 2 stacks" in found.explanation


def test_one_stack_decides_nothing():
    assert claim.check(results(3e-6, stacks=STACKS[:1])).verdict == "undecided"


def test_a_difference_is_shown_as_many_times_as_makes_it_seen():
    [caption] = claim.figures(results(3e-6) | {})
    assert caption.endswith("1 times"), "the first seed is shown, where nothing differs"
    pixels = results(3e-6)["pixels"]
    [caption] = claim.figures({"pixels": pixels[pixels["seed"] == 1]})
    assert caption.endswith("100,000 times")


def test_pictures_differ_in_float32_alone(tiny):
    table = claim.tables(tiny("pictures_are_deterministic"))
    [found] = table.values()
    by = found.groupby("arithmetic")["most"].max()
    assert by["exact"] == 0 and by["float32"] < 1e-4
