"""Schedulers of diffusion, as diffusers has them: which steps, and each as a linear map of latents and their noise.

With betas from beta_start to beta_end, linear in their roots, alpha_t = prod (1 - beta) and sigma_t =
sqrt((1 - alpha_t) / alpha_t). A step from latents x with noise eps(x · input, t) gives

    Euler  x' = x + (sigma' - sigma) eps,      input = 1 / sqrt(sigma² + 1)
    DDIM   x' = sqrt(alpha' / alpha) x + (sqrt(1 - alpha') - sqrt(alpha' (1 - alpha) / alpha)) eps,   input = 1

both without noise of their own. Guidance by g takes eps = g eps(text) + (1 - g) eps(negative).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.errors import InputError

KINDS = ("EulerDiscreteScheduler", "DDIMScheduler")
SPACINGS = ("leading", "trailing")
LEAST = 1e-12
"""Of a picture's variance, that is left when noise is added last: sigma is a million then."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: x' = kept · x + added · eps(x · input, timestep)."""

    timestep: int
    input: float
    kept: float
    added: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """The steps of a picture."""

    start: float
    """The deviation of the first latents."""
    steps: list[Step]


def schedule(config: Mapping[str, Any], steps: int) -> Schedule:
    """So many steps of a scheduler.

    Raises:
        InputError: a scheduler, spacing, prediction or number of steps that is not supported.
    """
    _check(config, steps)
    count = config.get("num_train_timesteps", 1000)
    roots = np.linspace(config["beta_start"] ** 0.5, config["beta_end"] ** 0.5, count, dtype=np.float64)
    alphas = np.cumprod(1 - roots**2)
    if alphas[-1] < LEAST:
        betas = f"beta_start {config['beta_start']:g} and beta_end {config['beta_end']:g}"
        raise InputError(f"the scheduler's {betas} leave nothing of the picture after {count} timesteps")
    times = timesteps(config, steps)
    if times[0] >= count:
        raise InputError(f"{steps} steps are not allowed: the first would be at {times[0]} of {count}")
    if config["_class_name"] == "DDIMScheduler":
        final = 1.0 if config.get("set_alpha_to_one", True) else float(alphas[0])
        found = []
        for time in times:
            before = time - count // steps
            now, then = float(alphas[time]), float(alphas[before]) if before >= 0 else final
            found.append(Step(time, 1.0, sqrt(then / now), sqrt(1 - then) - sqrt(then * (1 - now) / now)))
        return Schedule(1.0, found)
    sigmas = [sqrt((1 - alphas[time]) / alphas[time]) for time in times] + [0.0]
    leading = config.get("timestep_spacing", "linspace") == "leading"
    start = sqrt(sigmas[0] ** 2 + 1) if leading else sigmas[0]
    pairs = zip(times, sigmas[:-1], sigmas[1:], strict=True)
    return Schedule(start, [Step(time, 1 / sqrt(now**2 + 1), 1.0, then - now) for time, now, then in pairs])


def timesteps(config: Mapping[str, Any], steps: int) -> list[int]:
    """Timesteps of training at which the steps are taken, the noisiest first."""
    count = config.get("num_train_timesteps", 1000)
    if config.get("timestep_spacing") == "trailing":
        return [round(count - at * count / steps) - 1 for at in range(steps)]
    ratio = count // steps
    return [at * ratio + config.get("steps_offset", 0) for at in reversed(range(steps))]


def _check(config: Mapping[str, Any], steps: int) -> None:
    allowed = {
        "_class_name": KINDS,
        "beta_schedule": ("scaled_linear",),
        "prediction_type": ("epsilon",),
        "timestep_spacing": SPACINGS,
    }
    for key, values in allowed.items():
        if (value := config.get(key)) not in values:
            raise InputError(f"the scheduler's {key} is {value!r:.40}; {' and '.join(values)} are supported")
    if config["_class_name"] == "DDIMScheduler" and config["timestep_spacing"] != "leading":
        raise InputError("DDIM's timestep_spacing is trailing; leading is supported")
    if not 1 <= steps <= config.get("num_train_timesteps", 1000):
        raise InputError(f"{steps} steps are not allowed; 1 to {config.get('num_train_timesteps', 1000)}")


def sinusoids(values: list[float], width: int) -> npt.NDArray[np.float32]:
    """(1, len(values) · width): cosines, then sines, of each value at falling frequencies."""
    half = width // 2
    frequencies = np.exp(-np.log(10000.0) * np.arange(half) / half)
    angles = np.asarray(values, np.float64)[:, None] * frequencies
    return np.concatenate((np.cos(angles), np.sin(angles)), axis=1).astype(np.float32).reshape(1, -1)
