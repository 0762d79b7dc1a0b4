"""What memory it takes to build the arithmetic circuit of a large model, on the ladder of models that were proved."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments import plots, statistics
from experiments.claims import Judgement, Results, Size, Verdict
from experiments.claims.zkml_is_impractical import CURVE, LARGE, TERABYTE, ladder, rows_needed

TITLE = "A circuit for a 7B model takes terabytes of memory"
PART = "verification"
SECTION = "5"
STATEMENT = (
    "For instance, the memory consumption for generating an arithmetic circuit in a zk-SNARK for the 7 billion "
    "parameter Llama model is in the order of terabytes, if not petabytes [6]."
)
LEAST, MOST = TERABYTE, 1000 * 1000 * TERABYTE
VARIED = {"size of the model": "perceptrons of three layers, {circuits.macs} weights"}
FIXED = {
    "prover": "ezkl {circuits.ezkl}, which builds the circuit of the whole model at once",
    "arithmetic": "its default scales",
    "larger sizes": "extrapolated in proportion to the weights, beside what a process takes anyway",
}


def run(size: Size, block: int = 0) -> Results:
    """The ladder as it was measured."""
    proofs = ladder.stored()
    return {"circuits": proofs[["date", "machine", "ezkl", "widths", "macs", "circuit_cpu", "circuit_memory"]]}


def check(results: Results) -> Verdict:
    """The criterion on the memory extrapolated to 7 billion weights."""
    circuits = results["circuits"]
    memory = statistics.extrapolated_linearly(circuits["macs"], circuits["circuit_memory"], LARGE)
    middle, low, high = (value / TERABYTE for value in memory)
    within = [LEAST <= value < MOST for value in memory]
    verdict: Judgement = "upheld" if all(within) else "qualified" if within[0] else "refuted"
    each = (memory[0] - float(circuits["circuit_memory"].min())) / LARGE
    first = circuits.iloc[0]
    return Verdict(
        verdict,
        f"{middle:.1f} TB ({low:.1f} to {high:.1f}) to build the circuit of 7 billion weights",
        f"Some {each:.0f} bytes a weight, by ezkl {first['ezkl']} on {len(circuits)} models of up to "
        f"{circuits['macs'].max():,} weights. A token needs {rows_needed(LARGE) / CURVE:.0f} times the 2^28 rows that "
        "the field of its curve allows: such a circuit would have to be split. Provers that do not build it whole have "
        "since been published.",
    )


def figures(results: Results) -> dict[str, Figure]:
    """Memory by weights, and the line drawn out."""
    circuits = results["circuits"]
    figure, (axes,) = plots.canvas(width=7.0)
    axes.plot(circuits["macs"], circuits["circuit_memory"], "o", markersize=4, color=plots.PALETTE[3])
    at = np.geomspace(float(circuits["macs"].min()), LARGE, 60)
    drawn = np.array([statistics.extrapolated_linearly(circuits["macs"], circuits["circuit_memory"], x) for x in at])
    axes.plot(at, drawn[:, 0], color=plots.PALETTE[3], linewidth=1)
    axes.fill_between(at, np.maximum(drawn[:, 1], 1e6), drawn[:, 2], color=plots.PALETTE[3], alpha=0.15, linewidth=0)
    axes.axhline(TERABYTE, color=plots.MUTED, linestyle=":", linewidth=1)
    axes.text(400, TERABYTE * 1.4, "a terabyte", color=plots.MUTED)
    axes.set(xscale="log", yscale="log", xlabel="weights", ylabel="bytes, peak while the circuit is built")
    return {"Memory to build the circuit of a model, drawn out to 7 billion weights": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """The ladder."""
    return {"Building circuits by ezkl: CPU seconds and peak bytes": results["circuits"]}
