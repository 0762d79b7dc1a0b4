"""Pictures of latent diffusion, for the commands picture and check."""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as shortened
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.commands.backends import opened
from inference.commands.output import write
from inference.commands.progress import working
from inference.commands.terminal import printable
from inference.errors import InputError
from inference.files.npy_file import npy
from inference.files.png_file import png
from inference.generate import digest_of
from inference.graph import Arithmetic
from inference.models.diffusion import directory
from inference.models.diffusion.latent import PICTURE, LatentDiffusion, seed_words
from inference.ops import noise
from inference.passes import Pass
from inference.picture import run

KEYS = ("model", "prompt", "negative_prompt", "guidance", "steps", "size", "seed", "arithmetic", "digest")
"""Of a picture's texts: JSON, so that they are ASCII."""


@dataclass(slots=True)
class Asked:
    """A picture that is asked for; None: what the directory says, or what is usual."""

    model: str
    prompt: str | None
    negative_prompt: str | None = None
    guidance: float | None = None
    steps: int | None = None
    size: int | None = None
    seed: int = 0
    arithmetic: Arithmetic = "exact"


def prepared(asked: Asked) -> tuple[LatentDiffusion, list[Pass]]:
    """The model and the passes of a picture; what was not asked for is filled in.

    Raises:
        InputError: no prompt, guidance, steps, a size or a seed that is not allowed, a directory that cannot be read.
    """
    if asked.prompt is None:
        raise InputError(f"{asked.model}: draws what --prompt says; give one")
    seed_words(asked.seed)
    asked.guidance = directory.GUIDANCE if asked.guidance is None else asked.guidance
    asked.steps = directory.STEPS if asked.steps is None else asked.steps
    if not 0 <= asked.guidance <= 100:
        raise InputError(f"--guidance {shortened(asked.guidance)} is not allowed; 0 to 100")
    if not 1 <= asked.steps <= 1000:
        raise InputError(f"--steps {shortened(asked.steps)} is not allowed; 1 to 1000")
    with working(f"reading the model {asked.model}"):
        read = directory.read(Path(asked.model))
        asked.size = read.size if asked.size is None else asked.size
        made = LatentDiffusion(Path(asked.model).name, read.config, read.load, asked.arithmetic, asked.size)
    texts = read.ids(asked.prompt), read.negative(asked.negative_prompt)
    passes = made.passes(*texts, guidance=asked.guidance, steps=asked.steps, seed=asked.seed)
    return made, passes


def drawn(
    made: LatentDiffusion, passes: list[Pass], backend: str, adapter: str | None
) -> tuple[npt.NDArray[Any], float, str]:
    """Words of a picture (H, W, 3), the seconds it took, and where."""
    with working("making the picture"):
        ready, where = opened(made.model, backend, adapter)
        started, output = time.perf_counter(), np.empty(0)
        for _, outputs in run(ready, passes):
            output = next(iter(outputs.values()))
        seconds = time.perf_counter() - started
    if not np.isfinite(output).all():
        raise InputError(f"{made.name} gives numbers that are not finite in float32: its weights are too large")
    return output, seconds, where


def picture(asked: Asked, out: Path | None, raw: Path | None, adapter: str | None, backend: str, as_json: bool) -> None:
    """Make a picture, write and print what was asked for."""
    made, passes = prepared(asked)
    output, seconds, where = drawn(made, passes, backend, adapter)
    digest, numbers = digest_of(output), as_numbers(output)
    said = _described(asked) | {"digest": digest}
    if raw is not None:
        samples = _noise(made, asked.seed)
        write(raw, npy(numbers))
        write(raw.with_name(f"{raw.name.removesuffix('.npy')}.noise.npy"), npy(samples))
    if out is not None:
        texts = {key: json.dumps(value) for key, value in (said | {"model": made.model.digest}).items()}
        write(out, png(pixels(numbers), texts))
    if as_json:
        print(json.dumps(said | {"seconds": round(seconds, 4), "adapter": where, "backend": backend}))
    else:
        print(told(out, numbers, f"{seconds:.2f} s on {printable(where)} ({backend})", digest))


def told(out: Path | None, numbers: npt.NDArray[Any], made: str, digest: str) -> str:
    """The line of a picture: its file, its size, how it was made, its digest."""
    height, width = numbers.shape[:2]
    where = "" if out is None else f"{printable(str(out))}: "
    return f"{where}{width} × {height} pixels, {made}; digest {digest}"


def check(
    path: Path,
    shown: npt.NDArray[np.uint8],
    texts: Mapping[str, str],
    model: str,
    adapter: str | None,
    backend: str,
    as_json: bool,
) -> int:
    """Whether a picture is what its prompt and seed give: 0 or 1.

    Raises:
        InputError: texts that say something else than ``picture`` writes, or another model.
    """
    said = _said(path, texts)
    if said["arithmetic"] != "exact":
        raise InputError(
            f"{path}: was made in {printable(str(said['arithmetic']))}; only exact pictures can be checked"
        )
    if not os.path.isdir(model):
        raise InputError(f"{path}: is of a directory's model; name it: --model PATH")
    made, passes = prepared(Asked(model, **{key: said[key] for key in KEYS[1:-1]}))
    if made.model.digest != said["model"]:
        raise InputError(f"{path}: is of another model than {model}: its digest begins {str(said['model'])[:16]!r}")
    output, _, _ = drawn(made, passes, backend, adapter)
    same = digest_of(output) == said["digest"] and np.array_equal(pixels(as_numbers(output)), shown)
    if as_json:
        print(json.dumps({"same": same, **said, "digest": digest_of(output)}))
    else:
        word = "is" if same else "is not"
        print(f"{printable(str(path))} {word} what its prompt and seed {said['seed']} give: {digest_of(output)}")
    return 0 if same else 1


def _said(path: Path, texts: Mapping[str, str]) -> dict[str, Any]:
    """What a picture says of itself, each of its type."""
    kinds = {"guidance": (float, int), **dict.fromkeys(("steps", "size", "seed"), (int,))}
    found = {}
    for key in KEYS:
        try:
            found[key] = json.loads(texts[key])
        except (KeyError, ValueError, RecursionError):
            raise InputError(f"{path}: does not say its {key}, as pictures of `picture` do") from None
        empty = key == "negative_prompt" and found[key] is None
        if not empty and type(found[key]) not in kinds.get(key, (str,)):
            raise InputError(f"{path}: its {key} is {texts[key]!r:.40}")
    return found


def _described(asked: Asked) -> dict[str, Any]:
    return {key: getattr(asked, key) for key in KEYS[:-1]}


def _noise(made: LatentDiffusion, seed: int) -> npt.NDArray[Any]:
    """What the node of that name draws."""
    height, width, channels = made.shape
    table = made.constants["inverse_normal"]
    words = noise.exact(seed_words(seed), table, height=height, width=width, channels=channels)
    return words * 2.0**noise.EXPONENT


def as_numbers(output: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """A picture as float32, -1 to 1."""
    return output if output.dtype == np.float32 else (output / 2.0**PICTURE).astype(np.float32)


def pixels(numbers: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Red, green and blue, -1 dark and 1 bright."""
    return np.rint((numbers.astype(np.float64) + 1) * 127.5).astype(np.uint8)
