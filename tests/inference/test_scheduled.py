"""A schedule that is no text: graphs of several shapes, links from pass to pass, the last node the result."""

import numpy as np
import pytest

from inference.arithmetic.formats import linear
from inference.arithmetic.formats import rows as row_scales
from inference.files.blocks import eight_bits
from inference.graph import add, new, source
from inference.model import Model
from inference.passes import Link, Pass
from inference.reference import Reference
from inference.scheduled import Scheduled
from inference.steps import LEAF

WIDTH, ROWS = 64, 3
GENERATOR = np.random.default_rng(5)


def product(name, outputs):
    matrix = linear(name, eight_bits(GENERATOR.standard_normal((outputs, WIDTH)).astype(np.float32)))
    rows = row_scales(name, matrix.sigma * 2.0**-3)
    return {f"{name}.q": matrix.q, f"{name}.blocks": matrix.blocks, f"{name}.rows": rows}


CONSTANTS = product("first", 16) | product("then", WIDTH) | product("last", 3)
CODES = np.array([3, 0, 7], np.int32)


def text():
    """Rows of a table: what everybody knows, as a node."""
    graph = new("exact")
    codes = source(graph, "codes", "input", (ROWS,))
    add(graph, "y", "embedding", [codes, *weights(graph, "first")])
    return graph


def step():
    """y = W x + before."""
    graph = new("exact")
    x, before = (source(graph, name, "input", (ROWS, WIDTH)) for name in ("x", "before"))
    add(graph, "y", "matmul_q8", [x, *weights(graph, "then"), before], adds=True, bits=11)
    return graph


def decoder():
    graph = new("exact")
    add(graph, "y", "matmul_q8", [source(graph, "x", "input", (ROWS, WIDTH)), *weights(graph, "last")], bits=11)
    return graph


def weights(graph, name):
    return [source(graph, key, "weight", CONSTANTS[key].shape) for key in CONSTANTS if key.startswith(name)]


@pytest.fixture(scope="module")
def picture():
    graph = step()
    passes = [
        Pass("text", text(), {"codes": CODES}, count=0),
        Pass("step0", graph, {}, {"x": Link(0, "y"), "before": Link(0, "y")}, count=0),
        Pass("step1", graph, {}, {"x": Link(1, "y"), "before": Link(0, "y")}, count=0),
        Pass("decoded", decoder(), {}, {"x": Link(2, "y")}, count=0),
    ]
    return Scheduled(Reference(Model("picture", "exact", {}, CONSTANTS, {})), passes)


def outputs_of(picture):
    words = {}

    def observe(first, outputs):
        words.update((first + at, output.copy()) for at, (_, output) in enumerate(outputs.items()))

    return picture.run(observe), words


def test_passes_take_what_their_links_name(picture):
    result, words = outputs_of(picture)
    run = Reference(picture.backend.model)

    def y(graph, **inputs):
        return run.run(graph, inputs, ["y"])[0]

    known = y(text(), codes=CODES)
    latents = y(step(), x=y(step(), x=known, before=known), before=known)
    decoded = y(decoder(), x=latents)
    assert result == decoded.ravel().tolist()
    assert (words[0] == known).all() and (words[3] == decoded).all()
    assert [node.name for node in picture.nodes] == ["text.y", "step0.y", "step1.y", "decoded.y"]


def test_every_leaf_follows_from_its_steps_and_a_pass_runs_alone(picture):
    _, words = outputs_of(picture)
    assert picture.kept == [0, 1, 2, 3]
    for index, node in enumerate(picture.nodes):
        found = picture.regenerate(index, words.__getitem__)
        assert found.keys() == {index} and (found[index] == words[index]).all()
        for row in range(node.rows):
            made = []
            for at, step in enumerate(picture.steps(index, row)):
                given = [made[each] if isinstance(each, int) else words[each[0]][each[1]] for each in step.sources]
                made.append(picture.recompute(index, row, at, given))
            assert node.words <= LEAF and (made[-1] == words[index][row]).all()


def test_a_replaced_output_is_followed_through_later_passes(picture):
    honest, words = outputs_of(picture)
    wrong = words[1] + 7
    seen = {}

    def observe(first, outputs):
        seen.update((first + at, output.copy()) for at, (_, output) in enumerate(outputs.items()))
        return (1, wrong) if first == 1 else None

    assert picture.run(observe) != honest
    assert (seen[0] == words[0]).all() and not (seen[2] == words[2]).all()
