"""Where outputs lie: nothing is overwritten before it is read for the last time and copied, in windows of any size."""

from itertools import combinations, pairwise

import pytest

from inference.device import readback
from inference.device.readback import ALIGNMENT, arenas, windows
from inference.graph import schedule
from inference.models.llama import graph

LIMIT = 1 << 13


@pytest.mark.parametrize("window", [1, 600, 2000, 5000, 20_000, 1 << 27])
@pytest.mark.parametrize("tokens", [1, 7])
def test_nothing_is_overwritten_before_it_is_read_and_copied(tiny_model, monkeypatch, window, tokens):
    monkeypatch.setattr(readback, "WINDOW", window)
    built = graph(tiny_model("exact"), tokens, capacity=16)
    regions, order = arenas(built, LIMIT), schedule(built)
    made = windows(built, regions)
    of_window = {name: index for index, part in enumerate(made) for name in order[part.nodes]}
    assert list(of_window) == order
    last = {source: at for at, name in enumerate(order) for source in built.nodes[name]["inputs"]}
    assert set(regions) == set(order)
    for first, second in combinations(order, 2):
        a, b = regions[first], regions[second]
        if a.buffer == b.buffer and a.offset < b.offset + b.size and b.offset < a.offset + a.size:
            assert of_window[second] > of_window[first] and last.get(first, -1) < order.index(second)
    for name, region in regions.items():
        assert region.offset % ALIGNMENT == 0
        assert region.offset == 0 or region.offset + region.size <= LIMIT
        read = {regions[source].buffer for source in built.nodes[name]["inputs"] if source in regions}
        assert region.buffer not in read


@pytest.mark.parametrize("window", [1, 2000, 1 << 27])
def test_a_copy_holds_every_output_of_its_window_once(tiny_model, monkeypatch, window):
    monkeypatch.setattr(readback, "WINDOW", window)
    built = graph(tiny_model("exact"), 3, capacity=16)
    regions = arenas(built, LIMIT)
    for part in windows(built, regions):
        outputs = part.outputs
        spans = sorted(zip(outputs.starts.tolist(), outputs.shapes.prod(1).tolist(), strict=True))
        assert all(at + words <= following for (at, words), (following, _) in pairwise(spans))
        assert 4 * (spans[-1][0] + spans[-1][1]) <= part.size
        assert len(outputs.nodes) == part.nodes.stop - part.nodes.start
