"""Whether a browser can run Stable Diffusion XL: planned from its shapes, and a smaller picture made to its end."""

import pandas as pd
from matplotlib.figure import Figure

from auction.data.hardware import GIB
from experiments import plots
from experiments.claims import Judgement, Results, Size, Verdict, _browser_plans, undecided
from experiments.progress import track
from inference.generate import digest_of
from inference.models.terrain import inputs, terrain
from inference.planning import picture
from inference.planning.limits import DEFAULTS, DESKTOP, MIB
from inference.reference import Reference

TITLE = "WebGPU runs Stable Diffusion XL in the browser"
PART = "inference"
SECTION = "1"
STATEMENT = (
    "The platform enables individuals to securely execute machine learning inference tasks with an expanding "
    "repertoire of popular models such as Llama [1] and Stable Diffusion XL [2], among others."
)
MODEL, SIDE = "sdxl", 1024
MOST, LEAST = 0.5, 0.1
SMALLER = "terrain"
CLASS = 50

NAME = "sdxl_in_a_browser"

# Models that are planned, and the run in a page: none, the published one, or one made now
GRID: dict[Size, tuple[tuple[str, ...], str]] = {
    "tiny": ((MODEL,), ""),
    "small": ((MODEL, "sd15"), "published"),
    "full": ((MODEL, "sd15"), "now"),
}
VARIED = {"model": "{plans.model}", "limits of a binding": "{plans.limits}"}
FIXED = _browser_plans.FIXED | {
    "layout": f"this package's, in integers; {MODEL} at {SIDE} x {SIDE}, the others at their own size",
    "run": "a picture of terrain in one step: smaller by far, of the same ops",
}


def run(size: Size, block: int = 0) -> Results:
    """Plans by model and limit; the picture of a page beside the reference's, of the block as seed if made now."""
    names, shown = GRID[size]
    plans = []
    for name in track(names, "plans of pictures"):
        config = picture.configuration(name)
        assert config is not None, "a name of the table"
        plans += _browser_plans.rows(picture.picture_plan(name, config, SIDE if name == MODEL else None))
    runs = _browser_plans.published_runs(NAME) if shown == "published" else _run(shown == "now", block)
    return {"plans": pd.DataFrame(plans, columns=_browser_plans.COLUMNS), "runs": runs}


def _run(shown: bool, seed: int) -> pd.DataFrame:
    """The picture of a page beside the reference's."""
    found = _browser_plans.answered(f"/picture?class={CLASS}&seed={seed}&run") if shown else None
    rows = []
    if found is not None:
        model = terrain(SMALLER, "exact")
        [expected] = Reference(model.model).run(model.graph, inputs("exact", CLASS, seed), [model.picture])
        same = found.get("digest") == digest_of(expected)
        rows.append((SMALLER, str(found.get("adapter", "")), expected.size, same, str(found.get("error", ""))))
    columns = ["model", "adapter", "numbers", "as the reference", "error"]
    return _browser_plans.stamped(pd.DataFrame(rows, columns=columns).astype({"as the reference": bool}))


def check(results: Results) -> Verdict:
    """The criterion on the plan under desktop limits and the cards' memory, and on the run."""
    plans, runs = results["plans"], results["runs"]
    if runs.empty:
        return undecided(
            "Not tested: no page ran to its end, for which a Chromium is needed and a machine that is not busy."
        )
    own = plans[plans["model"] == MODEL].set_index("limits")
    at, promised = own.loc[DESKTOP.name], own.loc[DEFAULTS.name]
    fits, right = at["beyond"] == 0, bool(runs["as the reference"].all())
    share, staged = at["cards"] / at["of"], at["hold a stage"] / at["of"]
    verdict: Judgement = "refuted"
    if fits and right and share >= MOST:
        verdict = "upheld"
    elif fits and right and (share >= LEAST or staged >= MOST):
        verdict = "qualified"
    largest = at["largest"] / MIB
    return Verdict(
        verdict,
        f"{share:.0%} of {at['of']} cards hold Stable Diffusion XL at {SIDE} x {SIDE} ({at['bytes'] / GIB:.1f} GiB), "
        f"{staged:.0%} its largest stage alone; {int(at['beyond'])} of {int(at['buffers'])} buffers exceed a binding",
        f"Its largest buffer has {largest:,.0f} MiB; under what WebGPU promises everywhere, 128 MiB, "
        f"{int(promised['beyond']) or 'no'} buffers are too large. What ran here is a picture of terrain: a page's is "
        f"{'the reference’s, bit for bit' if right else 'another than the reference’s'} (run of "
        f"{runs['date'].iloc[0]}, commit {runs['commit'].iloc[0]}). Stable Diffusion XL itself "
        "was not run: that needs its weights and a GPU.",
    )


def figures(results: Results) -> dict[str, Figure]:
    """What each model needs, whole and a stage at a time, and the cards that hold it."""
    figure, (axes,) = plots.canvas(width=7.5, height=3.0)
    own = results["plans"].drop_duplicates("model")
    shades = plots.colours(["all at once", "largest stage alone"])
    for at, (label, column, cards) in enumerate(
        (("all at once", "bytes", "cards"), ("largest stage alone", "stage", "hold a stage"))
    ):
        places = [place + 0.36 * at for place in range(len(own))]
        axes.barh(places, own[column] / GIB, height=0.34, color=shades[label], label=label)
        for place, size, many, of in zip(places, own[column] / GIB, own[cards], own["of"], strict=True):
            axes.text(size, place, f" {many / of:.0%} of cards", va="center", fontsize=9)
    axes.set_yticks([place + 0.18 for place in range(len(own))], own["model"])
    axes.set(xlabel="GiB", xlim=(0, 1.25 * float(own["bytes"].max()) / GIB))
    axes.invert_yaxis()
    plots.legend(axes)
    return {"Memory of pictures as planned, and the share of cards that hold it": figure}


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """All plans; the run."""
    ran = {"The run in a page": results["runs"]} if len(results["runs"]) else {}
    return {"Models of pictures as planned, by limit": results["plans"]} | ran
