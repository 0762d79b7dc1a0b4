"""Whether larger language models fit a browser: planned from their shapes, and one that is at hand run to its end."""

from urllib.parse import urlencode

import pandas as pd
from matplotlib.figure import Figure

from auction.data.hardware import GIB
from experiments import plots
from experiments.claims import Judgement, Results, Size, Verdict, _browser_plans, undecided
from experiments.progress import track
from inference import models
from inference.generate import generate
from inference.models.llama import model
from inference.planning import language
from inference.planning.limits import DEFAULTS, DESKTOP, MIB
from inference.reference import Reference
from inference.tokens.text import Text

TITLE = "Larger language models run in a browser"
PART = "inference"
SECTION = "2"
STATEMENT = (
    "This advancement allows for the flexibility to run larger, previously desktop-bound, machine learning model in an "
    "existing, proven, browser environment."
)
LARGE = ("llama-2-7b", "llama-3-8b", "llama-3-70b", "llama-3.1-405b")
POSITIONS = 4096
PROMPT, LIMIT = "The capital of France is", 2

NAME = "larger_models_in_a_browser"

# Models that are planned, and the one that is run, or the published run
GRID: dict[Size, tuple[tuple[str, ...], str]] = {
    "tiny": (LARGE[:1], "tiny"),
    "small": (("smollm2", "llama-3.2-1b", *LARGE), "published"),
    "full": (("smollm2", "llama-3.2-1b", *LARGE), "smollm2"),
}
VARIED = {"model": "{plans.model}", "limits of a binding": "{plans.limits}"}
FIXED = _browser_plans.FIXED | {
    "layout": f"this package's: 4-bit weights, embedding and head in 8, {POSITIONS:,} positions",
    "run": "{runs.model}, a short prompt and two tokens: it shows that it ends and is right, not how fast a GPU is",
}


def run(size: Size, block: int = 0) -> Results:
    """Plans by model and limit; the run of a page beside the reference's. Nothing is drawn."""
    names, ran = GRID[size]
    plans = [
        row
        for name in track(names, "plans of models")
        for row in _browser_plans.rows(language.plan(language.shape(name), POSITIONS if name in LARGE else None))
    ]
    runs = _browser_plans.published_runs(NAME) if ran == "published" else _run(ran)
    return {"plans": pd.DataFrame(plans, columns=_browser_plans.COLUMNS), "runs": runs}


def _run(name: str) -> pd.DataFrame:
    """The run of a page beside the reference's."""
    found = _browser_plans.answered("/?" + urlencode({"model": name, "prompt": PROMPT, "limit": LIMIT, "run": ""}))
    rows = []
    if found is not None:
        llama = models.find(name)
        ids = Text(llama.tokenizer, llama.vocabulary).encode(PROMPT)
        expected = generate(Reference(model(name, llama, "exact")), ids, limit=LIMIT)
        same = (found.get("tokens"), found.get("digest")) == (expected.tokens, expected.digest)
        rows.append((name, str(found.get("adapter", "")), len(expected.tokens), same, str(found.get("error", ""))))
    columns = ["model", "adapter", "tokens", "as the reference", "error"]
    return _browser_plans.stamped(pd.DataFrame(rows, columns=columns).astype({"as the reference": bool}))


def check(results: Results) -> Verdict:
    """The criterion on the plans under desktop limits, and on the run."""
    plans, runs = results["plans"], results["runs"]
    if runs.empty:
        return undecided(
            "Not tested: no page ran to its end, for which a Chromium is needed and a machine that is not busy."
        )
    large = plans[plans["model"].isin(LARGE)].set_index(["limits", "model"])
    desktop, promised = large.loc[DESKTOP.name], large.loc[DEFAULTS.name]
    fit = desktop[desktop["beyond"] == 0]
    right = bool(runs["as the reference"].all())
    verdict: Judgement = "refuted"
    if right and len(fit):
        verdict = "upheld" if len(fit) == len(desktop) else "qualified"
    largest = desktop.iloc[-1]
    over = [name for name in desktop.index if name not in fit.index]
    return Verdict(
        verdict,
        f"{len(fit)} of {len(desktop)} models of 7B and more have no buffer beyond what desktop browsers let a binding "
        f"hold; {runs['model'].iloc[0]} ran in a page to {'the reference’s' if right else 'another'} digest",
        f"The page's run is of {runs['date'].iloc[0]}, commit {runs['commit'].iloc[0]}. "
        f"{'All fit' if not over else 'Beyond it is ' + ', '.join(over)}; under what WebGPU promises everywhere "
        f"{int((promised['beyond'] == 0).sum())} fit. Memory is another matter: {desktop.index[-1]} takes "
        f"{largest['bytes'] / GIB:,.0f} GiB, which {largest['cards']} of {largest['of']} cards hold, "
        f"{desktop.index[0]} {desktop.iloc[0]['bytes'] / GIB:.1f} GiB, which {desktop.iloc[0]['cards']} hold.",
    )


def figures(results: Results) -> dict[str, Figure]:
    """The largest buffer of each model beside the limits."""
    figure, (axes,) = plots.canvas(width=7.5, height=3.2)
    own = results["plans"].drop_duplicates("model")
    axes.barh(own["model"], own["largest"] / MIB, color=plots.PALETTE[0], height=0.6)
    for style, limits in zip((":", "--"), (DEFAULTS, DESKTOP), strict=True):
        axes.axvline(limits.largest / MIB, color=plots.MUTED, linestyle=style, label=limits.name)
    axes.set(xscale="log", xlabel="largest buffer, MiB")
    axes.invert_yaxis()
    plots.legend(axes)
    return {"The largest buffer of each model, and what a binding may hold": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """All plans; the run."""
    ran = {"The run in a page": results["runs"]} if len(results["runs"]) else {}
    return {"Models as planned, by limit": results["plans"]} | ran
