"""What solvers prove within a limit, rung by rung."""

import numpy as np
import pandas as pd

GENERATION = "column generation"
ENOUGH = 10  # markets of a rung, from which on it is told
MILLIONTH = 1e-6
SHIFT = 1.0  # seconds, of the shifted geometric mean


def nearly(runs: pd.DataFrame) -> str:
    """A sentence on the runs that end within a millionth of the optimum without proving it; none, where there are none.

    A solver whose numbers are floats counts large amounts in larger units, and knows its bound to such a unit.
    """
    near = runs[~runs["proven"] & (runs["best"] > 0) & (runs["bound"] - runs["best"] <= MILLIONTH * runs["best"])]
    if near.empty:
        return ""
    told = ", ".join(f"{solver} {many}" for solver, many in near["solver"].value_counts(sort=False).items())
    return f" Bounds within a millionth of the optimum do not prove it and are not counted: {told}."


def ladder(runs: pd.DataFrame, by: tuple[str, ...] = ("tasks", "providers")) -> pd.DataFrame:
    """By size, or by what else, and solver: share proved, mean gaps to the best known, shifted geometric mean time."""
    runs = runs[runs["best"] > 0]
    runs = runs.assign(dual=(runs["bound"] / runs["best"] - 1.0).astype(float), log=np.log(runs["seconds"] + SHIFT))
    table = runs.groupby([*by, "solver"], sort=False)[["proven", "only its start", "gap", "dual", "log"]].mean()
    table["log"] = np.exp(table["log"]) - SHIFT
    names = {"proven": "share proved", "gap": "primal gap", "dual": "dual gap", "log": "seconds (shifted geometric)"}
    return table.reset_index().rename(columns=names)
