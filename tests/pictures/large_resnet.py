"""Resnets of SDXL at their real sizes, with weights at random, as computations that can be disputed."""

import numpy as np

from inference.model import Model
from inference.models import configurations
from inference.models.bands import BandedLayers
from inference.models.diffusion import networks, parameters, structure
from inference.models.layers import Layers
from inference.passes import Pass
from inference.picture import LatentPicture

NAME = "up_blocks.0.resnets.0"
LAST = "decoder.up_blocks.3.resnets.2"
"""Of the autoencoder's decoder."""


def drawn(shapes, generator):
    """Reads parameters that are Gaussian, a layer's deviation kept, gains about 1."""

    def load(name):
        shape = shapes[name]
        values = generator.standard_normal(shape, np.float32) / np.float32(np.sqrt(np.prod(shape[1:])))
        return values + name.endswith("norm1.weight") + name.endswith("norm2.weight")

    return load


def last_resnet(backend, side=1024):
    """``LAST`` on an image of so many pixels a side, in bands: noise of an eighth, each pixel of it 8 × 8."""
    config = configurations.named("sdxl")["vae"]
    shapes = {name: shape for name, shape in parameters.decoder(config).items() if name.startswith(LAST)}
    layers = BandedLayers("exact", shapes, drawn(shapes, np.random.default_rng(9)))
    channels = structure.decoder(config)[1][3].resnets[2]
    x = layers.noise("noise", (side // 8, side // 8, channels[0]))
    for name in ("twice", "fourfold", "eightfold"):
        x = layers.resize(name, x)
    networks._UNet(layers, {**config, "norm_eps": networks.AUTOENCODER_EPSILON}).resnet(LAST, channels, x, None)
    given = {"seed": np.array([3, 0], np.int32)}
    model = Model(LAST, "exact", {}, layers.constants, {})
    return LatentPicture(backend(model), [Pass("resnet", layers.graph, given, count=0)], {}, model_digest="0" * 64)


def resnet(backend, side=32):
    """``NAME`` on noise of so many pixels a side: K = 23,040 in its first convolution."""
    config = configurations.named("sdxl")["unet"]
    shapes = {name: shape for name, shape in parameters.unet(config).items() if name.startswith(NAME)}
    generator = np.random.default_rng(8)
    layers = Layers("exact", shapes, drawn(shapes, generator))
    block = structure.unet(config).up[0]
    x = layers.noise("noise", (side, side, block.resnets[0][0]))
    time = layers.input("time", (1, 4 * config["block_out_channels"][0]))
    networks._UNet(layers, config).resnet(NAME, block.resnets[0], x, time)
    model = Model(NAME, "exact", {}, layers.constants, {})
    words = generator.integers(-(2**22), 2**22, (1, 1280)).astype(np.int32)
    given = {"seed": np.array([3, 0], np.int32), "time": words}
    return LatentPicture(backend(model), [Pass("resnet", layers.graph, given, count=0)], {}, model_digest="0" * 64)
