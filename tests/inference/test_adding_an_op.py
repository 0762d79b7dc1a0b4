"""Adding an op is one ``.py`` and its ``.wgsl``: everything else reads what it needs off them."""

import shutil
import sys
from importlib.resources import files

import numpy as np
import pytest

from inference import kernels, ops
from inference.arithmetic.tolerance import within
from inference.commands.drawing import draw
from inference.device.program import program
from inference.device.runtime import Runtime
from inference.device.target import Target
from inference.graph import add, cost, described, new, source
from inference.kernels import kernel, variants
from inference.reference import Reference

ARITHMETICS = ("exact", "float32")

OP = '''
"""y = x + bias, packed four to a word."""

import numpy as np

from inference.files.blocks import pack_plain
from inference.ops import require

PACK = {"table": pack_plain}
BITS = {"table": 8}
COLOUR = "#123456"


def shape(x, table, *, bias):
    require(x == table, f"a table of {table} does not fit {x}")
    return x


def exact(x, table, *, bias):
    return x + table + bias


float32 = exact


def enclosure(x, table, *, bias):
    return x.astype(np.float64) + table + bias, np.full(x.shape, 1e-3)


def fused(*, bias):
    return [], [f"bias {bias}"]


def work(x, table, **_):
    return x[0]


def dimensions(x, table, **_):
    return {"count": x[0]}


def workgroups(output, *, lanes, **_):
    return (-(-output[0] // lanes), 1, 1)


def draw(generator, arithmetic, a, b, c):
    kind = np.int32 if arithmetic == "exact" else np.float32
    x, table = generator.integers(-100, 100, (2, 50 * a + b)).astype(kind)
    return {"x": x}, {"table": table}, {"bias": c}
'''

PART = """
fn with_bias(x: KIND, bias: KIND) -> KIND { return x + bias; }
"""

KERNEL = """// requires: bias
// y = x + table + bias, one invocation a value.
struct Params {
    count: u32,
    bias: KIND,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<KIND>;
@group(0) @binding(2) var<storage, read> table: array<KIND>;
@group(0) @binding(3) var<storage, read_write> output: array<KIND>;
override lanes: u32 = 64u;

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < params.count) { output[id.x] = with_bias(x[id.x] + table[id.x], params.bias); }
}
"""


@pytest.fixture
def added(tmp_path, monkeypatch):
    """The op 'shifted', and the folder of its kernels."""
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops/shifted.py").write_text(OP)
    folder = tmp_path / "kernels"
    shutil.copytree(str(files("inference.kernels")), folder)
    for arithmetic, kind in zip(ARITHMETICS, ("i32", "f32"), strict=True):
        (folder / arithmetic / "_bias.wgsl").write_text(PART.replace("KIND", kind))
        (folder / arithmetic / "shifted.wgsl").write_text(KERNEL.replace("KIND", kind))
    monkeypatch.setattr(ops, "__path__", [*ops.__path__, str(tmp_path / "ops")])
    monkeypatch.setattr(kernels, "files", lambda _: folder)
    kernel.cache_clear()
    yield folder
    kernel.cache_clear()
    sys.modules.pop("inference.ops.shifted", None)


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_an_op_is_two_files(added, arithmetic, stack, device, single):
    assert "shifted" in ops.names()
    model, built, inputs = single("shifted", arithmetic, 1, 2, 3, 4)
    [expected] = Reference(model).run(built, inputs, ["y"])
    [found] = Runtime(model, device(stack)).run(built, inputs, ["y"])
    np.testing.assert_array_equal(found, expected)
    assert cost(built)["y"].operations == 103 and cost(built)["y"].bytes == 103 * (4 + 4 + 1)
    assert described(built.nodes["y"]) == "shifted + bias 4" and "#123456" in draw(built)
    if arithmetic == "float32":
        operands = [inputs["x"], model.constants["table"]]
        assert within("shifted", found, *operands, bias=4) and not within("shifted", found + 1, *operands, bias=4)
    device(stack).pipelines.pop((arithmetic, "shifted", "", "main", 64))


def test_an_attribute_that_is_misspelt_is_refused(added, refusal):
    built = new("exact")
    source(built, "x", "input", (4,))
    source(built, "table", "weight", (4,))
    message = refusal(add, built, "y", "shifted", ["x", "table"], biass=1)
    assert message == "node 'y' (shifted): there is no attribute 'biass'; there are bias"


@pytest.mark.parametrize(
    "wrong, said",
    [
        ("biass: i32", "exact/shifted.wgsl: nothing fills the field 'biass'; there are count, bias"),
        ("bias: vec2<i32>", "exact/shifted.wgsl: the field 'bias' is vec2<i32>, not i32, u32, f32"),
    ],
)
def test_a_field_that_is_misspelt_is_refused(added, single, refusal, wrong, said):
    file = added / "exact/shifted.wgsl"
    file.write_text(file.read_text().replace("bias: i32", wrong))
    _, built, _ = single("shifted", "exact", 1, 2, 3, 4)
    assert refusal(program, built, Target(64)) == said


def test_a_part_that_is_not_there_is_refused(added, refusal):
    (added / "exact/_bias.wgsl").unlink()
    assert refusal(kernel, "exact", "shifted") == "exact/shifted.wgsl requires exact/_bias.wgsl, which is not there"


@pytest.mark.parametrize("op", ops.names())
def test_every_field_of_every_kernel_is_filled(op, single):
    for arithmetic in (each for each in ARITHMETICS if hasattr(ops.load(op), each)):
        _, built, _ = single(op, arithmetic, 1, 2, 3, 4)
        node = built.nodes["y"]
        shapes = [built.nodes[name]["shape"] for name in node["inputs"]]
        values = ops.load(op).dimensions(*shapes, **node["attributes"])
        values |= ops.attributes(op, arithmetic, node["attributes"])
        if hasattr(ops.load(op), "pieces"):
            values |= ops.load(op).pieces(*shapes, **node["attributes"])[0]
        for variant in ("", *variants(arithmetic, op)):
            assert len(kernel(arithmetic, op, variant).parameters(values)) % 16 == 0
