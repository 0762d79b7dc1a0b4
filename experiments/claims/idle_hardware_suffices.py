"""Which models fit the consumer cards that people own: by their memory and by what a browser lets a buffer hold."""

from dataclasses import replace
from math import prod

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from auction.data import hardware
from auction.data.hardware import GIB, USABLE_MEMORY
from experiments import plots
from experiments.claims import Judgement, Results, Size, Verdict
from inference.device.program import program
from inference.device.target import Target
from inference.files.blocks import pack_q4
from inference.generate import CHUNK
from inference.measure.steps import CONTEXT, SHAPES, without_weights
from inference.models._decoder import divided
from inference.models.llama import graph

TITLE = "Consumer cards hold popular models, within a browser's limits"
PART = "inference"
SECTION = "2"
STATEMENT = (
    "This advancement allows for the flexibility to run larger, previously desktop-bound, machine learning model in an "
    "existing, proven, browser environment."
)
MODEL, POSITIONS = "Llama-3-8B", 4096
MOST, LEAST = 0.5, 0.2

# Bytes that one binding, and one buffer, may hold: what WebGPU promises everywhere, and what Chromium allows on
# desktop cards when a page asks for all that the adapter has.
LIMITS = {"defaults": (1 << 27, 1 << 28), "desktop": ((1 << 31) - 4, (1 << 32) - 4)}
LENGTHS = (512, 4096, CONTEXT)
LANES = 32
MODELS = {
    **{name: SHAPES[name] for name in ("SmolLM2-135M", "Llama-2-7B", "Llama-3-8B", "Llama-3-70B")},
    "Llama-3.2-1B": (16, 2048, 32, 8, 64, 8192, 128256, CONTEXT),
    "Llama-3.2-3B": (28, 3072, 24, 8, 128, 8192, 128256, CONTEXT),
}
"""``MEASURES`` of each: 4-bit weights, embedding and head in 8."""
TIED = ("SmolLM2-135M", "Llama-3.2-1B", "Llama-3.2-3B")
"""Whose head is their embedding."""

VARIED = {
    "model": ", ".join(sorted(MODELS)),
    "positions": ", ".join(f"{length:,}" for length in LENGTHS),
    "limits of a buffer": "WebGPU's defaults; desktop browsers'",
}
FIXED = {
    "layout": "this package's: 4-bit weights, 8-bit embedding, cut by rows, 16-bit words in the cache",
    "usable memory": f"{USABLE_MEMORY:.0%} of a card's",
    "cards": "consumer and workstation cards of eight years, each counted once, however many were sold",
}


def buffers(model: str, positions: int) -> dict[str, int]:
    """Bytes of each buffer of a run: weights, and what prompts of ``CHUNK`` tokens need besides; none is loaded."""
    made = without_weights(MODELS[model])
    if model in TIED:
        del made.constants["head.q"], made.constants["head.blocks"]
    made = replace(made, constants=divided(made.constants))
    run = program(graph(made, CHUNK, capacity=positions, first=CHUNK - 1), Target(LANES))
    weights = {}
    for buffer, (name, pack) in run.weights.items():
        constant = made.constants[name]
        weights[buffer] = prod(constant.shape) * constant.itemsize // (2 if pack is pack_q4 else 1)
    return weights | run.sizes


def run(size: Size, block: int = 0) -> Results:
    """By model, positions and limits: bytes, the largest buffer, the cards that hold it. Nothing is drawn."""
    cards = hardware.catalogue()
    memory = USABLE_MEMORY * cards.memory[cards.offered]
    rows = []
    for model in MODELS:
        for positions in LENGTHS:
            sizes = buffers(model, positions)
            total, largest = sum(sizes.values()), max(sizes, key=lambda name: sizes[name])
            fits = int((memory >= total).sum())
            for limit, (binding, buffer) in LIMITS.items():
                allowed = sizes[largest] <= min(binding, buffer)
                rows.append((model, positions, total, largest, sizes[largest], limit, allowed, fits, memory.size))
    columns = ["model", "positions", "bytes", "buffer", "largest", "limits", "allowed", "cards", "of"]
    memories = pd.DataFrame({"memory": cards.memory[cards.offered]})
    return {"models": pd.DataFrame(rows, columns=columns), "memories": memories}


def check(results: Results) -> Verdict:
    """The criterion on the model, positions and limits that it names."""
    models = results["models"]
    own = models[(models["model"] == MODEL) & (models["positions"] == POSITIONS)].set_index("limits")
    at = own.loc["desktop"]
    share = at["cards"] / at["of"] if at["allowed"] else 0.0
    verdict: Judgement = "upheld" if share >= MOST else "qualified" if share >= LEAST else "refuted"
    promised = models[(models["limits"] == "defaults") & models["allowed"]]["model"].unique()
    long = models[(models["limits"] == "desktop") & (models["positions"] == POSITIONS)].set_index("model")
    largest = long.loc["Llama-3-70B"]
    return Verdict(
        verdict,
        f"{share:.0%} of {at['of']} cards hold {MODEL} with {POSITIONS:,} positions ({at['bytes'] / GIB:.1f} GiB)",
        f"Llama-3.2-1B fits {long.loc['Llama-3.2-1B', 'cards'] / at['of']:.0%} of them, Llama-3-70B "
        f"{largest['cards']} cards. Embedding and head are cut by rows, so that under the 128 MiB that WebGPU promises "
        f"everywhere {', '.join(promised)} would run; desktop browsers allow 2 GiB where a page asks.",
    )


def figures(results: Results) -> dict[str, Figure]:
    """The share of cards with at least so much memory; what each model needs."""
    memory = np.sort(results["memories"]["memory"].to_numpy(dtype=float)) / GIB
    figure, (axes,) = plots.canvas(width=8.5, height=3.8)
    axes.step(memory, 1.0 - np.arange(memory.size) / memory.size, where="pre", color=plots.INK, linewidth=1.2)
    models = results["models"][results["models"]["limits"] == "desktop"]
    for colour, (model, own) in zip(plots.PALETTE, models.groupby("model", sort=False), strict=False):
        need = own["bytes"] / GIB / USABLE_MEMORY
        axes.plot(need, own["cards"] / own["of"], marker="o", markersize=4, color=colour, label=model)
    axes.set(xscale="log", xlabel="memory of a card, GiB", ylabel="cards that have as much", ylim=(0, 1.03))
    ticks = (1, 2, 4, 8, 16, 32, 64)
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    plots.percent(axes)
    plots.legend(axes)
    lengths = ", ".join(f"{length:,}" for length in LENGTHS)
    return {f"Cards of eight years by memory, and what models need with {lengths} positions": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """All models, positions and limits."""
    models = results["models"]
    shown = models.assign(
        **{
            "GiB": models["bytes"] / GIB,
            "largest MiB": models["largest"] / 2**20,
            "share": models["cards"] / models["of"],
        }
    )
    order = ["model", "positions", "GiB", "buffer", "largest MiB", "limits", "allowed", "cards", "share"]
    return {"What models need, and the cards that hold them": shown[order]}
