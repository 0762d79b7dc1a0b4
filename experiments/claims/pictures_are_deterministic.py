"""Whether a picture of a seed is the same on every stack: in float32 it differs by little, in integers by nothing."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments import plots
from experiments.claims import Judgement, Results, Size, Verdict, undecided
from experiments.progress import track
from experiments.sweep import seed_range
from inference.device.adapters import stacks
from inference.device.device import Device
from inference.device.runtime import Runtime
from inference.generate import Backend
from inference.graph import Arithmetic
from inference.models.diffusion import reduced
from inference.models.diffusion.latent import PICTURE, LatentDiffusion
from inference.picture import run as passes_of
from inference.reference import Reference

TITLE = "A picture of a seed is the same everywhere"
PART = "inference"
SECTION = "5"
STATEMENT = (
    "Since the inference can be represented as a directed acyclic graph (DAG), we can fix the source of randomness to "
    "produce deterministic inference processes."
)
SEVERAL = 2  # stacks beside numpy
FAMILY, PLACES = "sd-turbo", 77
NUMPY = "numpy"
ARITHMETICS: tuple[Arithmetic, ...] = ("float32", "exact")

# Pixels of a side, seeds, stacks at most
GRID: dict[Size, tuple[int, int, int]] = {"tiny": (8, 1, 1), "small": (32, 2, 9), "full": (32, 20, 9)}
VARIED = {"stack": "{pixels.where}", "arithmetic": "{pixels.arithmetic}", "seed, prompt": "{pixels.seed:count} of them"}
FIXED = {
    "model": "Stable Diffusion Turbo's networks, reduced, with drawn weights: text encoder, UNet, decoder; one step",
    "devices": "processors of one machine",
}


def run(size: Size, block: int = 0) -> Results:
    """Every number of every picture on every stack and in numpy, in both arithmetics; between -1 and 1."""
    side, seeds, most = GRID[size]
    config = reduced.configuration(FAMILY)
    tensors = reduced.weights(config)
    frames = []
    places = [(NUMPY, ""), *stacks()[:most]]
    for arithmetic, (backend, adapter) in track([(a, p) for a in ARITHMETICS for p in places], "pictures by stack"):
        model = LatentDiffusion(FAMILY, config, lambda folder, key: tensors[folder][key], arithmetic, side)
        device = None if backend == NUMPY else Device(backend, adapter)
        ready = Reference(model.model) if device is None else Runtime(model.model, device)
        where = NUMPY if device is None else f"{backend} on {adapter.partition(' (')[0]}"
        for seed in seed_range(seeds, block):
            values = _picture(model, ready, seed)
            frames.append(
                pd.DataFrame(
                    {
                        "arithmetic": arithmetic,
                        "where": where,
                        "seed": seed,
                        "at": np.arange(values.size),
                        "value": values,
                    }
                )
            )
    return {"pixels": pd.concat(frames, ignore_index=True)}


def _picture(model: LatentDiffusion, backend: Backend, seed: int) -> np.ndarray:
    """The numbers of a picture, rows after one another, as float64: of either arithmetic without rounding."""
    ids = np.random.default_rng(seed).integers(1, 590, PLACES).tolist()
    text = dict.fromkeys(model.encoders, ids)
    *_, (_, last) = passes_of(backend, model.passes(text, None, guidance=0.0, steps=1, seed=seed))
    [values] = last.values()
    return values.ravel() * (2.0**-PICTURE if model.arithmetic == "exact" else np.float64(1))


def _differences(results: Results) -> pd.DataFrame:
    """A row an arithmetic, stack and seed: numbers that differ from numpy's, and the largest difference."""
    pixels = results["pixels"]
    keys = ["arithmetic", "seed", "at"]
    both = pixels[pixels["where"] != NUMPY].merge(pixels[pixels["where"] == NUMPY], on=keys, suffixes=("", " of numpy"))
    both = both.assign(apart=(both["value"] - both["value of numpy"]).abs())
    by = both.groupby(["arithmetic", "where", "seed"], sort=False)["apart"]
    return by.agg(numbers="size", differ=lambda apart: int((apart > 0).sum()), most="max").reset_index()


def check(results: Results) -> Verdict:
    """The criterion on the pictures, number by number."""
    found = _differences(results)
    many = found["where"].nunique()
    if many < SEVERAL:
        return undecided(f"{many} stack beside numpy is here.")
    differ = found[found["differ"] > 0].groupby("arithmetic").size()
    floats, integers = (int(differ.get(arithmetic, 0)) for arithmetic in ARITHMETICS)
    verdict: Judgement = "refuted" if integers else "qualified" if floats else "upheld"
    differing = found[(found["arithmetic"] == "exact") & (found["differ"] > 0)]["where"].nunique()
    each, own = len(found) // len(ARITHMETICS), found[found["arithmetic"] == "float32"]
    return Verdict(
        verdict,
        f"{floats} of {each} pictures differ from numpy's in float32, {integers} in integers",
        f"In float32 {own['differ'].sum() / own['numbers'].sum():.0%} of the numbers differ, by at most "
        f"{own['most'].max():.1g} on a scale of -1 to 1: nobody sees it, and a digest is another one. In integers a "
        f"picture has the same bits on {many - differing} of {many} stacks as in numpy, so that whoever has the model "
        "can check it.",
    )


def figures(results: Results) -> dict[str, Figure]:
    """A picture, and where a stack's differs from numpy's in float32, so many times brighter."""
    pixels = results["pixels"]
    own = pixels[(pixels["arithmetic"] == "float32") & (pixels["seed"] == pixels["seed"].min())]
    whole = {where: part.sort_values("at")["value"].to_numpy() for where, part in own.groupby("where", sort=False)}
    reference = whole.pop(NUMPY)
    side = round((reference.size / 3) ** 0.5)
    apart = {where: values - reference for where, values in whole.items()}
    largest = max((float(np.abs(each).max()) for each in apart.values()), default=0.0)
    gain = 10.0 ** np.floor(-np.log10(largest)) if largest else 1.0
    figure, axes = plots.canvas(1 + len(apart), width=2.4 * (1 + len(apart)), height=2.8)
    for ax, (name, values) in zip(axes, {"the picture": reference, **apart}.items(), strict=True):
        shown = values if name == "the picture" else gain * values
        ax.imshow(np.clip((shown.reshape(side, side, 3) + 1) / 2, 0, 1), interpolation="nearest")
        ax.set_title(name, fontsize=9)
        ax.set_axis_off()
    return {f"A picture in float32 as numpy has it, and each stack's less numpy's, {gain:,.0f} times": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """By arithmetic, stack and seed."""
    return {"Numbers that differ from numpy's, and by how much at most": _differences(results)}
