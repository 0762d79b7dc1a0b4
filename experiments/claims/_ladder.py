"""What solvers prove within a limit, rung by rung."""

import numpy as np
import pandas as pd

GENERATION = "column generation"
ENOUGH = 10  # markets of a rung, from which on it is told
SHIFT = 1.0  # seconds, of the shifted geometric mean


def ladder(runs: pd.DataFrame, by: tuple[str, ...] = ("tasks", "providers")) -> pd.DataFrame:
    """By size, or by what else, and solver: share proved, mean gaps to the best known, shifted geometric mean time."""
    runs = runs[runs["best"] > 0]
    runs = runs.assign(dual=(runs["bound"] / runs["best"] - 1.0).astype(float), log=np.log(runs["seconds"] + SHIFT))
    table = runs.groupby([*by, "solver"], sort=False)[["proven", "only its start", "gap", "dual", "log"]].mean()
    table["log"] = np.exp(table["log"]) - SHIFT
    names = {"proven": "share proved", "gap": "primal gap", "dual": "dual gap", "log": "seconds (shifted geometric)"}
    return table.reset_index().rename(columns=names)
