"""Commands about pictures: picture, check."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from inference.arithmetic.clamps import counted
from inference.commands import latent_picture as drawing
from inference.commands.arguments import AdapterName, ArithmeticName, BackendName, Json
from inference.commands.backends import opened
from inference.commands.output import check_writable, write
from inference.commands.progress import working
from inference.commands.terminal import printable
from inference.errors import InputError
from inference.files.npy_file import npy
from inference.files.png_file import png, read_png
from inference.generate import digest_of
from inference.models.terrain import FRACTION, Terrain, heights, inputs, terrain

TERRAIN = "terrain, or an .onnx file of such a model; or a directory as diffusers writes it"
KEYS = ("model", "class", "seed", "arithmetic", "digest")
"""Of a picture's texts."""
HALF = 1e-6
"""Of a grey: so near a half it may be rounded up on one machine and down on another."""


def picture(
    model_name: Annotated[str, typer.Option("--model", help=TERRAIN)] = "terrain",
    difficulty: Annotated[
        int | None, typer.Option("--class", help="of the terrain: 1 (flat) to 100; without it 50", show_default=False)
    ] = None,
    prompt: Annotated[str | None, typer.Option(help="of a directory's model: what to draw", show_default=False)] = None,
    negative_prompt: Annotated[str | None, typer.Option(help="what not to draw", show_default=False)] = None,
    guidance: Annotated[
        float | None, typer.Option(help="how much a prompt weighs; 1 or less: none; without it 5", show_default=False)
    ] = None,
    steps: Annotated[int | None, typer.Option(help="of the scheduler; without it 20", show_default=False)] = None,
    size: Annotated[
        int | None, typer.Option(help="pixels a side; without it the model's own", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(help="of the noise")] = 0,
    arithmetic: ArithmeticName = "exact",
    out: Annotated[Path | None, typer.Option(help="where to write the picture: p.png", show_default=False)] = None,
    raw: Annotated[
        Path | None,
        typer.Option(help="where to write the output as float32: p.npy, and p.noise.npy beside it", show_default=False),
    ] = None,
    adapter: AdapterName = None,
    backend: BackendName = "wgpu",
    as_json: Json = False,
) -> None:
    """Make a picture of noise: in exact arithmetic the same bits everywhere.

    Example: python -m inference picture --model terrain --class 40 --seed 7 --out p.png

    Example: python -m inference picture --model DIRECTORY --prompt "a horse on the moon" --steps 30
    """
    for path in (out, raw):
        if path is not None:
            check_writable(path)
    if out is not None and out == raw:
        raise InputError(f"{out}: cannot be the picture of --out and the array of --raw at once")
    asked = {
        "--prompt": prompt,
        "--negative-prompt": negative_prompt,
        "--guidance": guidance,
        "--steps": steps,
        "--size": size,
    }
    if os.path.isdir(model_name):
        if difficulty is not None:
            raise InputError("--class is of terrain; a directory's model has --prompt")
        wanted = drawing.Asked(model_name, prompt, negative_prompt, guidance, steps, size, seed, arithmetic)
        drawing.picture(wanted, out, raw, adapter, backend, as_json)
        return
    if model_name != "terrain" and not os.path.exists(model_name):
        raise InputError(f"{model_name}: there is no such model; terrain, an .onnx file or a directory is expected")
    if given := [name for name, value in asked.items() if value is not None]:
        raise InputError(f"{given[0]} is of a directory's model; terrain has --class")
    difficulty = 50 if difficulty is None else difficulty
    inputs(None, difficulty, seed)
    with working(f"reading the model {model_name}"):
        model = terrain(model_name, arithmetic)
    with counted() as clamps:
        noisy, output, seconds, where = _made(model, difficulty, seed, backend, adapter)
    digest, numbers = digest_of(output), as_numbers(output)
    if raw is not None:
        write(raw, npy(numbers))
        write(raw.with_name(f"{raw.name.removesuffix('.npy')}.noise.npy"), npy(noisy[None, None]))
    if out is not None:
        said = (model.model.digest, difficulty, seed, arithmetic, digest)
        write(out, png(pixels(numbers), dict(zip(KEYS, map(str, said), strict=True))))
    summary = {
        "model": model_name,
        "class": difficulty,
        "seed": seed,
        "arithmetic": arithmetic,
        "digest": digest,
        "seconds": round(seconds, 4),
        "adapter": where,
        "backend": backend,
        # Devices give the same words and count nothing.
        "clamps": dict(clamps) if backend == "numpy" and arithmetic == "exact" else None,
    }
    if as_json:
        print(json.dumps(summary))
    else:
        print(drawing.told(out, numbers, f"{seconds:.2f} s on {printable(where)} ({backend})", digest))
        if summary["clamps"] is not None:
            print("clamped: " + ", ".join(f"{count:,} {kind}" for kind, count in clamps.items()))


def check(
    path: Annotated[Path, typer.Argument(metavar="PICTURE", help="a .png of `picture`", show_default=False)],
    model_name: Annotated[str, typer.Option("--model", help=TERRAIN)] = "terrain",
    adapter: AdapterName = None,
    backend: BackendName = "wgpu",
    as_json: Json = False,
) -> None:
    """Whether a picture is what its seed and model give: it is computed again, bit for bit. Exit code 1 where it is
    not.

    Example: python -m inference check p.png
    """
    shown, texts = read_png(path)
    if "prompt" in texts:
        sys.exit(drawing.check(path, shown, texts, model_name, adapter, backend, as_json))
    missing = [key for key in KEYS if key not in texts]
    if missing:
        raise InputError(f"{path}: does not say its {', '.join(missing)}, as pictures of `picture` do")
    if texts["arithmetic"] != "exact":
        raise InputError(f"{path}: was made in {printable(texts['arithmetic'])}; only exact pictures can be checked")
    try:
        difficulty, seed = int(texts["class"]), int(texts["seed"])
    except ValueError:
        raise InputError(f"{path}: its class and seed are no whole numbers") from None
    inputs(None, difficulty, seed)
    with working(f"reading the model {model_name}"):
        model = terrain(model_name, "exact")
    if model.model.digest != texts["model"]:
        raise InputError(f"{path}: is of another model than {model_name}: its digest begins {texts['model'][:16]!r}")
    _, output, _, _ = _made(model, difficulty, seed, backend, adapter)
    same = digest_of(output) == texts["digest"] and rounded(greys(as_numbers(output)), shown)
    if as_json:
        print(json.dumps({"same": bool(same), "digest": digest_of(output), **{key: texts[key] for key in KEYS[:4]}}))
    else:
        said = "is" if same else "is not"
        print(f"{printable(str(path))} {said} what class {difficulty} and seed {seed} give: {digest_of(output)}")
    sys.exit(0 if same else 1)


def _made(
    model: Terrain, difficulty: int, seed: int, backend: str, adapter: str | None
) -> tuple[npt.NDArray[np.float32], npt.NDArray[Any], float, str]:
    """What the network read, its output, the seconds it took, and where it ran."""
    with working("making the picture"):
        ready, where = opened(model.model, backend, adapter)
        given, started = inputs(model.model.arithmetic, difficulty, seed), time.perf_counter()
        [output] = ready.run(model.graph, given, [model.picture])
        seconds = time.perf_counter() - started
    if not np.isfinite(output).all():
        raise InputError(f"{model.model.name} gives numbers that are not finite in float32: its weights are too large")
    return model.noisy_array(given["seed"]), output[..., 0], seconds, where


def as_numbers(output: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """An output as float32, -1 to 1."""
    if output.dtype == np.float32:
        return output
    return (output / 2.0**FRACTION).astype(np.float32)


def greys(numbers: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Heights as greys that are not rounded yet, the lowest 0 and the highest 255."""
    metres = heights(numbers)
    low, high = metres.min(), metres.max()
    return np.asarray((metres - low) / max(high - low, 1e-9) * 255)


def pixels(numbers: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Heights in grey, the lowest black and the highest white."""
    return np.rint(greys(numbers)).astype(np.uint8)


def rounded(made: npt.NDArray[np.float64], shown: npt.NDArray[np.uint8]) -> bool:
    """Whether what is shown are these greys, each rounded to the nearest: libraries' sinh differ in the last bit."""
    return made.shape == shown.shape and bool((np.abs(made - shown) <= 0.5 + HALF).all())
