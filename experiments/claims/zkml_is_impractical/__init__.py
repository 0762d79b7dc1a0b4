"""Whether zkML is impractical for large models: Table 1 measured on a ladder of models, and extrapolated."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments import plots, statistics
from experiments.claims import Judgement, Results, Size, Verdict
from experiments.claims.zkml_is_impractical import ladder, prover

TITLE = "zkML is impractical for large models"
PART = "verification"
SECTION = "5"
STATEMENT = (
    "However, zkML is impractical for large machine learning inference tasks (e.g. LLMs, Image Generation, etc.) (see "
    "Table 1)."
)
LARGE = 7e9  # multiply-accumulates
DAY, TERABYTE = 86400.0, 1e12
CURVE = 2.0**28  # rows that the field of ezkl's curve, BN254, allows

WINDOW = 600.0  # seconds in which a result can be challenged
FLOOR = 15  # log2 of the rows of the least circuit: its table of range checks fills it
REPEATS = 200  # batches of ten of which the least time is taken, of the optimistic proof
PUBLISHED = (
    "zkLLM (Sun, Li and Zhang, 2024): 13 billion parameters, proved in under 15 minutes by CUDA code of its own, in "
    "less than 200 kB"
)
SECONDS = {"setup_cpu": "setup, zk", "prove_cpu": "proof, zk", "verify_cpu": "verification, zk"}
OPTIMISTIC = {"infer_cpu": "inference", "commit_cpu": "commitment", "dispute_cpu": "dispute"}
BYTES = {
    "prove_memory": "peak memory of the prover",
    "pk_bytes": "proving key",
    "vk_bytes": "verification key",
    "proof_bytes": "proof",
    "opened_bytes": "opened in a dispute",
}
TABLE = "Table 1 of the whitepaper, measured"
OPEN = (TABLE,)
VARIED = {
    "size of the model": "perceptrons of {proofs.macs} weights",
    "side": "ezkl's proof, commitment and dispute",
}
FIXED = {
    "prover": "ezkl {proofs.ezkl}, on a processor",
    "model": "perceptrons of three layers",
    "larger sizes": "extrapolated by a fitted power",
}


def run(size: Size, block: int = 0) -> Results:
    """The ladder as stored, or anew at full size where ezkl is installed; both proofs on one machine and day."""
    anew = size == "full" and ladder.installed()
    found = ladder.measured(REPEATS) if anew else ladder.stored()
    source = "measured in this run" if anew else "stored" if size != "full" else "stored: the extra zk is not installed"
    return {
        "proofs": found.drop(columns=[*ladder.OPTIMISTIC]).assign(source=source),
        "optimistic": found[["widths", *ladder.OPTIMISTIC]],
    }


def compared(results: Results) -> pd.DataFrame:
    """Both proofs of every model that was proved."""
    proofs = results["proofs"]
    return proofs[proofs["status"] == ladder.PROVED].merge(results["optimistic"], on="widths")


def rows_needed(multiply_accumulates: float) -> float:
    """Rows of the least circuit: two multiply-accumulates each, a power of two of them.

    A circuit of more than ``CURVE`` would have to be split.
    """
    return float(2 ** max(FLOOR, int(np.ceil(np.log2(multiply_accumulates / 2)))))


def extrapolated(results: Results, column: str, at: float = LARGE) -> tuple[float, float, float]:
    """A column at so many multiply-accumulates and its 95 % prediction interval, from the models above the floor."""
    above = compared(results).query(f"logrows > {FLOOR}")
    return statistics.extrapolated(2.0 ** above["logrows"].astype(float), above[column], rows_needed(at))


def check(results: Results) -> Verdict:
    """The criterion on the extrapolations."""
    seconds, memory = extrapolated(results, "prove_cpu"), extrapolated(results, "prove_memory")
    impractical = seconds[1] > DAY and memory[1] > TERABYTE
    verdict: Judgement = "refuted" if not impractical else "qualified" if PUBLISHED else "upheld"
    largest, first = compared(results).iloc[-1], results["proofs"].iloc[0]
    return Verdict(
        verdict,
        f"a token of a 7B model: {seconds[0] / DAY:.0f} CPU days ({seconds[1] / DAY:.0f} to {seconds[2] / DAY:.0f}) "
        f"and {memory[0] / TERABYTE:.0f} TB ({memory[1] / TERABYTE:.0f} to {memory[2] / TERABYTE:,.0f})",
        f"ezkl {first['ezkl']}, {first['date']} ({first['source']}): the proof of {largest['widths']} takes "
        f"{largest['prove_cpu']:.0f} CPU seconds. The circuit of such a token has {rows_needed(LARGE) / CURVE:.0f} "
        "times the 2^28 rows that the field of the prover's curve allows: it would have to be split, at further cost. "
        f"Committing to the same model's outputs takes {largest['commit_cpu'] * 1e6:.0f} µs and a dispute "
        f"{largest['dispute_cpu'] * 1e6:.0f} µs, on the same machine and day. So with this prover the whitepaper is "
        f"right. What is dated: {PUBLISHED}.",
    )


def as_first_fixed(results: Results) -> Judgement:
    """By a fit over multiply-accumulates, of which a row holds two but circuits have 2^k rows."""
    above = compared(results).query(f"logrows > {FLOOR}")
    lows = [statistics.extrapolated(above["macs"], above[column], LARGE)[1] for column in ("prove_cpu", "prove_memory")]
    return "refuted" if lows[0] <= DAY or lows[1] <= TERABYTE else "qualified" if PUBLISHED else "upheld"


def figures(results: Results) -> dict[str, Figure]:
    """CPU time and bytes by size, with the fits drawn out to 7B."""
    figure, (left, right) = plots.canvas(2, width=11.0, height=4.4)
    rows = compared(results)
    colour = plots.colours([*SECONDS.values(), *OPTIMISTIC.values()])
    for column, label in (SECONDS | OPTIMISTIC).items():
        left.plot(rows["macs"], rows[column], "o", markersize=4, color=colour[label], label=label)
    _drawn_out(left, results, "prove_cpu", colour[SECONDS["prove_cpu"]])
    left.axhline(DAY, color=plots.MUTED, linestyle=":", linewidth=1)
    left.text(400, DAY * 1.4, "a day", color=plots.MUTED, fontsize=8)
    left.set(xscale="log", yscale="log", xlabel="multiply-accumulates", ylabel="CPU seconds")

    shown = plots.colours(BYTES.values())
    for column, label in BYTES.items():
        right.plot(rows["macs"], rows[column], "o", markersize=4, color=shown[label], label=label)
    _drawn_out(right, results, "prove_memory", shown[BYTES["prove_memory"]])
    right.axhline(TERABYTE, color=plots.MUTED, linestyle=":", linewidth=1)
    right.text(400, TERABYTE * 1.6, "a terabyte", color=plots.MUTED, fontsize=8)
    right.set(xscale="log", yscale="log", xlabel="multiply-accumulates", ylabel="bytes")
    for axes in (left, right):
        axes.axvline(LARGE, color=plots.MUTED, linestyle=":", linewidth=1)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2, fontsize=8)
    return {
        "Both proofs of the same models; bands are 95 % prediction intervals of a power law over rows, drawn out to a "
        "token of a 7B model (vertical line).": figure
    }


def _drawn_out(axes: Axes, results: Results, column: str, colour: str) -> None:
    x = np.geomspace(compared(results).query(f"logrows > {FLOOR}")["macs"].min(), LARGE, 400)
    # Circuits have rows by powers of two: of few sizes is anything to be found out.
    _, first, size = np.unique([rows_needed(at) for at in x], return_index=True, return_inverse=True)
    drawn = np.array([extrapolated(results, column, at) for at in x[first]])[size]
    axes.plot(x, drawn[:, 0], color=colour, linewidth=1)
    axes.fill_between(x, drawn[:, 1], drawn[:, 2], color=colour, alpha=0.15, linewidth=0)


def table_one(results: Results) -> pd.DataFrame:
    """The whitepaper's Table 1, and its sentence on memory, beside what was measured."""
    rows, memory = compared(results), extrapolated(results, "prove_memory")
    circuit = statistics.extrapolated_linearly(rows["macs"], rows["circuit_memory"], LARGE)
    last = rows.iloc[-1]
    reach = WINDOW / float((rows["prove_cpu"] / rows["macs"]).iloc[-1])
    share = last["commit_cpu"] / last["infer_cpu"]
    ended = results["proofs"]["status"].iloc[-1] != ladder.PROVED
    limits = f"{prover.MEMORY / 2**30:.0f} GiB and {prover.SECONDS:,} CPU seconds a phase"
    reached = f"the most within {limits}" if ended else f"the largest tried, in {last['prove_memory'] / 1e9:.1f} GB"
    lines = [
        (
            "Model size",
            "Arbitrary size",
            "Small/Limited",
            f"no limit of its own: committing costs {share:.0%} of inference",
            f"{last['macs']:,.0f} weights, {reached}",
            f"Holds for this prover; dated: {PUBLISHED}",
        ),
        (
            "Proof type",
            "Fraud Proof",
            "zk-SNARK (validity proof)",
            f"{last['opened_bytes']:,.0f} bytes opened, if anyone disputes",
            f"{last['proof_bytes']:,.0f} bytes, beside a verification key of {last['vk_bytes'] / 1e6:.1f} MB",
            "Holds",
        ),
        (
            "Proof speed",
            "Delayed due to challenges",
            "Quick/No delays",
            f"committed in {last['commit_cpu'] * 1e6:.0f} µs, final after a window (here {WINDOW:.0f} s)",
            f"verified in {last['verify_cpu']:.1f} CPU seconds, but proved in {last['prove_cpu']:.0f}",
            f"Reversed from some {reach / 1e6:.0f} million weights on: there the proof takes longer than the window",
        ),
        (
            "Security",
            "crypto-economic security",
            "ZK/Cryptographic",
            "a stake, and one honest party who looks",
            "whoever generated the reference string can forge; here it was generated for the test",
            "Holds, given a reference string nobody knows the secret of",
        ),
        (
            "Memory of a circuit, 7B",
            "",
            "order of terabytes, if not petabytes",
            "",
            f"{circuit[0] / TERABYTE:.1f} TB to build it, extrapolated; {memory[0] / TERABYTE:.0f} TB to prove with it",
            "Holds for this prover",
        ),
    ]
    columns = ["row", "whitepaper: optimistic", "whitepaper: zkML", "measured: optimistic", "measured: zkML", "verdict"]
    return pd.DataFrame(lines, columns=columns)


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Table 1; the ladder; extrapolations."""
    proofs, rows = results["proofs"], []
    above = compared(results).query(f"logrows > {FLOOR}")
    for column, label in (SECONDS | BYTES).items():
        if column in ("proof_bytes", "opened_bytes"):
            continue
        unit, scale = ("s", 1.0) if column.endswith("cpu") else ("GB", 1e9)
        for fit, size, at in (
            ("rows", 2.0 ** above["logrows"].astype(float), rows_needed(LARGE)),
            ("multiply-accumulates", above["macs"], LARGE),
        ):
            power, low, high = statistics.exponent(size, above[column])
            values = [value / scale for value in statistics.extrapolated(size, above[column], at)]
            rows.append((label, unit, fit, f"{power:.2f} ({low:.2f} to {high:.2f})", *values))
        proportional = [value / scale for value in statistics.extrapolated(above["macs"], above[column], LARGE, 1.0)]
        rows.append((label, unit, "multiply-accumulates, in proportion", "1", *proportional))
    first = proofs.iloc[0]
    sizes = ["setup_memory", "prove_memory", "pk_bytes", "vk_bytes", "proof_bytes"]
    proofs = proofs[["widths", "macs", "logrows", "status", *SECONDS, "srs_cpu", *sizes]]
    micro = results["optimistic"].rename(columns={column: f"{name}, µs" for column, name in OPTIMISTIC.items()})
    micro[[f"{name}, µs" for name in OPTIMISTIC.values()]] *= 1e6
    return {
        TABLE: table_one(results),
        f"zk-SNARKs by ezkl {first['ezkl']}, {first['date']}, on {first['machine']} ({first['source']}); CPU "
        "seconds and bytes. The reference string (srs) is generated once for all models of a size.": proofs,
        "Optimistic proofs of the same models, on the same machine and day; CPU time": micro,
        "A token of a 7B model, with 95 % prediction intervals": pd.DataFrame(
            rows, columns=["what", "unit", "fitted over", "exponent", "predicted", "low", "high"]
        ),
    }
