"""How much of the hardware WebGPU reaches: products and a model beside native programs and ONNX Runtime's kernels."""

import os

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments import plots
from experiments.claims import Judgement, Results, Size, Verdict, undecided
from experiments.progress import track
from inference import models
from inference.device.adapters import is_swiftshader, stacks
from inference.device.device import Device
from inference.device.runtime import Runtime
from inference.measure import bench, peers, products
from inference.models.llama import model

TITLE = "How much of a processor WebGPU reaches"
PART = "inference"
TIMED = True
FINDING = "How close do WebGPU kernels come to native programs where both run on a processor?"
FULL, FAR = 0.8, 0.2  # of a native program's rate
LEAST = 0.8  # of the processors

# Rounds of products, sizes of their chain, rounds of the model
GRID: dict[Size, tuple[int, dict[str, int], int]] = {
    "tiny": (1, {"width": 64, "hidden": 96, "pairs": 1}, 0),
    "small": (3, {}, 1),
    "full": (9, {}, 5),
}
GEMM, GEMV = (f"product, {rows} rows" if rows > 1 else "product, one row" for rows in products.ROWS)
PROMPT, ANSWER = f"prompt of {bench.PROMPT}", f"answer of {bench.DECODE}"
NATIVE = {
    GEMM: "OpenBLAS, float32",
    GEMV: "OpenBLAS, float32",
    PROMPT: "llama.cpp",
    ANSWER: "llama.cpp",
}
OURS = ("exact", "float32")
OTHERS = ("ONNX Runtime, 4 bits", "ONNX Runtime, float32")
Row = tuple[str, str, float, str, float]
VARIED = {
    "what": "{rates.what}",
    "arithmetic": "integers, float32",
    "side": "{rates.side}",
}
FIXED = {
    "adapter": "the first, on a processor",
    "model": "SmolLM2-135M",
}


def run(size: Size, block: int = 0) -> Results:
    """Rates of every side on the first adapter: products in 10^9 multiply-accumulates, models in tokens, a second."""
    rounds, sizes, model_rounds = GRID[size]
    found = [stack for stack in stacks() if not is_swiftshader(stack[1])][:1]
    rows: list[Row] = []
    absent = [] if found else ["there is no WebGPU adapter"]
    kind = ""
    for stack in track(found, "products and a model beside native programs"):
        device = Device(*stack)
        kind = device.adapter.info["adapter_type"]
        measured, absent = peers.compared(device, rounds, **sizes)
        names = dict(zip(products.ROWS, (GEMM, GEMV), strict=True))
        rows += [(names[r["rows"]], r["side"], r["gmac_per_second"], "GMAC/s", r["processors"]) for r in measured]
        if model_rounds:
            more, lines = _model(device, model_rounds)
            rows, absent = rows + more, absent + lines
    machine = pd.DataFrame(found or [("", "")], columns=["implementation", "adapter"])
    return {
        "rates": pd.DataFrame(rows, columns=["what", "side", "rate", "unit", "processors"]),
        "machine": machine.assign(type=kind, processors=len(os.sched_getaffinity(0)), absent="; ".join(absent)),
    }


def _model(device: Device, rounds: int) -> tuple[list[Row], list[str]]:
    """SmolLM2 in integers beside llama.cpp; nothing where either is not installed."""
    sides, absent = peers.present({"llama.cpp": lambda: peers.llama_cpp(models.smollm2())})
    if absent:
        return [], absent
    exact = model("smollm2", models.find("smollm2"), "exact")
    rates = bench.rates({"exact": bench.ours(Runtime(exact, device), batch=0)} | sides, rounds)
    kinds = {PROMPT: "prefill", ANSWER: "decode"}
    return [(what, row["side"], row[kind], "tokens/s", np.nan) for what, kind in kinds.items() for row in rates], []


def native(rates: pd.DataFrame) -> pd.Series:
    """The native program's rate, by what was measured, in the order of NATIVE."""
    return rates[rates["side"] == rates["what"].map(NATIVE)].set_index("what")["rate"].reindex(there(rates))


def there(rates: pd.DataFrame) -> list[str]:
    """What was measured, in the order of NATIVE."""
    return [what for what in NATIVE if what in set(rates["what"])]


def shares(rates: pd.DataFrame) -> pd.Series:
    """Our rate over the native program's, by what was measured."""
    ours = rates[rates["side"].isin(OURS)].groupby("what")["rate"].max()
    return ours.reindex(there(rates)) / native(rates)


def lead(rates: pd.DataFrame) -> float:
    """The least factor by which our faster kernels lead ONNX Runtime's faster ones; NaN where it is absent."""
    ours, others = (rates[rates["side"].isin(sides)].groupby("what")["rate"].max() for sides in (OURS, OTHERS))
    return float((ours / others).min())


def check(results: Results) -> Verdict:
    """The shares; the whitepaper speaks of GPUs, so that they judge no sentence of it."""
    rates, machine = results["rates"], results["machine"].iloc[0]
    absent = f" Absent: {machine['absent']}." if machine["absent"] else ""
    if rates.empty:
        return undecided("Nothing was measured: there is no adapter." + absent)
    share, ahead = shares(rates), lead(rates)
    beside = "" if np.isnan(ahead) else f" Ours are at least {ahead:.1f} times as fast as ONNX Runtime's on it."
    figure = "of native programs: " + ", ".join(f"{what} {value:.0%}" for what, value in share.items())
    if machine["type"] != "CPU":
        return undecided(f"{machine['adapter']} is no processor, on which the native programs run." + beside + absent)
    got = rates[(rates["what"] == GEMM) & (rates["side"] == NATIVE[GEMM])]["processors"].item()
    if got < LEAST * machine["processors"]:
        return undecided(f"The machine is busy: OpenBLAS got {got:.1f} of {machine['processors']} processors." + absent)
    said = f"On {machine['adapter']}, a processor under WebGPU; the GPUs that the whitepaper speaks of are to be tried."
    return Verdict("found", figure, said + beside + absent)


def as_a_claim(results: Results) -> Judgement:
    """By the criterion of the claim that this was: that WebGPU harnesses the full power of the hardware."""
    if check(results).verdict == "undecided":
        return "undecided"
    least = shares(results["rates"]).min()
    return "upheld" if least >= FULL else "qualified" if least >= FAR else "refuted"


def figures(results: Results) -> dict[str, Figure]:
    """Every side's rate over the native program's."""
    rates = results["rates"]
    what, base = there(rates), native(rates)
    figure, (axes,) = plots.canvas(width=7.5, height=2.8)
    for side, colour in plots.colours((*OURS, *OTHERS)).items():
        part = rates[rates["side"] == side].set_index("what")["rate"]
        if len(part):
            places = [-what.index(each) for each in part.index]
            axes.scatter(100 * part / base.reindex(part.index), places, s=40, color=colour, label=side, zorder=3)
    for share in (FAR, FULL):
        axes.axvline(100 * share, color=plots.MUTED, linewidth=0.8, linestyle=":")
    axes.axvline(100, color=plots.INK, linewidth=1.2)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_yticks([-place for place in range(len(what))], [f"{each}\n{NATIVE[each]} = 100" for each in what])
    axes.set(xlabel="rate, % of the native program's", ylim=(0.4 - max(len(what), 1), 0.6))
    if what:
        plots.legend(axes)
    return {"Rates over a native program's on the same processor; dotted: 20 and 80 %.": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Every rate, and what it was measured on."""
    measured = {"Rates, medians of interleaved rounds.": results["rates"]} if len(results["rates"]) else {}
    return measured | {"The machine, and the peers it lacks.": results["machine"]}
