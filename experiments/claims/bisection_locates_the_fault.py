"""Whether bisection over the model's graph finds a fault: rounds, bytes and work of disputes over runs that grow."""

import time
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments import plots
from experiments.claims import Judgement, Results, Size, Verdict
from experiments.progress import track
from inference import models
from inference.device import adapters
from inference.errors import InputError
from verification.adversaries import corrupt_trace
from verification.commands.source import Backend
from verification.contest import contest
from verification.dispute.transcript import summary
from verification.inference_models import Models
from verification.task import Task
from verification.trace import Trace, leaves, record, tiles

TITLE = "Bisection locates the fault"
PART = "verification"
SECTION = "5"
STATEMENT = (
    "We use a method similar to [7] and the interactive bisection scheme in [8] to determine the validity of the "
    "challenger's claim."
)
BYTES, SHARE = 100_000, 1e-4

# Tokens of the tiny model's runs, faults of each kind; tokens of SmolLM2's run, faults of each kind
GRID: dict[Size, tuple[tuple[int, ...], int, int, int]] = {
    "tiny": ((1, 2), 1, 0, 0),
    "small": ((1, 2, 4, 8, 16, 32, 64), 4, 3, 1),
    "full": ((1, 2, 4, 8, 16, 32, 64, 128, 256), 25, 32, 25),
}
KINDS = ("flipped-bit", "masked-fault", "wrong-tile", "through-residual")
PROMPT = b"The capital of France is"
SMOLLM2 = "smollm2"
ESCAPES = "the cheat escapes"
VARIED = {
    "fault": "{disputes.fault}",
    "length of the run": "{disputes.nodes} nodes",
    "who is wrong": "asserter, challenger",
}
FIXED = {
    "model": "{disputes.model}",
    "levels a round": "2",
}


def run(size: Size, block: int = 0) -> Results:
    """Every dispute: what it cost, where it ended, and where a search by middle nodes would have."""
    lengths, faults, tokens, sampled = GRID[size]
    cases = [("tiny", Task("tiny", tuple(PROMPT), length, 0, 0), faults) for length in lengths]
    if sampled and _has_smollm2():
        prompt = tuple(Models().tokens(SMOLLM2, PROMPT.decode()))
        cases.append((SMOLLM2, Task(SMOLLM2, prompt, tokens, 0, 0), sampled))
    rows = []
    for name, task, count in track(cases, "disputes"):
        rows += _disputes(name, task, count, block)
    return {"disputes": pd.DataFrame(rows)}


def _has_smollm2() -> bool:
    try:
        models.find(SMOLLM2)
    except InputError:
        return False
    return True


def _disputes(name: str, task: Task, count: int, block: int) -> list[dict[str, Any]]:
    backend: Backend = "wgpu" if name == SMOLLM2 and adapters.stacks() else "numpy"
    source = Models()
    computation, judge = source.computation(task, backend, None), source.computation(task, "numpy", None)
    started = time.perf_counter()
    honest = record(computation)
    linear = time.perf_counter() - started
    generator, rows = np.random.default_rng((len(honest.trees), block)), []
    for kind in KINDS:
        for _ in range(count):
            wrong = corrupted(honest.copy(), kind, generator)
            started = time.perf_counter()
            dispute = contest(task, judge, wrong, honest, source.prompt_chunk).dispute
            seconds = time.perf_counter() - started
            accused = contest(task, judge, honest, wrong, source.prompt_chunk).dispute
            result, node = summary(dispute), dispute.verdict.node  # type: ignore[union-attr]
            assert node is not None
            most = (len(judge.nodes) - 1).bit_length() + (tiles(judge, node) - 1).bit_length()
            rows.append(
                {
                    "model": name,
                    "nodes": len(judge.nodes),
                    "fault": kind,
                    "cheat loses": result["winner"] == "challenger",
                    "honest asserter wins": summary(accused)["winner"] == "asserter",
                    "leftmost": node == leftmost(wrong, honest),
                    "rounds": result["rounds_node"] + result["rounds_tile"],
                    "rounds allowed": most,
                    "kB": result["bytes"] / 1000,
                    "referee_macs": result["referee_macs"],
                    "inference_macs": result["inference_macs"],
                    "seconds": seconds,
                    "linear seconds": linear,
                    "by middle nodes": by_middle_nodes(wrong, honest),
                }
            )
    return rows


def corrupted(trace: Trace, kind: str, generator: np.random.Generator) -> Trace:
    """The trace with one fault of a kind; it is changed in place.

    Through the residual: the output of a layer's attention is wrong, the nodes after it are as if it were right, and
    the layer's last product, which adds it again as residual, follows from the wrong one.
    """
    if kind != "through-residual":
        return corrupt_trace.ADVERSARIES[kind](trace, generator)
    names = {node.name: index for index, node in enumerate(trace.computation.nodes)}
    outputs = [name for name, node in names.items() if name.endswith(".output") and trace.trees[node] is not None]
    first = names[str(generator.choice(outputs))]
    second = names[trace.computation.nodes[first].name.replace(".output", ".down")]
    element = int(generator.integers(trace.computation.nodes[first].words))
    corrupt_trace.flip(trace, first, element)
    for leaf in range(leaves(trace.computation.nodes[second])):
        trace.change(second, leaf, _recomputed(trace, second, leaf))
    return trace


def _recomputed(trace: Trace, node: int, leaf: int) -> Any:
    results: list[Any] = []
    for index, step in enumerate(trace.computation.steps(node, leaf)):
        inputs = [results[s] if isinstance(s, int) else trace.leaf(*s) for s in step.sources]
        results.append(trace.computation.recompute(node, leaf, index, inputs))
    return results[-1]


def leftmost(wrong: Trace, honest: Trace) -> int:
    """The first node on which two traces differ."""
    pairs = zip(wrong.tree.digests, honest.tree.digests, strict=True)
    return next(node for node, (a, b) in enumerate(pairs) if a != b)


def by_middle_nodes(wrong: Trace, honest: Trace) -> str:
    """What would come of a search from the last difference that compares nodes in the middle, as if no fault healed."""
    mine, theirs = wrong.tree.digests, honest.tree.digests
    agreed, differs = -1, max(node for node, (a, b) in enumerate(zip(mine, theirs, strict=True)) if a != b)
    while differs - agreed > 1:
        middle = (agreed + differs) // 2
        agreed, differs = (middle, differs) if mine[middle] == theirs[middle] else (agreed, middle)
    tree = wrong.trees[differs]
    assert tree is not None
    right = all(
        np.array_equal(_recomputed(wrong, differs, leaf), wrong.leaf(differs, leaf)) for leaf in range(len(tree))
    )
    return ESCAPES if right else "the cheat loses"


def check(results: Results) -> Verdict:
    """Every cheat loses, at the leftmost node, within the limits."""
    found = results["disputes"]
    share = found["referee_macs"] / MACS_OF_32_TOKENS
    sound = found["cheat loses"].all() and found["honest asserter wins"].all()
    within = (
        found["leftmost"].all()
        and (found["rounds"] <= found["rounds allowed"]).all()
        and (found["kB"] * 1000 <= BYTES).all()
        and (share <= SHARE).all()
    )
    verdict: Judgement = "upheld" if sound and within else "qualified" if sound else "refuted"
    longest = found.loc[found["nodes"].idxmax()]
    escaped = found.loc[found["by middle nodes"] == ESCAPES, "fault"].value_counts()
    missed = ", ".join(
        f"{count} of {(found['fault'] == fault).sum()} faults {fault}" for fault, count in escaped.items()
    )
    return Verdict(
        verdict,
        f"{found['leftmost'].sum()} of {len(found)} faults found; at most {found['rounds'].max()} rounds, "
        f"{found['kB'].max():.0f} kB and {found['referee_macs'].max():,} multiply-accumulates by the referee",
        f"The longest run has {longest['nodes']:,} nodes; the referee's step is {share.max():.1e} of 32 tokens of "
        f"SmolLM2. Recomputing linearly, which the whitepaper describes beside "
        f"bisection, is the whole run again. A search that compares nodes in the middle lets {missed or 'none'} "
        "escape: the two trees must be descended to the leftmost difference.",
    )


MACS_OF_32_TOKENS = 4_756_429_056
"""A run of SmolLM2, 5 tokens of prompt and 32 more; where it was not run, the tiny model's steps are set beside it."""


def figures(results: Results) -> dict[str, Figure]:
    """Rounds by length, bytes by length, the referee's share of the work."""
    found = results["disputes"]
    figure, (left, right_) = plots.canvas(2, width=9.0, height=3.4)
    nodes = np.geomspace(found["nodes"].min(), found["nodes"].max(), 50)
    left.step(nodes, np.ceil(np.log2(nodes)), color=plots.MUTED, label="ceil(log2 nodes)")
    for (name, part), colour in zip(found.groupby("model", sort=False), plots.PALETTE, strict=False):
        jitter = np.random.default_rng(0).uniform(0.97, 1.03, len(part))
        left.plot(part["nodes"] * jitter, part["rounds"], "o", markersize=4, alpha=0.6, color=colour, label=name)
        worked = part[part["referee_macs"] > 0]
        share = worked["referee_macs"] / worked["inference_macs"]
        right_.plot(worked["nodes"], share, "o", markersize=4, alpha=0.6, color=colour, label=name)
    left.set(
        xlabel="nodes of the run", ylabel="rounds, tiles' included", xscale="log", ylim=(0, found["rounds"].max() + 5)
    )
    right_.set(xlabel="nodes of the run", ylabel="referee's work / run's work", xscale="log", yscale="log")
    right_.axhline(1, color=plots.MUTED, linewidth=1)
    right_.annotate("linear recomputation", (found["nodes"].min(), 1), (0, -12), textcoords="offset points", fontsize=8)
    left.legend(fontsize=8, ncols=3, loc="upper left")
    return {"Rounds and the referee's work in disputes over runs that grow.": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """By run, and by fault what a search by middle nodes would find."""
    found = results["disputes"]
    by_run = (
        found.groupby(["model", "nodes"], sort=False)
        .agg(
            disputes=("rounds", "size"),
            leftmost=("leftmost", "sum"),
            rounds=("rounds", "max"),
            allowed=("rounds allowed", "max"),
            kB=("kB", "max"),
            referee_macs=("referee_macs", "max"),
            run_macs=("inference_macs", "max"),
            dispute_seconds=("seconds", "median"),
            linear_seconds=("linear seconds", "median"),
        )
        .reset_index()
    )
    middle = pd.crosstab(found["fault"], found["by middle nodes"]).reset_index()
    return {
        "Disputes by run: the most rounds, bytes and work, beside the linear recomputation.": by_run,
        "What a search by middle nodes would come to, in disputes.": middle,
    }
