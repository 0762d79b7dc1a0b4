"""Schedules against their formulas, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.models import configurations
from inference.models.diffusion import scheduler

SDXL, SD15, TURBO = (configurations.named(name)["scheduler"] for name in ("sdxl", "sd15", "sd-turbo"))


@settings(max_examples=20)
@given(st.sampled_from([SDXL, SD15, TURBO]), st.integers(1, 999))
def test_a_perfect_guess_of_the_noise_gives_the_picture(config, steps):
    """Latents that are a picture and noise, eps the noise: whatever the number of steps, the picture is left."""
    made = scheduler.schedule(config, steps)
    roots = np.linspace(config["beta_start"] ** 0.5, config["beta_end"] ** 0.5, 1000)
    alphas = np.cumprod(1 - roots**2)
    first = made.steps[0].timestep
    picture, noise, alpha = 0.3, -1.7, alphas[first]
    x = np.sqrt(alpha) * picture + np.sqrt(1 - alpha) * noise
    if config["_class_name"].startswith("Euler"):
        x /= np.sqrt(alpha)
    for step in made.steps:
        x = step.kept * x + step.added * noise
    left = alphas[0] if config is SD15 else 1.0  # DDIM ends at the first alpha
    assert x == pytest.approx(np.sqrt(left) * picture + np.sqrt(1 - left) * noise, abs=1e-9)
    assert [step.timestep for step in made.steps] == sorted({step.timestep for step in made.steps}, reverse=True)


def test_timesteps_are_the_published_ones():
    assert scheduler.timesteps(SDXL, 4) == [751, 501, 251, 1]
    assert scheduler.timesteps(TURBO, 1) == [999]
    assert scheduler.timesteps(TURBO, 4) == [999, 749, 499, 249]


@pytest.mark.parametrize(
    "config, steps, said",
    [
        (SDXL | {"beta_start": 0.9, "beta_end": 0.9999}, 4, "beta_start 0.9 and beta_end 0.9999 leave nothing"),
        (SD15 | {"beta_start": 5e-324, "beta_end": 0.5}, 4, "leave nothing of the picture after 1000 timesteps"),
        (SDXL | {"_class_name": "PNDMScheduler"}, 4, "the scheduler's _class_name is 'PNDMScheduler'"),
        (SDXL | {"prediction_type": "v_prediction"}, 4, "prediction_type is 'v_prediction'; epsilon"),
        (SDXL | {"timestep_spacing": "linspace"}, 4, "leading and trailing are supported"),
        (SD15 | {"timestep_spacing": "trailing"}, 4, "DDIM's timestep_spacing is trailing"),
        (SDXL, 0, "0 steps are not allowed; 1 to 1000"),
        (SDXL, 1000, "1000 steps are not allowed: the first would be at 1000 of 1000"),
        (SDXL, 1001, "1001 steps"),
    ],
)
def test_what_is_not_supported_is_refused(config, steps, said, refusal):
    assert said in refusal(scheduler.schedule, config, steps)


def test_sinusoids_are_cosines_and_then_sines_of_each_value():
    found = scheduler.sinusoids([0.0, 5.0], 4)
    expected = [1, 1, 0, 0, np.cos(5), np.cos(0.05), np.sin(5), np.sin(0.05)]
    np.testing.assert_allclose(found, [expected], rtol=1e-6)
