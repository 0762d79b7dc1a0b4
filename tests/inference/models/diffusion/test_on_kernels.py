"""Reduced models on our kernels from the text to the picture: float32 against diffusers, exact against both."""

import numpy as np
import pytest
from diffusers_reference import GOLDEN, STEPS
from small_diffusion import diffusion, passes

from inference.device import adapters
from inference.device.runtime import Runtime
from inference.models.diffusion.latent import LATENTS, PICTURE
from inference.picture import run
from inference.reference import Reference

STACKS = adapters.stacks()


@pytest.fixture(scope="module")
def golden():
    return np.load(GOLDEN)


def rms(found, expected):
    """Relative to what is expected."""
    return float(np.sqrt(((found - expected) ** 2).mean() / (expected**2).mean()))


def decibels(found, expected):
    """Of peak signal to noise, over a range of 2."""
    return float(10 * np.log10(4 / ((found - expected) ** 2).mean()))


def made(name, arithmetic, opened=None, steps=None):
    """Words of the latents after each step, of the first ``steps`` where not None, and of the picture."""
    model, latents = diffusion(name, arithmetic), []
    backend = Reference(model.model) if opened is None else Runtime(model.model, opened)
    for _, outputs in run(backend, passes(model, STEPS[name])):
        latents += [outputs[key] for key in outputs if key == "stepped"]
        if len(latents) == steps:
            break
    return latents, outputs.get("picture")


def numbers(words, arithmetic, fraction):
    return words * 2.0**-fraction if arithmetic == "exact" else words


@pytest.mark.parametrize("name", STEPS)
def test_the_first_step_in_float32_is_diffusers(name, golden):
    [latents], _ = made(name, "float32", steps=1)
    assert rms(latents, golden[f"{name} latents"][0]) < 1e-5


@pytest.mark.parametrize("arithmetic", ["float32", "exact"])
@pytest.mark.skipif(not STACKS, reason="no WebGPU adapter; make adapter")
def test_pictures_of_sd_turbo_on_a_device(arithmetic, golden, device):
    latents, picture = made("sd-turbo", arithmetic, device(STACKS[0]))
    check("sd-turbo", arithmetic, latents, picture, golden)


def check(name, arithmetic, latents, picture, golden):
    """Latents of every step and the picture: of float32 to 10^-4, of exact to 0.5 % at the last step and 50 dB."""
    expected, drawn = golden[f"{name} latents"], golden[f"{name} picture"]
    apart = [rms(numbers(x, arithmetic, LATENTS), y) for x, y in zip(latents, expected, strict=True)]
    shown = numbers(picture, arithmetic, PICTURE)
    if arithmetic == "float32":
        assert max(apart) < 1e-4 and rms(shown, drawn) < 1e-4
    else:
        assert apart[-1] < 5e-3 and decibels(shown, drawn) > 50
    return max(apart), decibels(shown, drawn)


@pytest.mark.slow
@pytest.mark.parametrize("name", STEPS)
def test_pictures_in_numpy_and_on_a_device(name, golden, device, capsys):
    said = []
    for arithmetic in ("float32", "exact"):
        in_numpy = made(name, arithmetic)
        said.append((arithmetic, "numpy", *check(name, arithmetic, *in_numpy, golden)))
        for stack in STACKS[:1]:
            on_device = made(name, arithmetic, device(stack))
            said.append((arithmetic, stack[0], *check(name, arithmetic, *on_device, golden)))
            if arithmetic == "exact":
                assert (np.array(on_device[0]) == np.array(in_numpy[0])).all()
                np.testing.assert_array_equal(on_device[1], in_numpy[1])
    with capsys.disabled():
        for arithmetic, where, apart, psnr in said:
            print(f"\n{name} {arithmetic} {where}: latents {apart:.1e}, picture {psnr:.1f} dB", end="")
