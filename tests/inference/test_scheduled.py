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


CONSTANTS = product("first", WIDTH) | product("then", WIDTH) | product("last", 3)


def built(name, *, residual=False):
    """y = W x (+ x's own pass's input ``before``)."""
    graph = new("exact")
    x = source(graph, "x", "input", (ROWS, WIDTH))
    weights = [source(graph, key, "weight", CONSTANTS[key].shape) for key in CONSTANTS if key.startswith(name)]
    before = [source(graph, "before", "input", (ROWS, WIDTH))] if residual else []
    add(graph, "y", "matmul_q8", [x, *weights, *before], adds=residual)
    return graph


class Picture(Scheduled):
    digests = {"model": "", "graph": "", "input": ""}
    terms = {}


@pytest.fixture(scope="module")
def picture():
    x = GENERATOR.integers(-1000, 1000, (ROWS, WIDTH)).astype(np.int32)
    then = built("then", residual=True)
    passes = [
        Pass("text", built("first"), {"x": x}, count=0),
        Pass("step0", then, {"before": x}, {"x": Link(0, "y")}, count=0),
        Pass("step1", then, {}, {"x": Link(1, "y"), "before": Link(0, "y")}, count=0),
        Pass("decoded", built("last"), {}, {"x": Link(2, "y")}, count=0),
    ]
    return Picture(Reference(Model("picture", "exact", {}, CONSTANTS, {})), passes), x


def outputs_of(computation):
    words = {}

    def observe(first, outputs):
        words.update((first + at, output.copy()) for at, (_, output) in enumerate(outputs.items()))

    return computation.run(observe), words


def test_passes_take_what_their_links_name(picture):
    computation, x = picture
    result, words = outputs_of(computation)
    run = Reference(computation.backend.model)

    def y(graph, **inputs):
        return run.run(graph, inputs, ["y"])[0]

    text = y(built("first"), x=x)
    step = y(built("then", residual=True), x=text, before=x)
    latents = y(built("then", residual=True), x=step, before=text)
    decoded = y(built("last"), x=latents)
    assert result == decoded.ravel().tolist()
    assert (words[0] == text).all() and (words[3] == decoded).all()
    assert [node.name for node in computation.nodes] == ["text.y", "step0.y", "step1.y", "decoded.y"]


def test_every_leaf_follows_from_its_steps_and_a_pass_runs_alone(picture):
    computation, _ = picture
    _, words = outputs_of(computation)
    assert computation.kept == [0, 1, 2, 3]
    for index, node in enumerate(computation.nodes):
        found = computation.regenerate(index, words.__getitem__)
        assert found.keys() == {index} and (found[index] == words[index]).all()
        for row in range(node.rows):
            made = []
            for at, step in enumerate(computation.steps(index, row)):
                given = [made[each] if isinstance(each, int) else words[each[0]][each[1]] for each in step.sources]
                made.append(computation.recompute(index, row, at, given))
            assert node.words <= LEAF and (made[-1] == words[index][row]).all()


def test_a_replaced_output_is_followed_through_later_passes(picture):
    computation, _ = picture
    honest, words = outputs_of(computation)
    wrong = words[1] + 7
    seen = {}

    def observe(first, outputs):
        seen.update((first + at, output.copy()) for at, (_, output) in enumerate(outputs.items()))
        return (1, wrong) if first == 1 else None

    assert computation.run(observe) != honest
    assert (seen[0] == words[0]).all() and not (seen[2] == words[2]).all()
