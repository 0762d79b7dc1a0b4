"""ONNX files of diffusion models: a small network of every pattern, against ONNX's own evaluator; hostile files."""

import json
import random
from pathlib import Path

import numpy as np
import onnx
import pytest
from edited_network import edited
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from PIL import Image
from small_network import CHANNELS, SIDE, Net, network

from inference.device.runtime import Runtime
from inference.errors import InputError
from inference.files.png_file import png, read_png
from inference.generate import digest_of
from inference.graph import validate
from inference.models.terrain import FRACTION, inputs, terrain
from inference.reference import Reference


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    net, output = network()
    path = tmp_path_factory.mktemp("onnx") / "net.onnx"
    onnx.save(net.model(output), path)
    return path


def run(model, backend, difficulty=40, seed=7):
    [output] = backend.run(model.graph, inputs(model.model.arithmetic, difficulty, seed), [model.picture])
    return output[..., 0]


@pytest.fixture(scope="module")
def models(saved):
    return {arithmetic: terrain(str(saved), arithmetic) for arithmetic in ("exact", "float32")}


@pytest.fixture(scope="module")
def exact(models):
    return run(models["exact"], Reference(models["exact"].model))


def assert_as_onnx(model, path):
    """A network in float32 gives what ONNX's own evaluator makes of the file."""
    validate(model.graph)
    given = inputs("float32", 40, 7)
    noisy = model.noisy_array(given["seed"])[None, None]
    fed = {"noisy": noisy, "sigma": np.array([80], np.float32), "difficulty": given["difficulty"][0]}
    [expected] = ReferenceEvaluator(str(path)).run(None, fed)
    np.testing.assert_allclose(run(model, Reference(model.model)), expected[0, 0], atol=2e-5)


def test_float32_is_what_onnx_itself_computes(models, saved):
    assert_as_onnx(models["float32"], saved)


def test_an_edited_file_is_refused_in_a_line_or_means_what_it_means_to_onnx(tmp_path):
    net, output = network()
    good, path, lines = net.model(output), tmp_path / "edited.onnx", []
    for seed in range(150):
        onnx.save(edited(good, random.Random(seed)), path)
        try:
            model = terrain(str(path), "float32")
        except InputError as error:
            lines.append(str(error))
        else:
            assert_as_onnx(model, path)
    assert 10 <= len(lines) <= 140
    assert all(len(line.splitlines()) == 1 for line in lines)


def test_a_product_times_a_number_keeps_it_where_no_attention_takes_it(tmp_path):
    net, _ = network()
    shifted = net.conv("noisy", CHANNELS, 1, kernel=1)
    scaled = net("Mul", net.conv(shifted, 1, CHANNELS, kernel=1), net.const(np.float32(0.25)))
    added = net(
        "Add", net("Mul", scaled, net.const(np.float32(1e-3))), net("Mul", "noisy", net.const(np.float32(1e-5)))
    )
    output = net("Clip", added, net.const(np.float32(-1)), net.const(np.float32(1)))
    onnx.save(net.model(output), tmp_path / "net.onnx")
    assert_as_onnx(terrain(str(tmp_path / "net.onnx"), "float32"), tmp_path / "net.onnx")


def test_exact_is_near_float32_and_depends_on_class_and_seed(models, exact):
    expected = run(models["float32"], Reference(models["float32"].model))
    error = exact / 2.0**FRACTION - expected
    assert 10 * np.log10(4 / (error**2).mean()) > 50
    reference = Reference(models["exact"].model)
    others = [run(models["exact"], reference, 41, 7), run(models["exact"], reference, 40, 8)]
    assert all(digest_of(other) != digest_of(exact) for other in others)


def test_exact_has_the_same_bits_on_every_stack(models, exact, stack, device):
    assert digest_of(run(models["exact"], Runtime(models["exact"].model, device(stack)))) == digest_of(exact)


@pytest.mark.parametrize(
    "other, equation, axis, said",
    [
        (0, "bct,bcs->bts", -1, ""),
        (0, "bct, bcs -> bts", 2, ""),
        (1, "bct,bcs->bts", -1, "is of other heads or images"),
    ],
)
def test_queries_and_keys_of_two_images_are_no_attention(other, equation, axis, said, tmp_path, refusal):
    net, heads = Net(), np.array([2, 16, -1])
    images = [net.conv("noisy", CHANNELS, 1) for _ in range(2)]
    q, k, v = (
        net("Reshape", net.conv(images[each], CHANNELS, CHANNELS, kernel=1), net.const(heads)) for each in (0, other, 0)
    )
    scores = net("Einsum", net("Mul", q, net.const(np.float32(0.25))), k, equation=equation)
    mixed = net("Einsum", net("Softmax", scores, axis=axis), v, equation="bts,bcs->bct")
    whole = net.conv(net("Reshape", mixed, net.const(np.array([1, -1, SIDE, SIDE]))), 1, CHANNELS)
    parts = (net("Mul", each, net.const(np.float32(scale))) for each, scale in ((whole, 0.002), ("noisy", 1e-5)))
    output = net("Clip", net("Add", *parts), net.const(np.float32(-1)), net.const(np.float32(1)))
    onnx.save(net.model(output), tmp_path / "net.onnx")
    if said:
        assert said in refusal(terrain, str(tmp_path / "net.onnx"), "exact")
    else:
        assert_as_onnx(terrain(str(tmp_path / "net.onnx"), "float32"), tmp_path / "net.onnx")


def test_a_picture_is_written_and_checked(saved, cli, tmp_path, exact):
    out, raw = tmp_path / "p.png", tmp_path / "p.npy"
    on = ("--model", saved, "--backend", "numpy")
    code, printed, _ = cli("picture", *on, "--class", 40, "--seed", 7, "--out", out, "--raw", raw, "--json")
    summary = json.loads(printed)
    assert code == 0 and summary["digest"] == digest_of(exact) and summary["seconds"] > 0
    written, noise = np.load(raw), np.load(tmp_path / "p.noise.npy")
    assert (written == exact / np.float32(2.0**FRACTION)).all() and written.dtype == np.float32
    assert noise.shape == (1, 1, SIDE, SIDE) and noise.dtype == np.float32
    assert cli("check", out, *on)[0] == 0
    code, printed, _ = cli("picture", *on, "--class", 40, "--seed", 7, "--out", out)
    assert code == 0 and printed.startswith(f"{out}: {SIDE} × {SIDE} pixels, ")
    assert f"; digest {digest_of(exact)}\n" in printed
    pixels, texts = read_png(out)
    assert texts["seed"] == "7" and texts["digest"] == summary["digest"] and len(texts["model"]) == 64
    for forged in (
        png(255 - pixels, texts),
        png(pixels ^ 1, texts),
        png(pixels ^ (np.arange(SIDE**2).reshape(SIDE, SIDE) == 5), texts),
        png(pixels, texts | {"seed": "8"}),
        png(pixels, texts | {"digest": "0" * 64}),
    ):
        out.write_bytes(forged)
        assert cli("check", out, *on)[0] == 1
    for refused in (
        png(pixels, {}),
        png(pixels, texts | {"class": "flat"}),
        png(pixels, texts | {"model": "0" * 64}),
        b"GIF",
    ):
        out.write_bytes(refused)
        code, _, said = cli("check", out, *on)
        assert code == 2 and said.count("\n") == 1
    Image.fromarray(pixels).save(out)
    assert "was saved again by another program" in cli("check", out, *on)[2]
    content = bytearray(png(pixels, texts))
    content[-20] ^= 1
    out.write_bytes(content)
    assert "damaged" in cli("check", out, *on)[2]


def hostile():
    """Files of each kind that is refused, and what the line says."""
    net, output = network()
    good = net.model(output)

    def changed(change):
        model = onnx.ModelProto()
        model.CopyFrom(good)
        change(model)
        return model.SerializeToString()

    def weight(model, **fields):
        for name, value in fields.items():
            if isinstance(value, list):
                getattr(model.graph.initializer[0], name)[:] = value
            else:
                setattr(model.graph.initializer[0], name, value)

    def nan(model):
        weights = next(each for each in model.graph.initializer if len(each.dims) == 4)
        weights.raw_data = b"\xff" * len(weights.raw_data)

    def op(model, name, **fields):
        node = next(node for node in model.graph.node if node.op_type == name)
        for key, value in fields.items():
            if isinstance(value, list):
                getattr(node, key)[:] = value
            else:
                setattr(node, key, value)

    def attribute(model, of, name, value):
        node = next(node for node in model.graph.node if node.op_type == of)
        kept = [each for each in node.attribute if each.name != name]
        del node.attribute[:]
        node.attribute.extend([*kept, helper.make_attribute(name, value)])

    def times(model, of, number):
        node = next(node for node in model.graph.node if node.op_type == of)
        kept = [*node.attribute] * number
        del node.attribute[:]
        node.attribute.extend(kept)

    yield "empty", b"", "holds no graph"
    yield "letters", b"not a model at all", "is no ONNX file"
    yield "cut", good.SerializeToString()[:-7], "is no ONNX file"
    yield "large", changed(lambda m: weight(m, dims=[2**40, 2**20])), "do not fit its shape"
    yield "negative", changed(lambda m: weight(m, dims=[-1])), "do not fit its shape"
    yield "type", changed(lambda m: weight(m, data_type=TensorProto.STRING)), "of a type that is not read"
    yield "elsewhere", changed(lambda m: weight(m, data_location=TensorProto.EXTERNAL)), "lie in another file"
    yield "nan", changed(nan), "not finite"
    yield "unknown", changed(lambda m: op(m, "Softmax", op_type="LSTM")), "the op LSTM is not known"
    yield "loop", changed(lambda m: op(m, "Sigmoid", op_type="Loop")), "the op Loop is not known"
    yield "domain", changed(lambda m: op(m, "Sigmoid", domain="com.evil")), "com.evil.Sigmoid is not known"
    yield "missing", changed(lambda m: op(m, "Sigmoid", input=["nowhere"])), "nothing before it gives"
    yield "cycle", changed(lambda m: op(m, "Sigmoid", input=[output])), "nothing before it gives"
    yield "taken", changed(lambda m: op(m, "Sigmoid", output=["noisy"])), "a name that is taken"
    yield "stride", changed(lambda m: attribute(m, "Conv", "strides", [7, 7])), "is no 1 × 1 or 3 × 3 convolution"
    yield "epsilon", changed(lambda m: attribute(m, "InstanceNormalization", "epsilon", 0.0)), "an epsilon of 0.0"
    yield (
        "equation",
        changed(lambda m: attribute(m, "Einsum", "equation", "bct,bcs->bst")),
        "is no part of an attention",
    )
    yield "attribute", changed(lambda m: attribute(m, "InstanceNormalization", "epsilon", "a")), "a type that it never"
    for name in (b"sigma", b"difficulty", net.nodes[-1].output[0].encode(), b"Sigmoid"):
        damaged = good.SerializeToString().replace(name, b"\xff" + name[1:])
        yield f"letters of {name.decode()}", damaged, "is not UTF-8"
    yield "no output", changed(lambda m: op(m, "Sigmoid", output=[])), "without an output"
    yield "two inputs", changed(lambda m: op(m, "Einsum", input=["noisy"])), "(Einsum) has 1 inputs"
    yield "blank", changed(lambda m: op(m, "Add", input=["noisy", ""])), "(Add) lacks an input"
    yield "opset", changed(lambda m: setattr(m.opset_import[0], "version", 11)), "of opset 11; 13 to"
    yield "unheard of", changed(lambda m: attribute(m, "Conv", "speed", 3)), "the attribute speed of Conv is not known"
    yield "groups", changed(lambda m: attribute(m, "Conv", "group", 2)), "has group 2, which is not read"
    yield "bilinear", changed(lambda m: attribute(m, "Resize", "mode", "linear")), "has mode b'linear', which is not"
    yield "corners", changed(lambda m: attribute(m, "Resize", "nearest_mode", "ceil")), "does not double pixels"
    yield "parts", changed(lambda m: attribute(m, "Split", "num_outputs", 1)), "is no split of channels"
    yield "twice", changed(lambda m: times(m, "Softmax", 2)), "the attribute axis of Softmax is there twice"
    yield "lacking", changed(lambda m: times(m, "Einsum", 0)), "lacks the attribute equation"

    def integers(model):
        bias = next(node for node in model.graph.node if node.op_type == "Conv").input[2]
        tensor = next(each for each in model.graph.initializer if each.name == bias)
        tensor.CopyFrom(numpy_helper.from_array(np.zeros(tensor.dims[0], np.int64), bias))

    yield "integers", changed(integers), "which is not float32"
    yield "inputs", net.model(output, ("noisy", "sigma")).SerializeToString(), "noisy, sigma and difficulty"

    def wide(model):
        model.graph.input[0].type.tensor_type.shape.dim[3].dim_value = 2**19

    yield "wide", changed(wide), "no image of one channel of at most 1024 pixels"


@pytest.mark.parametrize("name, content, said", list(hostile()), ids=lambda each: each if isinstance(each, str) else "")
def test_a_hostile_file_is_refused_in_a_line(name, content, said, tmp_path, refusal):
    path = Path(tmp_path) / f"{name}.onnx"
    path.write_bytes(content)
    assert said in refusal(terrain, str(path), "exact")


def test_a_file_that_is_not_there_and_a_package_that_is_not_installed(tmp_path, refusal, monkeypatch):
    assert "cannot be read" in refusal(terrain, str(tmp_path / "none.onnx"), "exact")
    monkeypatch.setattr("inference.models.terrain.find_spec", lambda name: None)
    assert "pip install --no-deps adaptive-terrain-diffusion" in refusal(terrain, "terrain", "exact")
