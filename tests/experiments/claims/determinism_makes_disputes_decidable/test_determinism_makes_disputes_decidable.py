"""The criterion judges integers first, then float32 by its bits: honest runs, faults, and cheats."""

import pandas as pd
import pytest

from experiments.claims import determinism_makes_disputes_decidable as claim
from experiments.claims.determinism_makes_disputes_decidable import BITS, EXACT, TOLERANCE


def results(floats=0, integers=0, overlooked=0, lost_bits=0, unseen=(), beyond=0):
    """Of four honest runs an arithmetic so many are slashed; faults overlooked; cheats found nowhere."""
    honest = [
        (arithmetic, 3 * (run < slashed), 9)
        for arithmetic, slashed in (("float32", floats), ("exact", integers))
        for run in range(4)
    ]
    faults = [
        (mode, op, k, 10, lost)
        for mode, losses in ((BITS, (0, lost_bits)), (TOLERANCE, (4, 5)), (EXACT, (0, overlooked)))
        for k, loss in zip((3, 4), losses, strict=True)
        for op, lost in (("matmul", loss), ("matmul_q4", loss), ("norm", 10 * (mode == TOLERANCE)))
    ]
    cheats = [
        (cheat, mode, 0 if (cheat, mode) in unseen else 5)
        for cheat in ("q4", "shorter")
        for mode in (BITS, TOLERANCE, EXACT)
    ]
    drifts = [
        (model, fraction, outside, changed)
        for model, changes in (("tiny", (True, True, False)), ("smollm2", (True, False, False)))
        for fraction, outside in ((1.0, 0), (1.0, 1), (0.5, 0))
        for changed in changes
    ]
    return {
        "honest": pd.DataFrame(honest, columns=["arithmetic", "nodes that differ", "nodes"]),
        "used": pd.DataFrame({"used": [1.5] * beyond + [1.0, 0.1]}),
        "faults": pd.DataFrame(faults, columns=["compared", "op", "exponent", "faults", "overlooked"]),
        "cheats": pd.DataFrame(cheats, columns=["cheat", "compared", "found wrong"]),
        "drifts": pd.DataFrame(drifts, columns=["model", "fraction", "outside", "changed"]),
    }


@pytest.mark.parametrize(
    "how, verdict",
    [
        ({}, "upheld"),
        ({"floats": 1}, "qualified"),
        ({"floats": 4}, "qualified"),
        ({"lost_bits": 1}, "qualified"),
        ({"unseen": {("q4", BITS)}}, "qualified"),
        ({"beyond": 9, "unseen": {("q4", TOLERANCE)}}, "upheld"),  # tolerances are judged beside
        ({"integers": 1}, "refuted"),
        ({"overlooked": 1}, "refuted"),
        ({"unseen": {("shorter", EXACT)}}, "refuted"),
        ({"floats": 4, "integers": 4}, "refuted"),
    ],
)
def test_the_criterion_judges_as_it_reads(how, verdict):
    assert claim.check(results(**how)).verdict == verdict


def test_without_a_stack_nothing_is_decided():
    found = results(integers=1)
    verdict = claim.check(found | {"honest": found["honest"][:0]})
    assert verdict.verdict == "undecided" and not verdict.figure


def test_the_figure_counts_runs_and_the_explanation_what_tolerances_let_pass():
    verdict = claim.check(results(floats=3, integers=1, beyond=2))
    assert verdict.figure == "honest runs slashed: 3 of 4 in float32 bit by bit, 1 of 4 in integers"
    assert verdict.explanation.startswith("Within derived tolerances 2 of 4 honest float32 nodes are slashed, but")
    assert "most faults of a product below 2^-4 of its row are overlooked" in verdict.explanation
    assert "the next token of 1 of 3 (smollm2) and 2 of 3 (tiny) prompts." in verdict.explanation
