"""A resnet of SDXL's UNet at its real size, with weights at random, as a computation that can be disputed."""

import numpy as np

from inference.model import Model
from inference.models import configurations
from inference.models.diffusion import networks, parameters, structure
from inference.models.layers import Layers
from inference.passes import Pass
from inference.picture import LatentPicture

NAME = "up_blocks.0.resnets.0"


def resnet(backend, side=32):
    """``NAME`` on noise of so many pixels a side: K = 23,040 in its first convolution."""
    config = configurations.named("sdxl")["unet"]
    shapes = {name: shape for name, shape in parameters.unet(config).items() if name.startswith(NAME)}
    generator = np.random.default_rng(8)

    def load(name):
        shape = shapes[name]
        values = generator.standard_normal(shape, np.float32) / np.float32(np.sqrt(np.prod(shape[1:])))
        return values + name.endswith("norm1.weight") + name.endswith("norm2.weight")

    layers = Layers("exact", shapes, load)
    block = structure.unet(config).up[0]
    x = layers.noise("noise", (side, side, block.resnets[0][0]))
    time = layers.input("time", (1, 4 * config["block_out_channels"][0]))
    networks._UNet(layers, config).resnet(NAME, block.resnets[0], x, time)
    model = Model(NAME, "exact", {}, layers.constants, {})
    words = generator.integers(-(2**22), 2**22, (1, 1280)).astype(np.int32)
    given = {"seed": np.array([3, 0], np.int32), "time": words}
    return LatentPicture(backend(model), [Pass("resnet", layers.graph, given, count=0)], {}, model_digest="0" * 64)
