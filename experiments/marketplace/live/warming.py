"""What rounds run, run once before the market opens: compiled, where this machine has not done so yet, and imported.

Compiling keeps every thread of a process waiting, for a minute where it is a solver's.
"""

from fractions import Fraction

import numpy as np

from auction import solvers
from auction.market import Market
from experiments.marketplace import auctioneer
from experiments.marketplace.effects import Explain, Solve
from experiments.marketplace.explanation import explain
from experiments.marketplace.settings import Settings

BEYOND = "column_generation"
"""What rounds of many orders are compared by, where few are by an integer programme."""


def warm(settings: Settings) -> None:
    """Hold a round of three orders and two devices, compare it with the optimum, and explain why one order waits."""
    market = Market(
        demand=np.ones((3, 1), np.int64),
        value=np.array([400, 300, 200]),
        unit_work=np.zeros(1),
        alpha=2,
        beta=0,
        resource=np.full((2, 1), 2),
        slots=np.ones(2, np.int64),
        cost=np.array([10, 20]),
        ability=np.ones((2, 1)),
    )
    solve = Solve(0, market, market.value, [], settings.solver, settings.options, settings.mechanism, None)
    allocation = auctioneer.answer(solve).allocation
    explain(Explain(solve, allocation, ["a", "b", "c"], Fraction(0)))
    solvers.solve(market, BEYOND)
