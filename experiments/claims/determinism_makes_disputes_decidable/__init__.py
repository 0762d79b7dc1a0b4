"""Whether determinism makes disputes decidable: integers against float32, by its bits and within derived tolerances."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments import plots
from experiments.claims import Judgement, Results, Size, Verdict, undecided
from experiments.claims.determinism_makes_disputes_decidable.cheap_runs import cheap_runs
from experiments.claims.determinism_makes_disputes_decidable.float32_disputes import (
    nodes,
    recompute,
    record,
    same_words,
)
from experiments.claims.determinism_makes_disputes_decidable.float32_drift import Factor, drift
from experiments.progress import track
from inference import models, ops
from inference.arithmetic.tolerance import enclosure
from inference.device.adapters import stacks
from inference.device.device import Device
from inference.device.runtime import Runtime
from inference.generate import Backend
from inference.graph import Arithmetic
from inference.model import Checkpoint, Model
from inference.models.llama import model
from inference.reference import Reference
from inference.tokens.text import Text

TITLE = "Determinism makes disputes decidable"
PART = "verification"
SECTION = "5"
STATEMENT = (
    "Since the inference can be represented as a directed acyclic graph (DAG), we can fix the source of randomness to "
    "produce deterministic inference processes. … If at any point there is a discrepancy between the challenged "
    "inference and the recomputed inference, the challenger and service providers are rewarded and the challenged "
    "service provider is punished."
)

# Prompts, tokens after each, stacks at most, prompts of the drift, whether SmolLM2 runs too
GRID = {"tiny": (1, 2, 2, 6, False), "small": (2, 2, 8, 40, False), "full": (4, 4, 8, 100, True)}
TEXTS = (
    "The capital of France is",
    "Once upon a time there was a",
    "Water boils at a temperature of",
    "The patient should not take",
    "Two plus two equals",
    "The verdict of the court was that",
)
ARITHMETICS: tuple[Arithmetic, ...] = ("float32", "exact")
BITS, TOLERANCE, EXACT = "float32, bit by bit", "float32, within tolerance", "integers"
EXPONENTS = range(1, 25)
FRACTIONS = (1.0, 1 / 2, 1 / 4, 1 / 16, 1 / 64)
VARIED = {
    "arithmetic": "{honest.arithmetic}",
    "size of a fault": "2^-n of a row, n {faults.exponent}",
    "tolerance": "{drifts.fraction:each} of the proven one",
    "stack": "{honest.asserter}",
}
FIXED = {
    "model": "{drifts.model}",
    "devices": "processors of one machine",
    "cheats": "within the tolerance at every node",
}


def run(size: Size, block: int = 0) -> Results:
    """Honest runs on every stack, faults, cheaper models, and drifts, all on the tiny model; SmolLM2's drifts too."""
    count, limit, most, drifts, real = GRID[size]
    generator = np.random.default_rng(block)
    prompts = [generator.integers(0, 256, 12).tolist() for _ in range(max(count, drifts))]
    llama = models.find("tiny")
    built = {arithmetic: model("tiny", llama, arithmetic) for arithmetic in ARITHMETICS}
    devices = {
        f"{backend} on {adapter.split(' ')[0]}": Device(backend, adapter) for backend, adapter in stacks()[:most]
    }
    honest, used = _honest(built, devices, prompts[:count], limit)
    largest = used.groupby("op")["used"].max().to_dict()
    drifted = _drifts(built["float32"], prompts[:drifts], largest)
    cheats = _cheats(llama, built, prompts[0], limit)
    if real:
        other = models.find("smollm2")
        text = Text(other.tokenizer, other.vocabulary)
        larger = model("smollm2", other, "float32")
        drifted += _drifts(larger, [text.encode(each) for each in TEXTS], largest)
        cheats += _cheats(other, {"float32": larger}, text.encode(TEXTS[0]), 1)
    return {
        "honest": honest,
        "used": used,
        "faults": _faults(built, prompts[0], limit),
        "cheats": pd.DataFrame(cheats, columns=["model", "cheat", "compared", "nodes", "found wrong", "first"]),
        "drifts": pd.DataFrame(drifted),
    }


def _honest(
    built: dict[Arithmetic, Model], devices: dict[str, Device], prompts: list[list[int]], limit: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Nodes whose words a referee on another stack does not get, and the share of the tolerance each node uses."""
    rows, used = [], []
    for arithmetic in ARITHMETICS:
        exact = built[arithmetic]
        backends: dict[str, Backend] = {"numpy": Reference(exact)}
        backends |= {name: Runtime(exact, device) for name, device in devices.items()}
        tasks = [(asserter, index) for asserter in backends for index in range(len(prompts))]
        for asserter, index in track(tasks, f"honest runs in {arithmetic}, referees elsewhere"):
            trace = record(backends[asserter], prompts[index], limit)
            differ = dict.fromkeys(backends.keys() - {asserter}, 0)
            total = 0
            for name, node, y in nodes(exact, trace, prompts[index]):
                total += 1
                for referee in differ:
                    differ[referee] += not same_words(recompute(backends[referee], node), y)
                if arithmetic == "float32":
                    used.append((asserter, index, name, node.op, float(node.used(y).max())))
            rows += [(arithmetic, asserter, each, index, total, differ[each]) for each in sorted(differ)]
    return (
        pd.DataFrame(rows, columns=["arithmetic", "asserter", "referee", "prompt", "nodes", "nodes that differ"]),
        pd.DataFrame(used, columns=["asserter", "prompt", "node", "op", "used"]),
    )


def _faults(built: dict[Arithmetic, Model], prompt: list[int], limit: int) -> pd.DataFrame:
    """Every word of every node off by 2^-k of its row's root mean square, one at a time: how many are overlooked."""
    rows = []
    for arithmetic in ARITHMETICS:
        trace = record(Reference(built[arithmetic]), prompt, limit)
        for _, node, y in nodes(built[arithmetic], trace, prompt):
            if not hasattr(ops.load(node.op), "enclosure"):  # a choice
                continue
            size = np.sqrt((y.astype(np.float64) ** 2).mean(1, keepdims=True))
            found = None if arithmetic == "exact" else enclosure(node.op, *node.operands.values(), **node.attributes)
            for k in EXPONENTS:
                wrong = y + 2.0**-k * size
                wrong = (wrong if found else np.rint(wrong)).astype(y.dtype)
                faults = wrong != y  # the others are lost in rounding: no faults
                rows.append((BITS if found else EXACT, node.op, k, faults.sum(), 0))
                if found:
                    rows.append((TOLERANCE, node.op, k, faults.sum(), (faults & (found.used(wrong) <= 1)).sum()))
    frame = pd.DataFrame(rows, columns=["compared", "op", "exponent", "faults", "overlooked"])
    return frame.groupby(["compared", "op", "exponent"], sort=False).sum().reset_index()


def _cheats(
    llama: Checkpoint, built: dict[Arithmetic, Model], prompt: list[int], limit: int
) -> list[tuple[object, ...]]:
    """Cheaper runs in numpy: how many nodes are found wrong, each from the cheat's own inputs, and the first."""
    rows: list[tuple[object, ...]] = []
    for arithmetic, true in built.items():
        modes = (EXACT,) if arithmetic == "exact" else (BITS, TOLERANCE)
        for cheat, trace in cheap_runs(llama, true, prompt, limit):
            wrong: dict[str, list[str]] = {
                mode: [] for mode in ((EXACT,) if arithmetic == "exact" else (BITS, TOLERANCE))
            }
            total = 0
            for name, node, y in nodes(true, trace, prompt):
                total += 1
                if not same_words(recompute(Reference(true), node), y):
                    wrong[modes[0]].append(name)
                if arithmetic == "float32" and not (node.used(y) <= 1).all():
                    wrong[TOLERANCE].append(name)
            rows += [(true.name, cheat, mode, total, len(f), f[0] if f else "") for mode, f in wrong.items()]
    return rows


def _drifts(built: Model, prompts: list[list[int]], largest: dict[str, float]) -> list[dict[str, object]]:
    """The drift of each prompt at fractions of the tolerance, and at the largest share that an honest node uses."""

    def share(fraction: float) -> Factor:
        return lambda op: fraction

    labels = [*FRACTIONS, np.nan]
    factors = [*(share(fraction) for fraction in FRACTIONS), lambda op: largest.get(op, 0.0)]
    rows: list[dict[str, object]] = []
    for index, prompt in enumerate(track(prompts, f"drifts of {built.name}")):
        for fraction, found in zip(labels, drift(built, prompt, factors), strict=True):
            outside = sum(not (node.used(y) <= 1).all() for _, node, y in nodes(built, found.trace, prompt))
            moved = {"gap": found.gap, "moved": found.moved, "deviation": found.scale, "changed": found.changed}
            rows.append({"model": built.name, "prompt": index, "fraction": fraction, "outside": outside} | moved)
    return rows


def check(results: Results) -> Verdict:
    """The criterion on slashed runs, overlooked faults and cheats, and changed tokens."""
    honest, used, drifts = results["honest"], results["used"], results["drifts"]
    if honest.empty:
        return undecided("A WebGPU adapter beside numpy is needed.")
    slashed = honest["nodes that differ"] > 0
    by_bits = honest["arithmetic"] == "float32"
    overlooked = results["faults"].groupby("compared")[["faults", "overlooked"]].sum()
    unseen = results["cheats"].groupby("compared")["found wrong"].min() == 0
    decides = {
        mode: not runs.any() and not overlooked.loc[mode, "overlooked"] and not unseen[mode]
        for mode, runs in ((BITS, slashed[by_bits]), (EXACT, slashed[~by_bits]))
    }
    verdict: Judgement = "refuted" if not decides[EXACT] else "upheld" if decides[BITS] else "qualified"
    full = drifts[(drifts["fraction"] == 1) & (drifts["outside"] == 0)]
    changed = " and ".join(f"{part['changed'].sum()} of {len(part)} ({name})" for name, part in full.groupby("model"))
    faults = results["faults"]
    products = faults[(faults["compared"] == TOLERANCE) & faults["op"].str.startswith("matmul")]
    sums = products.groupby("exponent")[["faults", "overlooked"]].sum()
    half = sums.index[sums["overlooked"] >= sums["faults"] / 2].min()
    return Verdict(
        verdict,
        f"honest runs slashed: {slashed[by_bits].sum()} of {by_bits.sum()} in float32 bit by bit, "
        f"{slashed[~by_bits].sum()} of {(~by_bits).sum()} in integers",
        f"Within derived tolerances {(used['used'] > 1).sum()} of {len(used)} honest float32 nodes are slashed, but "
        f"most faults of a product below 2^-{half} of its row are overlooked, and a cheat that stays within the "
        f"tolerance at every node changes the next token of {changed} prompts. In integers every changed word "
        "is found. All stacks here run on processors; real GPUs are still to be tried.",
    )


def headline(results: Results) -> tuple[str, Figure] | None:
    """What the page's head says of it; nothing where it is undecided."""
    honest = results["honest"]
    if honest.empty:
        return None
    slashed, by_bits = honest["nodes that differ"] > 0, honest["arithmetic"] == "float32"
    sides = {"float32, compared by bits": slashed[by_bits], "integers, compared by bits": slashed[~by_bits]}
    shares = {label: float(runs.mean()) for label, runs in sides.items()}
    told = [f"{runs.sum()} of {len(runs)}" for runs in sides.values()]
    said = (
        f"In float32 the protocol would slash {told[0]} honest runs. In integers it slashes "
        f"{'none' if not slashed[~by_bits].any() else told[1]}, and no changed word escapes."
    )
    return said, plots.bars(shares, told)


def figures(results: Results) -> dict[str, Figure]:
    """Faults overlooked by size; what any fraction of the tolerance costs honest and dishonest providers."""
    figure, (left,) = plots.canvas(width=6.5, height=3.2)
    faults = results["faults"]
    within = faults[faults["compared"] == TOLERANCE].assign(op=lambda part: part["op"].str.replace("_", " "))
    for op, colour in plots.colours(within["op"].unique()).items():
        part = within[within["op"] == op]
        left.plot(-part["exponent"], part["overlooked"] / part["faults"], color=colour, label=op)
    words = faults[faults["compared"] != TOLERANCE].groupby("exponent")[["faults", "overlooked"]].sum()
    left.plot(-words.index, words["overlooked"] / words["faults"], "--", color=plots.INK, label="all, by their words")
    left.set(
        xlabel="size of the fault, log2 of the row's root mean square", ylabel="faults overlooked", ylim=(-0.03, 1.03)
    )
    plots.percent(left)
    plots.legend(left)
    other, (right,) = plots.canvas(width=6.5, height=3.2)
    colours = iter(plots.PALETTE)
    used = results["used"]
    runs = used[used["asserter"] != "numpy"].groupby(["asserter", "prompt"])["used"].max()
    fine = np.logspace(-6, 0, 200, base=2)
    if len(runs):
        right.step(fine, [(runs > each).mean() for each in fine], color=next(colours), label="honest runs slashed")
    for name, part in results["drifts"].dropna(subset="fraction").groupby("model"):
        share = part.groupby("fraction")["changed"].mean()
        right.plot(share.index, share, marker="o", markersize=4, color=next(colours), label=f"tokens changed, {name}")
    right.set(xlabel="tolerance, as a fraction of the proven one", ylabel="share", ylim=(-0.03, 1.03))
    right.set_xscale("log", base=2)
    plots.percent(right)
    plots.legend(right)
    return {
        "Faults in one word that a referee overlooks, by op.": figure,
        "A tolerance that slashes no honest run lets a cheat choose the token: every node stays within it.": other,
    }


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Honest runs by pair of stacks; what honest nodes use; calibration; cheats; drifts."""
    honest, used, drifts = results["honest"], results["used"], results["drifts"]
    runs = honest.assign(slashed=honest["nodes that differ"] > 0, runs=1)
    keys = ["arithmetic", "asserter", "referee"]
    pairs = runs.groupby(keys, sort=False)[["runs", "slashed", "nodes", "nodes that differ"]].sum().reset_index()
    shares = used.groupby("op", sort=False)["used"].agg(["median", "max"]).reset_index()
    fraction = drifts["fraction"].astype(object).where(drifts["fraction"].notna(), "calibrated")
    spread = drifts.assign(moved=drifts["moved"] / drifts["deviation"], fraction=fraction)
    by = spread.groupby(["model", "fraction"], sort=False)
    drifted = by.agg(prompts=("prompt", "size"), outside=("outside", "sum"), moved=("moved", "median"))
    drifted["tokens changed"] = by["changed"].sum()
    return {
        "Honest runs: each node recomputed by a referee on another stack from the asserter's inputs.": pairs,
        "The share of the proven tolerance that honest nodes use at their worst element, all stacks.": shares,
        "Tolerances calibrated by op on all drivers but one, times a margin: its nodes slashed.": left_out(used),
        "Cheaper models: nodes found wrong from the cheat's own inputs.": results["cheats"],
        "Drifts: nodes outside; how far the gap of the two likeliest tokens moved, in the logits' standard deviations "
        "(median). Calibrated: each op at the largest share an honest node used.": drifted.reset_index(),
    }


def left_out(used: pd.DataFrame) -> pd.DataFrame:
    """Honest nodes beyond what the other drivers ever used, op by op; numpy counts as one."""
    drivers = used["asserter"].str.rpartition(" on ")[2]
    rows = []
    for driver, own in used.groupby(drivers, sort=False):
        others = used[drivers != driver].groupby("op")["used"].max()
        for margin in (1, 2, 4):
            beyond = own["used"] > margin * own["op"].map(others).fillna(0)
            rows.append((driver, margin, len(own), int(beyond.sum())))
    return pd.DataFrame(rows, columns=["driver left out", "margin", "nodes", "slashed"])
