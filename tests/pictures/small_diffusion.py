"""Reduced models of latent diffusion with seeded weights, and the passes of a picture of theirs."""

from inference.models.diffusion import reduced
from inference.models.diffusion.latent import LatentDiffusion

BEGIN, END = 598, 599
PROMPT = [BEGIN, 17, 401, 33, 33, 250, 596, END]
NEGATIVE = [BEGIN, 5, 120, END]
GUIDANCE = {"sdxl": 5.0, "sd15": 7.5, "sd-turbo": 0.0}
DIGESTS = {"sdxl": "c28fe1735e9db351", "sd15": "d18b7507141500f1", "sd-turbo": "4d579c8f1d744bab"}
"""With which the digests of exact pictures of 8 × 8 pixels, two steps, begin on every stack."""


def padded(ids: list[int]) -> list[int]:
    """A text of 77 tokens, filled with the one that ends it."""
    return ids + [END] * (77 - len(ids))


def diffusion(name: str, arithmetic: str, size: int = 32) -> LatentDiffusion:
    """A model without a directory."""
    config = reduced.configuration(name)
    tensors = reduced.weights(config)
    return LatentDiffusion(name, config, lambda folder, key: tensors[folder][key], arithmetic, size)


def passes(model: LatentDiffusion, steps: int, seed: int = 7):
    """Of ``PROMPT``."""
    texts = (dict.fromkeys(model.encoders, padded(ids)) for ids in (PROMPT, NEGATIVE))
    return model.passes(*texts, guidance=GUIDANCE[model.name], steps=steps, seed=seed)
