"""The networks and schedulers in float64 against diffusers in float32: golden numbers, made anew where it is."""

import importlib.util

import diffusers_reference
import numpy as np
import pytest
from diffusers_reference import GOLDEN, GUIDANCE, NEGATIVE, PROMPT, STEPS
from plain_layers import Plain

from inference.models.diffusion import networks, reduced, scheduler


def rms(found, expected):
    """Relative to what is expected."""
    return float(np.sqrt(((found - expected) ** 2).mean() / (expected**2).mean()))


class Model:
    """A reduced model, its networks computed in numpy."""

    def __init__(self, name):
        self.config = reduced.configuration(name)
        self.layers = {folder: Plain(tensors) for folder, tensors in reduced.weights(self.config).items()}
        self.two = "text_encoder_2" in self.config

    def text(self, ids):
        tokens = np.array(diffusers_reference.padded(ids))
        last = int(np.argmax(tokens))
        found = [
            networks.text_encoder(self.layers[folder], self.config[folder], tokens, penultimate=self.two, last=last)
            for folder in ("text_encoder", "text_encoder_2")
            if folder in self.config
        ]
        return np.concatenate([states for states, _ in found], axis=1), found[-1][1]

    def eps(self, latents, time, text):
        context, summary = text
        added = None
        if self.two:
            added = np.concatenate((summary, scheduler.sinusoids([32, 32, 0, 0, 32, 32], 8)), axis=1)
        step = scheduler.sinusoids([time], 32)
        return networks.unet(self.layers["unet"], self.config["unet"], latents, step, context, added)

    def picture(self, latents):
        return np.clip(networks.decoder(self.layers["vae"], self.config["vae"], latents), -1, 1)


@pytest.fixture(scope="module")
def golden():
    return np.load(GOLDEN)


@pytest.mark.parametrize("name", STEPS)
def test_every_network_is_diffusers(name, golden):
    model = Model(name)
    text = model.text(PROMPT)
    assert rms(text[0], golden[f"{name} context"]) < 1e-5
    last = golden[f"{name} latents"][-1].astype(np.float64)
    assert rms(model.picture(last), golden[f"{name} picture"]) < 1e-4


@pytest.mark.parametrize("name, count", [("sdxl", 1), ("sd15", 1), ("sd-turbo", 1)])
def test_steps_are_diffusers(name, count, golden):
    """The first here; the slow tier takes all twenty."""
    assert max(relative(name, golden, count)) < 1e-5


def relative(name, golden, count):
    """Of the latents after each step."""
    model, guidance = Model(name), GUIDANCE[name]
    text, other = model.text(PROMPT), model.text(NEGATIVE)
    made = scheduler.schedule(model.config["scheduler"], STEPS[name])
    x = diffusers_reference.noise() * made.start
    found = []
    for step, expected in zip(made.steps[:count], golden[f"{name} latents"], strict=False):
        eps = model.eps(x * step.input, step.timestep, text)
        if guidance > 1:
            eps = guidance * eps + (1 - guidance) * model.eps(x * step.input, step.timestep, other)
        x = step.kept * x + step.added * eps
        found.append(rms(x, expected))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", STEPS)
def test_all_steps_are_diffusers(name, golden):
    """Relative rms of the latents of at most 10^-4 at each step, as is asked of float32."""
    assert max(relative(name, golden, STEPS[name])) < 1e-4


@pytest.mark.slow
@pytest.mark.skipif(
    any(importlib.util.find_spec(each) is None for each in ("diffusers", "transformers", "torch")),
    reason="diffusers, transformers and torch are not all installed",
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of theirs, about numpy's of today
@pytest.mark.parametrize("name", STEPS)
def test_the_golden_numbers_are_what_diffusers_gives(name, golden):
    for key, value in diffusers_reference.reference(name).items():
        assert rms(value, golden[f"{name} {key}"]) < 1e-5
