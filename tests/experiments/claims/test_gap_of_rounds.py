"""The figure is of whole markets, not of single rounds."""

import pandas as pd

from experiments.claims import gap_of_rounds as claim


def test_the_figure_is_of_whole_markets():
    lost = dict(zip(claim.SOLVERS, (0.2, 0.1, 0.0), strict=True))
    rounds = [
        {"solver": solver, "seed": seed, "round": number, "bound": bound, "welfare": bound - gone * 1000}
        for solver, part in lost.items()
        for seed in range(3)
        for number, (bound, gone) in enumerate(((900, part), (100, 0)))
    ]
    served = [{"solver": solver, "seed": 0, "served": 0.9, "99 % within": 3.0} for solver in lost]
    found = claim.check({"rounds": pd.DataFrame(rounds), "served": pd.DataFrame(served)})
    assert found.verdict == "found"
    assert found.figure.startswith("20.0% (20.0% to 20.0%) of the certified bound")
    assert "greedy 10.0%" in found.explanation and "column_generation 0.0%" in found.explanation


def test_no_solver_is_above_the_bound_and_an_optimum_reaches_it(tiny):
    rounds = tiny("gap_of_rounds")["rounds"]
    assert (rounds["welfare"] <= rounds["bound"]).all()
    exact = rounds[rounds["solver"] == "column_generation"]
    assert exact["welfare"].sum() >= 0.99 * exact["bound"].sum()
