"""What no norm gives ends too: a kernel that does not would take a device away from everybody."""

import numpy as np

from inference.device.runtime import Runtime
from inference.graph import add, new, source
from inference.model import Model
from inference.ops.group_roots import epsilon_of


def test_sums_beyond_their_terms_end(stack, device):
    graph = new("exact")
    source(graph, "squares", "input", (1, 8))
    source(graph, "scale", "input", (1, 2))
    add(graph, "y", "group_roots", ["squares", "scale"], groups=4, count=1, **epsilon_of(1e-5))
    high = [2**31 - 1, -1, 1, 1 << 30]
    given = {"squares": np.array([high + [0, -1, 0, 0]], np.int32), "scale": np.array([[2**30 - 1, 0]], np.int32)}
    [found] = Runtime(Model("case", "exact", {}, {}, {}), device(stack)).run(graph, given, ["y"])
    assert found.shape == (1, 8)
