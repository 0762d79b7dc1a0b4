"""A reduced decoder of random latents, its images whole or in bands."""

import numpy as np

from inference.model import Model
from inference.models.diffusion import networks, parameters, reduced
from inference.models.layers import Layers
from inference.passes import Pass
from inference.picture import LatentPicture

SIDE = 10


def decoder(arithmetic, kind=Layers, **options):
    """Layers, the picture's tensor, the latents that it is given, and what makes it on a backend, its scale beside."""
    config = reduced.configuration("sdxl")
    tensors = reduced.weights(config)["vae"]
    layers = kind(arithmetic, parameters.decoder(config["vae"]), tensors.__getitem__, **options)
    drawn = networks.decoder(layers, config["vae"], layers.input("latents", (SIDE, SIDE, 4)))
    values = np.random.default_rng(5).uniform(-1, 1, (SIDE, SIDE, 4))
    given = np.rint(values * 2**24).astype(np.int32) if arithmetic == "exact" else values.astype(np.float32)

    def run(backend):
        wanted = [drawn.node, *([drawn.scale] if drawn.scale else [])]
        return backend(_model(layers)).run(layers.graph, {"latents": given}, wanted)

    return layers, run


def computation(backend, kind, **options):
    """The exact decoder as a computation that can be disputed; its latents are noise."""
    config = reduced.configuration("sdxl")["vae"]
    layers = kind("exact", parameters.decoder(config), reduced.weights({"vae": config})["vae"].__getitem__, **options)
    networks.decoder(layers, config, layers.noise("noise", (SIDE, SIDE, 4)))
    made = Pass("picture", layers.graph, {"seed": np.array([7, 0], np.int32)}, count=0)
    return LatentPicture(backend(_model(layers)), [made], {}, model_digest="0" * 64)


def _model(layers):
    return Model("decoder", layers.arithmetic, {}, layers.constants, {})
