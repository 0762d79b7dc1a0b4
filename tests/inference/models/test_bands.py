"""Images kept as bands of lines: the words of the whole, whatever the bands."""

from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_decoder import decoder

from inference.device.runtime import Runtime
from inference.errors import InputError
from inference.graph import WORD, schedule
from inference.model import Model
from inference.models import configurations
from inference.models.bands import BINDING, BandedLayers
from inference.models.layers import Layers
from inference.planning import picture
from inference.planning.limits import DEFAULTS
from inference.reference import Reference


@pytest.fixture(scope="module", params=["exact", "float32"])
def whole(request):
    return request.param, decoder(request.param)[1](Reference)


@pytest.mark.parametrize("binding", [26_000, 1 << 15, 60_000])
def test_bands_are_the_whole(whole, binding):
    arithmetic, expected = whole
    layers, run = decoder(arithmetic, BandedLayers, binding=binding)
    found = run(Reference)
    if arithmetic == "exact":
        assert all(np.array_equal(mine, theirs) for mine, theirs in zip(found, expected, strict=True))
    else:
        np.testing.assert_allclose(found[0], expected[0], rtol=1e-4, atol=1e-5)
    nodes = [layers.graph.nodes[name] for name in schedule(layers.graph)]
    assert max(WORD * prod(node["shape"]) for node in nodes) <= binding
    assert layers.bands and all(len(bands) > 1 for bands in layers.bands.values())


def test_bands_on_a_device(whole, stack, device):
    arithmetic, expected = whole
    found = decoder(arithmetic, BandedLayers, binding=26_000)[1](lambda model: Runtime(model, device(stack)))
    if arithmetic == "exact":
        assert all(np.array_equal(mine, theirs) for mine, theirs in zip(found, expected, strict=True))
    else:
        np.testing.assert_allclose(found[0], expected[0], rtol=1e-3, atol=1e-4)


def test_small_images_are_not_divided():
    plain, divided = decoder("exact")[0], decoder("exact", BandedLayers)[0]
    assert dict(plain.graph.nodes) == dict(divided.graph.nodes) and not divided.bands


@pytest.mark.parametrize("name", ["sdxl", "sd15"])
def test_decoders_at_real_sizes_are_within_what_every_browser_binds(name):
    made = picture.decoder_stage(configurations.named(name)["vae"], 128)
    assert not made.beyond(DEFAULTS)
    assert max(WORD * prod(node["shape"]) for node in made.graph.nodes.values()) == BINDING
    assert made.graph.nodes["decoder.conv_out"]["shape"] == (1024, 1024, 3)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 19), st.integers(2, 9), st.integers(1, 6), st.integers(4, 12), st.integers(0, 2**16))
def test_bands_of_any_size_are_the_whole(height, width, channels, lines, seed):
    """An image doubled, a residual of a convolution and a norm, whatever the binding: odd heights among them."""
    parameters = {"c.weight": (2 * channels, channels, 3, 3), "d.weight": (channels, 2 * channels, 1, 1)}
    parameters |= {"n.weight": (channels,), "n.bias": (channels,)}
    words = np.random.default_rng(seed).integers(-(2**24), 2**24, (height, width, channels)).astype(np.int32)

    def made(kind, **options):
        generator = np.random.default_rng(seed)
        layers = kind("exact", parameters, lambda name: generator.standard_normal(parameters[name]), **options)
        x = layers.resize("r", layers.activation("a", layers.input("x", words.shape)))
        y = layers.conv("d", layers.conv("c", layers.group_norm("n", x, "n", groups=1, epsilon=1e-5), "c"), "d")
        y = layers.combine("y", [(1, x), (1, y)])
        backend = Reference(Model("case", "exact", {}, layers.constants, {}))
        bands = getattr(layers, "bands", {}).get(y.node)
        wanted = [band.node for band in bands] if bands else [y.node]
        found = backend.run(layers.graph, {"x": words}, wanted)
        assert not bands or [len(each) for each in found] == [band.end - band.begin for band in bands]
        return np.concatenate(found)

    binding = WORD * max(4 * lines * width * channels, 4 * height)  # sums of lines are not divided
    assert np.array_equal(made(Layers), made(BandedLayers, binding=binding))


def test_what_cannot_be_divided_is_refused_in_a_line():
    layers = BandedLayers("exact", {}, binding=1 << 12)
    x = layers.noise("noise", (4, 8, 4))
    tall = layers.resize("tall", layers.resize("twice", layers.resize("larger", x)))
    with pytest.raises(InputError, match=r"an image of 32 lines is too large for average_pool"):
        layers.average_pool("pooled", tall)
    with pytest.raises(InputError, match=r"lines of 512 words are too long for 4096 bytes"):
        layers.resize("taller", tall)
