"""A chain of products is the same function on every side; a side that computes another is refused."""

import numpy as np
import pytest

from inference.measure import products
from inference.reference import Reference

SMALL = {"width": 64, "hidden": 96, "pairs": 2}


def plain(chain):
    y = chain.x.astype(np.float64)
    for matrix in chain.matrices:
        y = y @ matrix.matrix().T
    return y


@pytest.mark.parametrize("rows", [1, 9, 40])
@pytest.mark.parametrize("arithmetic", ["exact", "float32"])
def test_our_kernels_compute_the_chain(device, stack, arithmetic, rows):
    chain = products.chain(rows, **SMALL)
    output = products.ours(chain, arithmetic, device(stack))()
    expected = plain(chain)
    assert np.linalg.norm(output - expected) < 0.01 * np.linalg.norm(expected)
    model, graph, x, scale = products.graph(chain, arithmetic)
    if arithmetic == "exact":
        assert (output == Reference(model).run(graph, {"x": x}, ["y3"])[0] / np.float32(scale)).all()


def test_blocks_are_symmetric_and_operations_are_counted():
    chain = products.chain(3, **SMALL)
    assert chain.operations == 3 * 2 * 2 * 64 * 96
    for matrix in chain.matrices:
        assert (matrix.m == -8 * matrix.d).all() and matrix.q.min() >= 1 and matrix.q.max() == 15
        assert np.allclose(matrix.matrix(), matrix.d.repeat(32, 1) * (matrix.q.astype(int) - 8), atol=1e-6)


def test_rates_are_of_medians():
    chain = products.chain(2, **SMALL)
    rows = products.measured({"one": lambda: plain(chain), "two": lambda: plain(chain)}, chain.operations, 3)
    assert [row["side"] for row in rows] == ["one", "two"]
    for row in rows:
        operations = row["gmac_per_second"] * 1e9 * row["milliseconds"] / 1e3
        assert operations == pytest.approx(chain.operations, rel=0.01)


def test_another_function_is_no_peer(refusal):
    sides = {"one": lambda: np.ones((2, 2)), "two": lambda: np.full((2, 2), 1.1)}
    assert refusal(products.measured, sides, 1, 1) == "two computes something else than one: outputs differ by 10.0%"
