"""How often the intervals of ``statistics`` hold what they are intervals of, by simulation."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.random import Generator

from auction.market import Float
from experiments import statistics
from experiments.progress import parallel

UNITS = (4, 6, 10, 20, 40)
FAMILIES = 8
DATA: dict[str, tuple[Callable[[Generator, int], Float], float]] = {
    "normal": (lambda rng, n: rng.normal(0.0, 1.0, n), 0.0),
    "log-normal, sigma 1": (lambda rng, n: rng.lognormal(0.0, 1.0, n), float(np.exp(0.5))),
}
"""What is drawn, and its mean: symmetric data, and such as are skewed beyond anything that the claims measure."""


class Case(NamedTuple):
    """So many units of some data: of one kind, or as many in each of eight strata whose spreads are 1 to 8."""

    interval: str
    data: str
    units: int


def table(repetitions: int) -> pd.DataFrame:
    """Share of so many samples whose 95 % interval holds the mean, by interval, data and units."""
    cases = [Case("mean", data, n) for data in DATA for n in UNITS]
    cases += [Case("mean over families", data, n) for data in DATA for n in (2, 3, 6, 10)]
    covered = parallel(partial(coverage, repetitions=repetitions), cases, "coverage of intervals")
    return pd.DataFrame(cases).assign(samples=repetitions, coverage=covered)


def coverage(case: Case, repetitions: int) -> float:
    """Share of so many samples whose interval holds the mean they were drawn with."""
    draw, mean = DATA[case.data]
    rng, held = np.random.default_rng(case.units), 0
    strata = np.repeat(np.arange(1, FAMILIES + 1), case.units)
    for _ in range(repetitions):
        if case.interval == "mean":
            _, low, high = statistics.mean_interval(draw(rng, case.units))
            held += low <= mean <= high
        else:
            _, low, high = statistics.stratified(strata * draw(rng, strata.size), strata)
            held += low <= mean * (FAMILIES + 1) / 2 <= high
    return held / repetitions
